/**
 * The tree of a trace, in named passes: link parents, gather orphans, break cycles, sort siblings, group like siblings,
 * number in pre-order. Nothing is dropped: a span whose parent never came hangs under a stand-in, one in a cycle is cut
 * loose at its earliest span.
 */
import { assignColours } from './colour.ts'
import { kinds } from './otlp-json.ts'
import { estimateSkew } from './skew.ts'
import type { SpanList } from './span-list.ts'
import { parseUnixNano } from './time.ts'
import { nodeFlags } from './trace.ts'
import type { Tree } from './trace.ts'

/** Siblings of one service and name become a group from this many on. */
const groupMin = 5

const none = -1

/** A tree under construction: entries [0, spanCount) are spans, later ones groups and missing parents. */
interface Draft {
  readonly list: SpanList
  readonly parent: number[]
  readonly children: Map<number, number[]>
  readonly synthetic: { readonly flag: number; readonly first: number }[]
}

export interface Layout {
  readonly tree: Tree
  /** Index into the span list for each node; -1 for groups and missing parents. */
  readonly source: Int32Array
  /** Nanoseconds to add to each span of the list to undo clock skew. */
  readonly shift: Float64Array
}

export function buildTree(list: SpanList): Layout {
  const draft: Draft = { list, parent: linkParents(list), children: new Map(), synthetic: [] }
  const linked = Int32Array.from(draft.parent)
  addMissingParents(draft)
  linkChildren(draft)
  breakCycles(draft)
  const order = (a: number, b: number): number => startOf(draft, a) - startOf(draft, b) || a - b
  for (const siblings of draft.children.values()) siblings.sort(order)
  // A copy: grouping adds entries, and a group must not be grouped again.
  const parents = [...draft.children.keys()]
  for (const parent of parents) groupLikeSiblings(draft, parent)
  const preOrder = numberInPreOrder(draft)
  return describe(draft, preOrder, estimateSkew(list, linked))
}

function linkParents(list: SpanList): number[] {
  const index = new Map<bigint, number>()
  for (let i = 0; i < list.count; i++) if (!index.has(list.id[i]!)) index.set(list.id[i]!, i)
  return Array.from({ length: list.count }, (_, i) => {
    const parentId = list.parentId[i]!
    if (parentId === 0n || parentId === list.id[i]) return none
    return index.get(parentId) ?? none
  })
}

function addSynthetic(draft: Draft, flag: number, first: number): number {
  draft.synthetic.push({ flag, first })
  return draft.parent.push(none) - 1
}

/** Orphans of one parent id share one stand-in; a span that names itself as parent counts as a root. */
function addMissingParents(draft: Draft): void {
  const { list } = draft
  const standIns = new Map<bigint, number>()
  const byStart = Array.from({ length: list.count }, (_, i) => i).sort((a, b) => list.start[a]! - list.start[b]!)
  for (const i of byStart) {
    const parentId = list.parentId[i]!
    if (draft.parent[i] !== none || parentId === 0n || parentId === list.id[i]) continue
    const standIn = standIns.get(parentId) ?? addSynthetic(draft, nodeFlags.missingParent, i)
    standIns.set(parentId, standIn)
    draft.parent[i] = standIn
  }
}

function linkChildren({ parent, children }: Draft): void {
  parent.forEach((above, node) => {
    const siblings = children.get(above)
    if (siblings) siblings.push(node)
    else children.set(above, [node])
  })
}

function breakCycles(draft: Draft): void {
  const reached = new Uint8Array(draft.parent.length)
  const visit = (root: number): void => {
    const stack = [root]
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (reached[node]) continue
      reached[node] = 1
      stack.push(...(draft.children.get(node) ?? []))
    }
  }
  const roots = draft.children.get(none) ?? []
  roots.forEach(visit)
  const lost = draft.parent.map((_, node) => node).filter((node) => !reached[node])
  lost.sort((a, b) => startOf(draft, a) - startOf(draft, b))
  for (const node of lost) {
    if (reached[node]) continue
    const siblings = draft.children.get(draft.parent[node]!)!
    siblings.splice(siblings.indexOf(node), 1)
    draft.parent[node] = none
    roots.push(node)
    visit(node)
  }
  draft.children.set(none, roots)
}

