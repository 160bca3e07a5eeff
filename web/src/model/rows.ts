/** The rows of the waterfall, in order: the nodes that folding and the filters leave. */
import { isCritical, isSpan, spansIn } from './trace.ts'
import type { Trace, Tree } from './trace.ts'

export interface RowFilters {
  /** Only spans that the find text matches. */
  readonly found: boolean
  readonly critical: boolean
  readonly errors: boolean
  /** Only spans that took more than a tenth of the trace. */
  readonly slow: boolean
}

export const noFilters: RowFilters = { found: false, critical: false, errors: false, slow: false }
const slowShare = 0.1

export interface Rows {
  readonly nodes: Int32Array
  /** Row of each node, -1 when it is hidden. */
  readonly rowOf: Int32Array
  /** Spans that pass the filters. The other rows only show where these belong in the tree. */
  readonly matches: Uint8Array | undefined
  readonly matchCount: number
}

export interface RowsInput {
  readonly tree: Tree
  /** 1 for each node whose children are shown. */
  readonly open: Uint8Array
  readonly matches: Uint8Array | undefined
}

/** With `matches`, only matching nodes and their ancestors have rows. */
export function computeRows({ tree, open, matches }: RowsInput): Rows {
  const nodes: number[] = []
  const rowOf = new Int32Array(tree.nodeCount).fill(-1)
  const before = matches && countBefore(matches)
  for (let node = 0; node < tree.nodeCount;) {
    const end = tree.subtreeEnd[node]!
    if (before && before[end] === before[node]) {
      node = end
      continue
    }
    rowOf[node] = nodes.length
    nodes.push(node)
    node = open[node] ? node + 1 : end
  }
  return {
    nodes: Int32Array.from(nodes),
    rowOf,
    matches,
    matchCount: before ? before[tree.nodeCount]! : tree.spanCount,
  }
}

/**
 * A filter opens everything, so that matches are visible. A group stays folded if all of it matches: one row says as
 * much.
 */
export function openForMatches(tree: Tree, matches: Uint8Array): Uint8Array {
  const before = countBefore(matches)
  return Uint8Array.from(matches, (_, node) => {
    const end = tree.subtreeEnd[node]!
    const allMatch = before[end]! - before[node]! === spansIn(tree, node)
    return end > node + 1 && (isSpan(tree, node) || !allMatch) ? 1 : 0
  })
}

/** 1 for each span that passes; `undefined` when no filter is on. */
export function matchFilters(
  { tree, timing }: Trace,
  filters: RowFilters,
  found: Uint8Array | undefined,
): Uint8Array | undefined {
  const onlyFound = filters.found && found !== undefined
  if (!onlyFound && !filters.critical && !filters.errors && !filters.slow) return undefined
  const matches = new Uint8Array(tree.nodeCount)
  for (let node = 0; node < tree.nodeCount; node++) {
    const passes =
      isSpan(tree, node) &&
      (!onlyFound || found[node] === 1) &&
      (!filters.critical || isCritical(timing, node)) &&
      (!filters.errors || (tree.flags[node]! & 1) !== 0) &&
      (!filters.slow || timing.length[node]! > timing.duration * slowShare)
    matches[node] = passes ? 1 : 0
  }
  return matches
}

function countBefore(marks: Uint8Array): Uint32Array {
  const before = new Uint32Array(marks.length + 1)
  for (let i = 0; i < marks.length; i++) before[i + 1] = before[i]! + marks[i]!
  return before
}

/** For each filter, how many spans it alone would pass; the buttons show these counts. */
export function countFilters({ tree, timing }: Trace): { critical: number; errors: number; slow: number } {
  let critical = 0
  let slow = 0
  for (let node = 0; node < tree.nodeCount; node++) {
    if (!isSpan(tree, node)) continue
    if (isCritical(timing, node)) critical++
    if (timing.length[node]! > timing.duration * slowShare) slow++
  }
  return { critical, errors: tree.errorCount, slow }
}

/** The node itself or its nearest ancestor with a row; -1 when none has one. */
export function shownAncestor(tree: Tree, rows: Rows, node: number): number {
  let at = node
  while (at >= 0 && rows.rowOf[at]! < 0) at = tree.parent[at]!
  return at
}

/** The next marked node after `from` (or before it, going backwards), wrapping around; -1 when nothing is marked. */
export function nextMarked(
  marks: (node: number) => boolean,
  options: { from: number; step: 1 | -1; count: number },
): number {
  const { from, step, count } = options
  for (let i = 1; i <= count; i++) {
    const node = (((from + step * i) % count) + count) % count
    if (marks(node)) return node
  }
  return -1
}
