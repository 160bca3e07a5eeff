/** The cells of Explore's heat map as boxes in time and duration, and which traces are in a box. */
import type { TraceOverviewAnswer } from '../../../src/api/native/contract.ts'
import { printDuration } from './format.ts'
import type { Box } from './search-filters.ts'

/** The places of cells: columns in time from `startMs`, rows between bounds in nanoseconds. */
export interface HeatGrid {
  readonly startMs: number
  readonly endMs: number
  readonly bucketMs: number
  readonly columns: number
  /** One entry more than there are rows, ascending; the first may be 0. */
  readonly bounds: readonly number[]
}

/** Indexes of a column and a row. */
export interface Cell {
  readonly column: number
  readonly row: number
}

/** A highest row without an end is drawn up to 30 days, and a box in it reaches as far. */
const endlessTo = 30 * 86_400e9

function boundsOf({ rows, rowsEnd }: TraceOverviewAnswer): number[] {
  return [...rows.map(Number), rowsEnd === null ? endlessTo : Number(rowsEnd)]
}

export function heatGrid(answer: TraceOverviewAnswer): HeatGrid {
  const startMs = Date.parse(answer.start)
  const endMs = Date.parse(answer.end)
  return {
    startMs,
    endMs,
    bucketMs: answer.bucketMs,
    columns: Math.max(1, Math.ceil((endMs - startMs) / answer.bucketMs - 1e-6)),
    bounds: boundsOf(answer),
  }
}

/** A logarithmic scale has no place for 0: a lowest row that begins at 0 is drawn as high as a factor of two. */
export function lowestDrawn({ bounds }: HeatGrid): number {
  return bounds[0]! || bounds[1]! / 2
}

/** Powers of ten up to seconds, then the units of a clock. */
const roundDurations = [
  ...Array.from({ length: 11 }, (_, power) => 10 ** power),
  ...[1, 10, 60, 600, 1440, 14_400, 144_000].map((minutes) => minutes * 60e9),
]
const labelOf = (nanos: number): string =>
  printDuration(nanos)
    .replace(/\.0+ /, ' ')
    .replace(/ 00 \S+$/, '')

/** Labels of the scale, lowest first: round durations, or the bounds of the shown rows when none is in them. */
export function durationLabels(grid: HeatGrid): { nanos: number; label: string }[] {
  const [low, high] = [lowestDrawn(grid), grid.bounds.at(-1)!]
  const inside = roundDurations.filter((nanos) => nanos >= low * 0.999 && nanos <= high * 1.001)
  return (inside.length > 0 ? inside : [low, high]).map((nanos) => ({ nanos, label: labelOf(nanos) }))
}

/** The cell at a time and duration; `undefined` outside the grid. */
export function cellOf(grid: HeatGrid, ms: number, nanos: number): Cell | undefined {
  const column = Math.floor((ms - grid.startMs) / grid.bucketMs)
  const row = grid.bounds.findIndex((low, i) => nanos >= low && nanos < (grid.bounds[i + 1] ?? 0))
  return column < 0 || column >= grid.columns || row < 0 ? undefined : { column, row }
}

/** The smallest box that contains both cells. */
export function boxOf(grid: HeatGrid, a: Cell, b: Cell): Box {
  const left = grid.startMs + Math.min(a.column, b.column) * grid.bucketMs
  const right = grid.startMs + (Math.max(a.column, b.column) + 1) * grid.bucketMs
  return {
    fromMs: left,
    toMs: Math.min(grid.endMs, right),
    minNano: grid.bounds[Math.min(a.row, b.row)]!,
    maxNano: grid.bounds[Math.max(a.row, b.row) + 1]!,
  }
}

export function isInBox({ minNano, maxNano }: Box, durationNanos: number): boolean {
  return durationNanos >= minNano && durationNanos < maxNano
}

interface MsRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * A range that contains the box: both joined if they overlap, else the box with its own width around it. `undefined` if
 * `range` does.
 */
export function rangeHolding(box: Box, range: MsRange): MsRange | undefined {
  if (box.fromMs >= range.fromMs - 1 && box.toMs <= range.toMs + 1) return undefined
  const width = box.toMs - box.fromMs
  return box.fromMs < range.toMs && box.toMs > range.fromMs
    ? { fromMs: Math.min(box.fromMs, range.fromMs), toMs: Math.max(box.toMs, range.toMs) }
    : { fromMs: Math.max(0, box.fromMs - width), toMs: box.toMs + width }
}

/** Data in less than this share of the range is only a sliver on the map. */
const sliverShare = 0.2
const offeredMsMin = 1000

/** The part of the range that contains all traces, if that is only a sliver; `undefined` otherwise. */
export function rangeOfData(answer: TraceOverviewAnswer): MsRange | undefined {
  const { startMs, endMs, bucketMs, columns } = heatGrid(answer)
  let first = Infinity
  let last = -Infinity
  for (const { column, traces } of answer.cells) {
    if (traces === 0) continue
    first = Math.min(first, column)
    last = Math.max(last, column)
  }
  if (first > last || last - first + 1 >= columns * sliverShare) return undefined
  const range = { fromMs: startMs + first * bucketMs, toMs: Math.min(endMs, startMs + (last + 1) * bucketMs) }
  return range.toMs - range.fromMs < offeredMsMin ? undefined : range
}

/** Traces in the cells whose middle is in the box; exact when the box was made of cells of this answer. */
export function tracesInBox(answer: TraceOverviewAnswer, box: Box): number {
  const startMs = Date.parse(answer.start)
  const bounds = boundsOf(answer)
  return answer.cells.reduce((sum, { column, row, traces }) => {
    const ms = startMs + (column + 0.5) * answer.bucketMs
    const nanos = (bounds[row]! + bounds[row + 1]!) / 2
    return sum + (ms >= box.fromMs && ms < box.toMs && isInBox(box, nanos) ? traces : 0)
  }, 0)
}