/** Missing parents stand below everything that has a root. */
function startOf({ list, synthetic }: Draft, node: number): number {
  if (node < list.count) return list.start[node]!
  const { flag, first } = synthetic[node - list.count]!
  return flag === nodeFlags.missingParent ? Number.MAX_VALUE : list.start[first]!
}

/** A group takes the place of its first member. */
function groupLikeSiblings(draft: Draft, parent: number): void {
  const siblings = draft.children.get(parent)!
  if (parent === none || siblings.length < groupMin) return
  const { list } = draft
  const alike = new Map<number, number[]>()
  for (const node of siblings) {
    const key = list.service[node]! * 2 ** 32 + list.name[node]!
    const members = alike.get(key)
    if (members) members.push(node)
    else alike.set(key, [node])
  }
  const grouped = new Set<number>()
  const shown: number[] = []
  for (const node of siblings) {
    const members = alike.get(list.service[node]! * 2 ** 32 + list.name[node]!)!
    if (members.length < groupMin) shown.push(node)
    else if (!grouped.has(members[0]!)) {
      const group = addSynthetic(draft, nodeFlags.group, node)
      draft.parent[group] = parent
      for (const member of members) draft.parent[member] = group
      draft.children.set(group, members)
      grouped.add(members[0]!)
      shown.push(group)
    }
  }
  draft.children.set(parent, shown)
}

function numberInPreOrder({ children }: Draft): number[] {
  const preOrder: number[] = []
  const stack = [...(children.get(none) ?? [])].reverse()
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    preOrder.push(node)
    const below = children.get(node) ?? []
    for (let i = below.length - 1; i >= 0; i--) stack.push(below[i]!)
  }
  return preOrder
}

function describe(draft: Draft, preOrder: readonly number[], skew: ReturnType<typeof estimateSkew>): Layout {
  const { list, synthetic } = draft
  const nodeCount = preOrder.length
  const columns = {
    spanIds: new BigUint64Array(nodeCount),
    name: new Uint32Array(nodeCount),
    service: new Uint16Array(nodeCount),
    kind: new Uint8Array(nodeCount),
    flags: new Uint8Array(nodeCount),
    parent: new Int32Array(nodeCount).fill(none),
    depth: new Uint16Array(nodeCount),
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
    const span = isReal ? item : synthetic[item - list.count]!.first
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
      : synthetic[item - list.count]!.flag
    if (isReal)
      for (const event of list.sources[item]!.span.events ?? [])
        events.push(Number(parseUnixNano(event.timeUnixNano) - list.startNano))
    columns.eventStart[node + 1] = events.length
    columns.spansBefore[node + 1] = columns.spansBefore[node]! + (isReal ? 1 : 0)
    columns.errorsBefore[node + 1] = columns.errorsBefore[node]! + (isReal ? list.isError[item]! : 0)
  })
  for (let node = nodeCount - 1; node >= 0; node--) {
    columns.subtreeEnd[node] = Math.max(columns.subtreeEnd[node]!, node + 1)
    const above = columns.parent[node]!
    if (above !== none) columns.subtreeEnd[above] = Math.max(columns.subtreeEnd[above]!, columns.subtreeEnd[node]!)
  }
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
    spanCount: list.count,
    errorCount: columns.errorsBefore[nodeCount]!,
    events: Float64Array.from(events),
    skews: skew.services,
    orphanCount: source.reduce(
      (sum, _, node) =>
        sum + (columns.flags[node]! & nodeFlags.missingParent ? countChildren(columns.subtreeEnd, node) : 0),
      0,
    ),
  }
  return { tree, source, shift: skew.shift }
}

function countChildren(subtreeEnd: Int32Array, node: number): number {
  let count = 0
  for (let child = node + 1; child < subtreeEnd[node]!; child = subtreeEnd[child]!) count++
  return count
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
