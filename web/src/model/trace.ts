/**
 * One trace, laid out for drawing: columns indexed by node. Nodes are numbered in pre-order, so the subtree of `node`
 * is the range [node, subtreeEnd[node]) and folding skips it at once. A node is a span, a group of similar siblings, or
 * a stand-in for a parent that never arrived. Times are nanoseconds from the trace's start.
 *
 * Bytes per node, without events: 8+8+8+4+4+2+4+4+4+4+8 = 58, and 16 for each covered or critical range.
 */
import type { ServiceColour } from './colour.ts'

export const nodeFlags = {
  error: 1,
  /** Nobody waits for it: it starts after its parent ended, outlives it, or consumes what its parent produced. */
  async: 2,
  hasLinks: 4,
  /** The span was sent without an end. */
  unfinished: 8,
  group: 16,
  missingParent: 32,
  /** Its clock disagrees with its parent's: by the times sent it would start before its cause. */
  skewed: 64,
  hasExceptions: 128,
} as const

/** The part that stays the same when clock skew is adjusted. */
export interface Tree {
  readonly traceId: string
  /** Start of the earliest span, nanoseconds since the epoch. */
  readonly startNano: bigint
  readonly nodeCount: number
  readonly spanCount: number
  readonly errorCount: number
  readonly names: readonly string[]
  readonly services: readonly string[]
  readonly colours: readonly ServiceColour[]
  readonly spanIds: BigUint64Array
  readonly name: Uint32Array
  readonly service: Uint16Array
  readonly kind: Uint8Array
  readonly flags: Uint8Array
  /** -1 for a root. */
  readonly parent: Int32Array
  readonly depth: Uint32Array
  readonly subtreeEnd: Int32Array
  /** Number of spans with an error in nodes before this one; `nodeCount + 1` entries. */
  readonly errorsBefore: Uint32Array
  /** Number of spans in nodes before this one; `nodeCount + 1` entries. */
  readonly spansBefore: Uint32Array
  /** Offset of a node's first event in `events`; `nodeCount + 1` entries. */
  readonly eventStart: Uint32Array
  readonly events: Float64Array
  /** Milliseconds by which each skewed service would be moved. */
  readonly skews: readonly { readonly service: string; readonly shift: number; readonly spans: number }[]
  /** Oddities of the tree, each with the first node concerned. */
  readonly notes: readonly { readonly text: string; readonly why: string; readonly node: number }[]
}

/** Time ranges per node: those of `node` are entries [first[node], first[node + 1]) of `from` and `to`, ascending. */
export interface Stretches {
  readonly first: Uint32Array
  readonly from: Float64Array
  readonly to: Float64Array
}

/** Values computed from the times; there are two versions, raw and adjusted for skew. */
export interface Timing {
  readonly duration: number
  readonly start: Float64Array
  readonly length: Float64Array
  /** Time in which no child ran; for a group, the sum over its members. */
  readonly self: Float64Array
  /** When children of a node ran. */
  readonly covered: Stretches
  /** When the trace waited for exactly this span. */
  readonly critical: Stretches
}

export interface Trace {
  readonly tree: Tree
  readonly timing: Timing
}

export function has(tree: Tree, node: number, flag: number): boolean {
  return (tree.flags[node]! & flag) !== 0
}

export function isSpan(tree: Tree, node: number): boolean {
  return (tree.flags[node]! & (nodeFlags.group | nodeFlags.missingParent)) === 0
}

export function hasChildren(tree: Tree, node: number): boolean {
  return tree.subtreeEnd[node]! > node + 1
}

/** Number of spans with an error in the subtree, including the node itself. */
export function errorsIn(tree: Tree, node: number): number {
  return tree.errorsBefore[tree.subtreeEnd[node]!]! - tree.errorsBefore[node]!
}

export function spansIn(tree: Tree, node: number): number {
  return tree.spansBefore[tree.subtreeEnd[node]!]! - tree.spansBefore[node]!
}

export function isCritical(timing: Timing, node: number): boolean {
  return timing.critical.first[node + 1]! > timing.critical.first[node]!
}

/** Total length of a node's time ranges. */
export function totalOf(stretches: Stretches, node: number): number {
  let total = 0
  for (let i = stretches.first[node]!; i < stretches.first[node + 1]!; i++)
    total += stretches.to[i]! - stretches.from[i]!
  return total
}

function spanIdText(id: bigint): string {
  return id.toString(16).padStart(16, '0')
}

/**
 * Short, stable name of a node in URLs: the span id. Groups and missing parents have a letter before the id of their
 * first span. If several spans share an id, such as the halves of a Zipkin call, the key of the second ends in `_2`.
 */
export function nodeKey(tree: Tree, node: number): string {
  const letter = has(tree, node, nodeFlags.group) ? 'g' : has(tree, node, nodeFlags.missingParent) ? 'm' : ''
  let number = 1
  for (const other of nodesOf(tree, tree.spanIds[node]!, letter)) {
    if (other === node) break
    number++
  }
  return letter + spanIdText(tree.spanIds[node]!) + (number > 1 ? `_${number}` : '')
}

/** The node of a key; -1 when the trace has no such node. */
export function findNode(tree: Tree, key: string): number {
  const match = /^([gm]?)([0-9a-f]{16})(?:_(\d{1,9}))?$/.exec(key)
  if (!match) return -1
  let number = Number(match[3] ?? 1)
  for (const node of nodesOf(tree, BigInt('0x' + match[2]), match[1]!)) if (--number === 0) return node
  return -1
}

function* nodesOf(tree: Tree, id: bigint, letter: string): Generator<number> {
  const wanted = letter === 'g' ? nodeFlags.group : letter === 'm' ? nodeFlags.missingParent : 0
  for (let node = tree.spanIds.indexOf(id); node >= 0; node = tree.spanIds.indexOf(id, node + 1))
    if ((tree.flags[node]! & (nodeFlags.group | nodeFlags.missingParent)) === wanted) yield node
}

/** Direct children of a node. */
export function* childrenOf(tree: Tree, node: number): Generator<number> {
  for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!) yield child
}

/** The children of a span, with a group replaced by its members. */
export function childSpans(tree: Tree, node: number): number[] {
  const children: number[] = []
  for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!) {
    if (!(tree.flags[child]! & nodeFlags.group)) children.push(child)
    else
      for (let member = child + 1; member < tree.subtreeEnd[child]!; member = tree.subtreeEnd[member]!)
        children.push(member)
  }
  return children
}

/** `shop POST /pay`, `cart SELECT ×37`, `missing parent`. */
export function nodeTitle(tree: Tree, node: number): string {
  if (has(tree, node, nodeFlags.missingParent)) return 'missing parent'
  const title = `${tree.services[tree.service[node]!]} ${tree.names[tree.name[node]!]}`
  return has(tree, node, nodeFlags.group) ? `${title} ×${groupSize(tree, node)}` : title
}

export function groupSize(tree: Tree, node: number): number {
  let size = 0
  for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!) size++
  return size
}
