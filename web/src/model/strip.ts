/**
 * The trace at the resolution of the minimap: what runs at each pixel column and each of the first depths. Spans
 * thinner than a pixel are merged: the longest gives the colour, and an error in any of them shows. It takes one pass
 * over all spans, so it is computed again only when the width or the times change.
 */
import { isSpan } from './trace.ts'
import type { Trace } from './trace.ts'

export const stripDepths = 6

export interface Strip {
  readonly columns: number
  /** Service slot + 1 of the longest span at [depth * columns + column]; 0 where nothing runs. */
  readonly slot: Uint8Array
  /** 1 where an error starts. */
  readonly error: Uint8Array
  /**
   * 1 where the critical path runs, at [depth * columns + column]. Depths below the last shown one count as the last.
   */
  readonly critical: Uint8Array
}

export function makeStrip({ tree, timing }: Trace, columns: number): Strip {
  const slot = new Uint8Array(columns * stripDepths)
  const longest = new Float64Array(columns * stripDepths)
  const error = new Uint8Array(columns)
  const critical = new Uint8Array(columns * stripDepths)
  const scale = columns / Math.max(1, timing.duration)
  const column = (time: number): number => Math.min(columns - 1, Math.max(0, Math.floor(time * scale)))
  const spanDepth = new Uint32Array(tree.nodeCount)
  for (let node = 0; node < tree.nodeCount; node++) {
    const above = tree.parent[node]!
    spanDepth[node] = above < 0 ? 0 : spanDepth[above]! + (isSpan(tree, above) ? 1 : 0)
    if (!isSpan(tree, node)) continue
    const from = column(timing.start[node]!)
    const to = column(timing.start[node]! + timing.length[node]!)
    if (tree.flags[node]! & 1) error[from] = 1
    const railRow = Math.min(stripDepths - 1, spanDepth[node]!) * columns
    for (let i = timing.critical.first[node]!; i < timing.critical.first[node + 1]!; i++) {
      critical.fill(1, railRow + column(timing.critical.from[i]!), railRow + column(timing.critical.to[i]!) + 1)
    }
    if (spanDepth[node]! >= stripDepths) continue
    const row = spanDepth[node]! * columns
    const weight = timing.length[node]! + 1
    const colour = tree.colours[tree.service[node]!]!.slot + 1
    for (let x = row + from; x <= row + to; x++) {
      if (weight <= longest[x]!) continue
      longest[x] = weight
      slot[x] = colour
    }
  }
  return { columns, slot, error, critical }
}
