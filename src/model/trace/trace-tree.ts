/**
 * How spans become a tree. The store's answers, the command line and the web UI all use this file, so that they draw the
 * same trace. It is pure and runs in a browser. The rules, each with a tiny trace (`id<parent`, drawn as a tree):
 *
 * 1. A span hangs under the span that its parent id names. Siblings are in order of start.
 *        b<a c<a a            a, below it b and c
 * 2. A span without a parent id is a root. Several roots are in order of start.
 * 3. A span that names itself as its parent is a root: nothing can hang under itself.
 *        a<a                  a
 * 4. A parent that was never received gets a stand-in. Its orphans hang there together, below all roots.
 *        a b<x c<x            a; (missing x), below it b and c
 * 5. A ring of parents is cut at the span of the ring that starts first. What hangs on the ring stays where it is.
 *        b<c c<b d<c          b, below it c, below it d
 * 6. The same span twice (same trace, span id, kind, start and name) is one span: OTLP clients send again when an answer
 *    is late. The longest copy is shown, as it is the complete one; of equally long ones the first.
 * 7. Zipkin gives both halves of a call one id. The client (or producer) half is the parent of the server (or consumer)
 *    half, whatever their clocks and parent ids say. A span below that id belongs to the server half of its own service,
 *    else to the client half if that is of its own service, else to the first server half.
 *        client 1 of edge, server 1 of shop, db<1 of shop, log<1 of edge
 *                             client 1, below it server 1 (with db) and log
 *    Where both are roots, the client half names the trace (call-half.ts).
 * 8. Any other spans that share an id stay where their own parent ids put them. Spans below that id hang under the first.
 *
 * Each pass takes linear time, except one sort by start. Nothing is recursive: a trace may be 70,000 spans deep, or
 * have 200,000 children of one span.
 */
import { repeatedSpans } from './repeated-spans.ts'
import { indexIds, SharedIds } from './shared-ids.ts'
import type { IdIndex } from './shared-ids.ts'

/** The columns of a trace's spans that decide its tree, in any order. */
export interface TreeSpans<Id> {
  readonly count: number
  readonly ids: ArrayLike<Id>
  readonly parentIds: ArrayLike<Id>
  /** The value that means "no id", such as '' or 0n. */
  readonly noId: Id
  /** OTLP span kinds. */
  readonly kinds: ArrayLike<number>
  /** Any unit and origin, exact. */
  readonly starts: ArrayLike<number>
  readonly lengths: ArrayLike<number>
  /** Equal values for equal texts. */
  readonly names: ArrayLike<string | number>
  readonly services: ArrayLike<string | number>
}

export const topReasons = {
  /** Rule 2. */
  noParentId: 1,
  /** Rule 3. */
  ownParent: 2,
  /** Rule 5. */
  ringCut: 3,
  /** Rule 4: the entry is a stand-in. */
  missingParent: 4,
} as const

/** Entries [0, count) are the spans, entries [count, size) the stand-ins of missing parents. */
export interface TraceTree {
  readonly count: number
  readonly size: number
  /** The entry above; -1 for tops and for repeated spans. */
  readonly parents: Int32Array
  /** 0, or why the entry is at the top. */
  readonly topReasons: Uint8Array
  /** The span that is shown for each span: itself, or for a repeated span its other copy. */
  readonly shownAs: Int32Array
  /** For each stand-in, the orphan that starts first. */
  readonly firstOrphans: Int32Array
  readonly tops: Int32Array
  /** Children of `entry` are `children[childStarts[entry]]` up to `childStarts[entry + 1]`. */
  readonly childStarts: Uint32Array
  readonly children: Int32Array
  /** Every entry but the repeated spans, parents before children. */
  readonly preOrder: Int32Array
  /** 0 for tops. */
  readonly depths: Uint32Array
}

export function buildTraceTree<Id>(spans: TreeSpans<Id>): TraceTree {
  const byStart = orderByStart(spans)
  const index = indexIds(spans, byStart)
  const shownAs = repeatedSpans(spans, byStart, index)
  const links = linkParents(spans, byStart, { index, shownAs })
  cutRings(spans, links)
  const size = spans.count + links.firstOrphans.length
  const order = inOrder(byStart, shownAs, size)
  const { tops, childStarts, children } = gatherChildren(links.parents, order)
  return {
    count: spans.count,
    size,
    parents: links.parents,
    topReasons: links.reasons,
    shownAs,
    firstOrphans: Int32Array.from(links.firstOrphans),
    tops,
    childStarts,
    children,
    ...walkPreOrder({ tops, childStarts, children, size }),
  }
}

