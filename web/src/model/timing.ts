/** Times of every node: length, when children ran, self time, critical path; raw or adjusted for clock skew. */
import { findCriticalPath } from './critical-path.ts'
import type { SpanList } from './span-list.ts'
import { childSpans, nodeFlags } from './trace.ts'
import type { Stretches, Timing, Tree } from './trace.ts'
import type { Layout } from './tree.ts'

export function computeTiming(list: SpanList, layout: Layout, adjusted: boolean): Timing {
  const { tree, source, shift } = layout
  const start = new Float64Array(tree.nodeCount)
  const length = new Float64Array(tree.nodeCount)
  for (let node = tree.nodeCount - 1; node >= 0; node--) {
    const span = source[node]!
    if (span >= 0) {
      start[node] = list.start[span]! + (adjusted ? shift[span]! : 0)
      length[node] = list.length[span]!
    } else envelop(tree, node, start, length)
  }
  let duration = 0
  for (let node = 0; node < tree.nodeCount; node++) duration = Math.max(duration, start[node]! + length[node]!)
  const covered = coverByChildren(tree, start, length)
  const self = new Float64Array(tree.nodeCount)
  for (let node = tree.nodeCount - 1; node >= 0; node--) {
    if (source[node]! < 0) {
      if (!(tree.flags[node]! & nodeFlags.group)) continue
      for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!)
        self[node]! += self[child]!
      continue
    }
    self[node] = length[node]!
    for (let i = covered.first[node]!; i < covered.first[node + 1]!; i++)
      self[node]! -= covered.to[i]! - covered.from[i]!
  }
  return { duration, start, length, self, covered, critical: findCriticalPath(tree, start, length) }
}

/** A group or missing parent lasts from the first start to the last end of the spans below it. */
function envelop(tree: Tree, node: number, start: Float64Array, length: Float64Array): void {
  let from = Infinity
  let to = -Infinity
  for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!) {
    from = Math.min(from, start[child]!)
    to = Math.max(to, start[child]! + length[child]!)
  }
  start[node] = from
  length[node] = to - from
}

function coverByChildren(tree: Tree, start: Float64Array, length: Float64Array): Stretches {
  const first = new Uint32Array(tree.nodeCount + 1)
  const from: number[] = []
  const to: number[] = []
  for (let node = 0; node < tree.nodeCount; node++) {
    const isSynthetic = tree.flags[node]! & (nodeFlags.group | nodeFlags.missingParent)
    if (tree.subtreeEnd[node]! > node + 1 && !isSynthetic) {
      const low = start[node]!
      const high = low + length[node]!
      const children = childSpans(tree, node).sort((a, b) => start[a]! - start[b]!)
      for (const child of children) {
        const a = Math.max(low, start[child]!)
        const b = Math.min(high, start[child]! + length[child]!)
        if (b <= a) continue
        const last = from.length - 1
        if (last >= first[node]! && a <= to[last]!) to[last] = Math.max(to[last]!, b)
        else {
          from.push(a)
          to.push(b)
        }
      }
    }
    first[node + 1] = from.length
  }
  return { first, from: Float64Array.from(from), to: Float64Array.from(to) }
}
