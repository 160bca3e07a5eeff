/**
 * A trace laid out for the waterfall. The tree comes from src/model/trace/trace-tree.ts; here similar siblings are
 * grouped, nodes are numbered in pre-order, and the columns for drawing are filled.
 */
import { buildTraceTree } from '../../../src/model/trace/trace-tree.ts'
import type { TraceTree } from '../../../src/model/trace/trace-tree.ts'
import { treeNotes } from '../../../src/model/trace/tree-notes.ts'
import { assignColours } from './colour.ts'
import { kinds } from './otlp-json.ts'
import { estimateSkew } from './skew.ts'
import type { SpanList } from './span-list.ts'
import { parseUnixNano } from './time.ts'
import { nodeFlags } from './trace.ts'
import type { Tree } from './trace.ts'

/** This many siblings with the same service and name become a group. */
const groupMin = 5

const none = -1

export interface Layout {
  readonly tree: Tree
  /** Index into the span list for each node; -1 for groups and missing parents. */
  readonly source: Int32Array
  /** Nanoseconds to add to each span of the list to undo clock skew. */
  readonly shift: Float64Array
}

/** The tree and its groups. Items [0, spans.count) are spans; then come the missing parents, then the groups. */
interface Draft {
  readonly list: SpanList
  readonly spans: TraceTree
  /** Parent item, -1 for none; the parent of a member is its group. */
  readonly parent: Int32Array
  /** Members of each group, by start. */
  readonly groups: (readonly number[])[]
  readonly preOrder: Int32Array
}

export function buildTree(list: SpanList): Layout {
  const spans = buildTraceTree({
    count: list.count,
    ids: list.id,
    parentIds: list.parentId,
    noId: 0n,
    kinds: list.kind,
    starts: list.start,
    lengths: list.length,
    names: list.name,
    services: list.service,
  })
  // The clock of a parent that never arrived is unknown.
  const linked = spans.parents.map((parent) => (parent < list.count ? parent : none))
  return describe(groupAndNumber(list, spans), estimateSkew(list, linked))
}

/** Pre-order; a group takes the place of its first member. */
function groupAndNumber(list: SpanList, spans: TraceTree): Draft {
  const groups: (readonly number[])[] = []
  const parent = new Int32Array(spans.size + Math.floor(list.count / groupMin)).fill(none)
  parent.set(spans.parents)
  const preOrder: number[] = []
  const stack = Array.from(spans.tops).reverse()
  const push = (items: readonly number[]): void => {
    for (let i = items.length - 1; i >= 0; i--) stack.push(items[i]!)
  }
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    preOrder.push(item)
    if (item >= spans.size) {
      push(groups[item - spans.size]!)
      continue
    }
    const [from, to] = [spans.childStarts[item]!, spans.childStarts[item + 1]!]
    if (to - from < groupMin) {
      for (let i = to - 1; i >= from; i--) stack.push(spans.children[i]!)
      continue
    }
    push(
      groupLikeSiblings(list, spans.children.subarray(from, to), (members) => {
        const group = spans.size + groups.push(members) - 1
        parent[group] = item
        for (const member of members) parent[member] = group
        return group
      }),
    )
  }
  return { list, spans, parent, groups, preOrder: Int32Array.from(preOrder) }
}

/** The children to show. `addGroup` returns the item of a group of five or more similar children. */
function groupLikeSiblings(
  { service, name }: SpanList,
  children: Int32Array,
  addGroup: (members: readonly number[]) => number,
): number[] {
  const keyOf = (span: number): number => service[span]! * 2 ** 32 + name[span]!
  const alike = new Map<number, number[]>()
  for (const span of children) {
    const members = alike.get(keyOf(span))
    if (members) members.push(span)
    else alike.set(keyOf(span), [span])
  }
  const shown: number[] = []
  for (const span of children) {
    const members = alike.get(keyOf(span))!
    if (members.length < groupMin) shown.push(span)
    else if (members[0] === span) shown.push(addGroup(members))
  }
  return shown
}

