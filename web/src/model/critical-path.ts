/**
 * The critical path. It is found by walking back from the end of a root: each moment belongs to the span that the root
 * was waiting for. Among the children that ended before the current moment, the walk follows the one that ended last.
 *
 * A child that outlives its parent counts up to the parent's end, and so does everything below it, because clocks of
 * whole milliseconds often make a child end after its parent. A child that starts after its parent ended does not
 * count.
 */
import { childSpans, nodeFlags } from './trace.ts'
import type { Stretches, Tree } from './trace.ts'

interface Segment {
  readonly node: number
  readonly from: number
  readonly to: number
}

export function findCriticalPath(tree: Tree, start: Float64Array, length: Float64Array): Stretches {
  const segments: Segment[] = []
  for (let root = 0; root < tree.nodeCount; root = tree.subtreeEnd[root]!) {
    if (tree.flags[root]! & nodeFlags.missingParent) continue
    walk(tree, { start, length }, { node: root, from: start[root]!, to: start[root]! + length[root]! }, segments)
  }
  return group(segments, tree.nodeCount)
}

function walk(tree: Tree, times: { start: Float64Array; length: Float64Array }, root: Segment, found: Segment[]): void {
  const { start, length } = times
  const stack = [root]
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    const { node, from, to } = task
    // `to` is the end of the node, or the end of a span above it.
    const end = (child: number): number => Math.min(start[child]! + length[child]!, to)
    const children = childSpans(tree, node).filter(
      (child) => length[child]! > 0 && start[child]! < to && end(child) > from,
    )
    children.sort((a, b) => end(b) - end(a) || start[a]! - start[b]!)
    let at = to
    for (const child of children) {
      const childEnd = end(child)
      if (at <= from) break
      if (childEnd > at) continue
      if (childEnd < at) found.push({ node, from: childEnd, to: at })
      stack.push({ node: child, from: Math.max(from, start[child]!), to: childEnd })
      at = Math.max(from, start[child]!)
    }
    if (at > from) found.push({ node, from, to: at })
  }
}

function group(segments: Segment[], nodeCount: number): Stretches {
  segments.sort((a, b) => a.node - b.node || a.from - b.from)
  const first = new Uint32Array(nodeCount + 1)
  for (const { node } of segments) first[node + 1]!++
  for (let node = 0; node < nodeCount; node++) first[node + 1]! += first[node]!
  return {
    first,
    from: Float64Array.from(segments, ({ from }) => from),
    to: Float64Array.from(segments, ({ to }) => to),
  }
}
