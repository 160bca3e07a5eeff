/**
 * How many traces match, how many have errors, how long they last, and where they are in time and duration: the count
 * line and heat map of a search. A trace is at the time of its first matching span, with the duration of the whole trace as
 * stored around the range.
 */
import type { SpanQuery } from './query.ts'

export interface OverviewSearch {
  readonly query: SpanQuery & { readonly startNs: bigint; readonly endNs: bigint }
  /** Columns in time, all of the same length. */
  readonly columns: number
}

export interface Overview {
  readonly total: number
  /** How many of them have at least one span in error. */
  readonly errorTraces: number
  /** Undefined when nothing matches. */
  readonly p50Ns: bigint | undefined
  readonly p99Ns: bigint | undefined
  readonly columnNs: bigint
  /** Lower bounds of the duration rows, ascending; from the lowest to the highest row with traces. */
  readonly rows: readonly bigint[]
  /** Upper bound of the highest of them; undefined when it has none, or there are no rows. */
  readonly rowsEndNs: bigint | undefined
  /** Only those with traces; `row` is an index into `rows`. */
  readonly cells: readonly OverviewCell[]
  /** Time of the newest match outside the range, looked for when nothing matches in it. */
  readonly lastMatchNs: bigint | undefined
}

export interface OverviewCell {
  readonly column: number
  readonly row: number
  readonly traces: number
  readonly errorTraces: number
}

/** Lower bounds: four rows a decade from 1 µs to 1000 s, and one below. */
export const durationRows: readonly bigint[] = [
  0n,
  ...Array.from({ length: 10 }, (_, decade) =>
    [10n, 18n, 32n, 56n].map((step) => step * 10n ** BigInt(decade) * 100n),
  ).flat(),
]

/** The part of the duration rows that has traces, for cells whose `row` is an index into `durationRows`. */
export function usedRows(cells: readonly OverviewCell[]): Pick<Overview, 'rows' | 'rowsEndNs' | 'cells'> {
  if (cells.length === 0) return { rows: [], rowsEndNs: undefined, cells }
  const used = cells.map(({ row }) => row)
  const lowest = Math.min(...used)
  const end = Math.max(...used) + 1
  return {
    rows: durationRows.slice(lowest, end),
    rowsEndNs: durationRows[end],
    cells: cells.map((cell) => ({ ...cell, row: cell.row - lowest })),
  }
}