/** Spans by start, ties in the order in which they came. Answers of the API are in order already. */
function orderByStart({ count, starts }: TreeSpans<unknown>): Uint32Array {
  const order = new Uint32Array(count)
  for (let span = 0; span < count; span++) order[span] = span
  for (let span = 1; span < count; span++)
    if (starts[span]! < starts[span - 1]!) return order.sort((a, b) => starts[a]! - starts[b]! || a - b)
  return order
}

interface Links {
  readonly parents: Int32Array
  readonly reasons: Uint8Array
  readonly firstOrphans: number[]
}

function linkParents<Id>(
  spans: TreeSpans<Id>,
  byStart: Uint32Array,
  { index, shownAs }: { index: IdIndex<Id>; shownAs: Int32Array },
): Links {
  const { count, ids, parentIds, noId } = spans
  const shared = new SharedIds(spans, byStart, { index, shownAs })
  const standIns = new Map<Id, number>()
  const firstOrphans: number[] = []
  // There are no more stand-ins than spans.
  const parents = new Int32Array(count * 2).fill(-1)
  const reasons = new Uint8Array(count * 2)
  for (const span of byStart) {
    if (shownAs[span] !== span) continue
    const parentId = parentIds[span]!
    const callerHalf = shared.callerHalfOf(span)
    if (callerHalf >= 0) parents[span] = callerHalf
    else if (parentId === noId) reasons[span] = topReasons.noParentId
    else if (parentId === ids[span]) reasons[span] = topReasons.ownParent
    else {
      let parent = shared.parentOf(span)
      if (parent < 0) parent = standIns.get(parentId) ?? count + firstOrphans.push(span) - 1
      if (parent >= count) {
        standIns.set(parentId, parent)
        reasons[parent] = topReasons.missingParent
      }
      parents[span] = parent
    }
  }
  const size = count + firstOrphans.length
  return { parents: parents.slice(0, size), reasons: reasons.slice(0, size), firstOrphans }
}

/** Goes up from every span once; a walk that meets its own steps has found a ring. */
function cutRings({ count, ids, starts }: TreeSpans<unknown>, { parents, reasons }: Links): void {
  const walkOf = new Int32Array(parents.length)
  for (let span = 0; span < count; span++) {
    const walk = span + 1
    let at = span
    while (at >= 0 && walkOf[at] === 0) {
      walkOf[at] = walk
      at = parents[at]!
    }
    if (at < 0 || walkOf[at] !== walk) continue
    let first = -1
    for (let member = at, isStart = true; isStart || member !== at; member = parents[member]!, isStart = false) {
      // The halves of one call stay together.
      if (ids[member] === ids[parents[member]!]) continue
      if (first < 0 || starts[member]! < starts[first]! || (starts[member] === starts[first] && member < first))
        first = member
    }
    parents[first] = -1
    reasons[first] = topReasons.ringCut
  }
}

/** Every entry in the order of siblings: spans that are shown by start, then the stand-ins. */
function inOrder(byStart: Uint32Array, shownAs: Int32Array, size: number): Uint32Array {
  const shown = byStart.filter((span) => shownAs[span] === span)
  const order = new Uint32Array(shown.length + size - byStart.length)
  order.set(shown)
  for (let i = shown.length; i < order.length; i++) order[i] = byStart.length + i - shown.length
  return order
}

function gatherChildren(parents: Int32Array, order: Uint32Array): Pick<TraceTree, 'tops' | 'childStarts' | 'children'> {
  const childStarts = new Uint32Array(parents.length + 1)
  let topCount = 0
  for (const entry of order) {
    const above = parents[entry]!
    if (above < 0) topCount++
    else childStarts[above + 1]!++
  }
  for (let entry = 0; entry < parents.length; entry++) childStarts[entry + 1]! += childStarts[entry]!
  const next = childStarts.slice()
  const tops = new Int32Array(topCount)
  const children = new Int32Array(order.length - topCount)
  let top = 0
  for (const entry of order) {
    const above = parents[entry]!
    if (above < 0) tops[top++] = entry
    else children[next[above]!++] = entry
  }
  return { tops, childStarts, children }
}

function walkPreOrder(
  tree: Pick<TraceTree, 'tops' | 'childStarts' | 'children' | 'size'>,
): Pick<TraceTree, 'preOrder' | 'depths'> {
  const { tops, childStarts, children, size } = tree
  const preOrder = new Int32Array(tops.length + children.length)
  const depths = new Uint32Array(size)
  // An entry is on the stack at most once.
  const stack = new Int32Array(size)
  let height = 0
  for (let i = tops.length - 1; i >= 0; i--) stack[height++] = tops[i]!
  for (let at = 0; height > 0; at++) {
    const entry = stack[--height]!
    preOrder[at] = entry
    for (let i = childStarts[entry + 1]! - 1; i >= childStarts[entry]!; i--) {
      depths[children[i]!] = depths[entry]! + 1
      stack[height++] = children[i]!
    }
  }
  return { preOrder, depths }
}