function describe(draft: Draft, skew: ReturnType<typeof estimateSkew>): Layout {
  const { list, spans, groups, preOrder } = draft
  const nodeCount = preOrder.length
  const columns = {
    spanIds: new BigUint64Array(nodeCount),
    name: new Uint32Array(nodeCount),
    service: new Uint16Array(nodeCount),
    kind: new Uint8Array(nodeCount),
    flags: new Uint8Array(nodeCount),
    parent: new Int32Array(nodeCount).fill(none),
    depth: new Uint32Array(nodeCount),
    subtreeEnd: new Int32Array(nodeCount),
    errorsBefore: new Uint32Array(nodeCount + 1),
    spansBefore: new Uint32Array(nodeCount + 1),
    eventStart: new Uint32Array(nodeCount + 1),
  }
  const source = new Int32Array(nodeCount)
  const nodeOf = new Int32Array(draft.parent.length)
  const events: number[] = []
  preOrder.forEach((item, node) => {
    nodeOf[item] = node
    const isReal = item < list.count
    const isGroup = item >= spans.size
    const span = isReal ? item : isGroup ? groups[item - spans.size]![0]! : spans.firstOrphans[item - list.count]!
    source[node] = isReal ? item : none
    columns.spanIds[node] = list.id[span]!
    columns.name[node] = list.name[span]!
    columns.service[node] = list.service[span]!
    columns.kind[node] = list.kind[span]!
    const above = draft.parent[item]!
    columns.parent[node] = above === none ? none : nodeOf[above]!
    columns.depth[node] = above === none ? 0 : columns.depth[nodeOf[above]!]! + 1
    columns.flags[node] = isReal
      ? spanFlags(list, item) | (skew.isSkewed[item] ? nodeFlags.skewed : 0)
      : isGroup
        ? nodeFlags.group
        : nodeFlags.missingParent
    if (isReal)
      for (const event of list.sources[item]!.span.events ?? [])
        events.push(Number(parseUnixNano(event.timeUnixNano) - list.startNano))
    columns.eventStart[node + 1] = events.length
    columns.spansBefore[node + 1] = columns.spansBefore[node]! + (isReal ? 1 : 0)
    columns.errorsBefore[node + 1] = columns.errorsBefore[node]! + (isReal ? list.isError[item]! : 0)
  })
  endSubtrees(columns)
  markAsync(columns, list, source)
  const seen = servicesInOrder(columns.service, list.services)
  const tree: Tree = {
    ...columns,
    service: seen.service,
    services: seen.names,
    colours: assignColours(seen.names),
    names: list.names,
    traceId: list.traceId,
    startNano: list.startNano,
    nodeCount,
    spanCount: columns.spansBefore[nodeCount]!,
    errorCount: columns.errorsBefore[nodeCount]!,
    events: Float64Array.from(events),
    skews: skew.services,
    notes: treeNotes(spans).map(({ text, why, entry }) => ({
      text,
      why,
      node: nodeOf[spans.shownAs[entry] ?? entry]!,
    })),
  }
  return { tree, source, shift: skew.shift }
}

function endSubtrees({ parent, subtreeEnd }: { parent: Int32Array; subtreeEnd: Int32Array }): void {
  for (let node = parent.length - 1; node >= 0; node--) {
    subtreeEnd[node] = Math.max(subtreeEnd[node]!, node + 1)
    const above = parent[node]!
    if (above !== none) subtreeEnd[above] = Math.max(subtreeEnd[above]!, subtreeEnd[node]!)
  }
}

function spanFlags(list: SpanList, i: number): number {
  const { span } = list.sources[i]!
  const exceptions = span.events?.some(({ name }) => name === 'exception') ?? false
  return (
    (list.isError[i] ? nodeFlags.error : 0) |
    (list.unfinished[i] ? nodeFlags.unfinished : 0) |
    ((span.links?.length ?? 0) > 0 ? nodeFlags.hasLinks : 0) |
    (exceptions ? nodeFlags.hasExceptions : 0)
  )
}

function markAsync(columns: Pick<Tree, 'parent' | 'flags' | 'kind'>, list: SpanList, source: Int32Array): void {
  for (let node = 0; node < source.length; node++) {
    let above = columns.parent[node]!
    if (above !== none && columns.flags[above]! & nodeFlags.group) above = columns.parent[above]!
    if (above === none || source[node]! < 0 || source[above]! < 0) continue
    const [span, parent] = [source[node]!, source[above]!]
    const parentEnd = list.start[parent]! + list.length[parent]!
    const isConsumer = columns.kind[node] === kinds.consumer && columns.kind[above] === kinds.producer
    const outlives = list.start[span]! + list.length[span]! > parentEnd && list.length[parent]! > 0
    const isSkewed = (columns.flags[node]! & nodeFlags.skewed) !== 0
    if (isConsumer || (!isSkewed && (outlives || list.start[span]! > parentEnd)))
      columns.flags[node]! |= nodeFlags.async
  }
}

function servicesInOrder(service: Uint16Array, names: readonly string[]): { service: Uint16Array; names: string[] } {
  const order = new Map<number, number>()
  const renumbered = service.map((old) => {
    if (!order.has(old)) order.set(old, order.size)
    return order.get(old)!
  })
  return { service: renumbered, names: [...order.keys()].map((old) => names[old]!) }
}
