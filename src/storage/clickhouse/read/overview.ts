/**
 * How many traces match, how many have errors, how long they last, and where they lie in time and duration: the count
 * line and heat map of a search. A trace stands at the time of its first matching span, with the duration of the whole
 * trace as stored around the range.
 */
import { isSelective, type SpanFilter } from '../../../model/span-filter.ts'
import type { Engine } from '../engine.ts'
import { clamp } from '../rollup/intervals.ts'
import { spanConditions, type Conditions, type KeyFacts } from './conditions.ts'
import { noFacts, type FigureContext } from './figure-source.ts'
import { durationRows, usedRows, type Overview } from '../../../model/overview.ts'
import { nanosOf } from './rows.ts'

export type RangedFilter = SpanFilter & { readonly startNs: bigint; readonly endNs: bigint }

export interface OverviewQuery {
  readonly filter: RangedFilter
  /** Columns in time, all of the same length. */
  readonly columns: number
  readonly signal?: AbortSignal
}

/** Rows of `traces` this far outside the range still count for a trace's duration. */
const marginNs = 3_600_000_000_000n

/** Past this, the rows of traces that match are looked up rather than all of the range read. */
const longRangeNs = 6n * marginNs
/** What a search for the newest match may take before it is given up. */
const lastMatchSeconds = 2

type OverviewRow = readonly [
  total: string,
  failed: string,
  quantiles: number[],
  cells: readonly [places: string[], traces: string[], errors: string[]],
]

export async function readOverview(context: FigureContext, query: OverviewQuery): Promise<Overview> {
  const { filter, columns, signal } = query
  const facts = context.facts ?? noFacts
  const columnNs = (filter.endNs - filter.startNs + BigInt(columns) - 1n) / BigInt(columns)
  const conditions = spanConditions(filter, facts)
  const start = conditions.bind(filter.startNs, 'Int64')
  const row = `arrayLastIndex(bound -> bound <= d, [${durationRows.join(', ')}]) - 1`
  // Unsigned, as between the first and the last time there are more nanoseconds than a signed integer counts.
  const place = `intDiv(toUInt64(${nanosOf('t')} - ${start}), ${columnNs}) * ${durationRows.length} + ${row}`
  const [found] = await context.engine.query<OverviewRow>(
    `SELECT count(), countIf(failed), quantilesTDigest(0.5, 0.99)(d),
       sumMap([toUInt32(${place})], [toUInt64(1)], [toUInt64(failed)])
     FROM (${tracesSql(filter, conditions)})`,
    { parameters: conditions.parameters, signal },
  )
  const [total, failed, quantiles, cells] = found!
  const none = total === '0'
  return {
    total: Number(total),
    errorTraces: Number(failed),
    p50Ns: none ? undefined : BigInt(Math.round(quantiles[0]!)),
    p99Ns: none ? undefined : BigInt(Math.round(quantiles[1]!)),
    columnNs,
    ...cellsOf(cells),
    lastMatchNs: none ? await readLastMatch(context.engine, { filter, facts, signal }) : undefined,
  }
}

/** SQL giving (trace_id, t, d, failed) of every trace that matches. */
function tracesSql(filter: RangedFilter, conditions: Conditions): string {
  const near = (column: string): string =>
    `${column} >= ${conditions.bind(clamp(filter.startNs - marginNs), 'DateTime64(9)')}
     AND ${column} < ${conditions.bind(clamp(filter.endNs + marginNs), 'DateTime64(9)')}`
  const figures = `${nanosOf('max(end_time)')} - ${nanosOf('min(start_time)')} AS d, sum(error_count) > 0 AS failed`
  if (!isSelective(filter)) {
    const matches = conditions.sql.join(' AND ')
    return `SELECT trace_id, minIf(start_time, ${matches}) AS t, ${figures} FROM traces
      WHERE ${near('start_time')} GROUP BY trace_id HAVING countIf(${matches}) > 0`
  }
  const matches = `SELECT trace_id, min(start_time) AS first_match FROM spans ${conditions.where()} GROUP BY trace_id`
  const known =
    filter.endNs - filter.startNs > longRangeNs ? ` AND trace_id IN (SELECT trace_id FROM (${matches}))` : ''
  // A match starts and ends at a time within its trace, so it changes no duration.
  return `SELECT trace_id, minIf(start_time, matches) AS t, ${figures} FROM (
      SELECT trace_id, first_match AS start_time, first_match AS end_time, toUInt32(0) AS error_count, true AS matches FROM (${matches})
      UNION ALL
      SELECT trace_id, start_time, end_time, error_count, false FROM traces WHERE ${near('start_time')}${known}
    ) GROUP BY trace_id HAVING max(matches)`
}

function cellsOf([places, traces, errors]: OverviewRow[3]): Pick<Overview, 'rows' | 'rowsEndNs' | 'cells'> {
  return usedRows(
    places.map((text, i) => {
      const place = Number(text)
      const row = place % durationRows.length
      return {
        column: (place - row) / durationRows.length,
        row,
        traces: Number(traces[i]),
        errorTraces: Number(errors[i]),
      }
    }),
  )
}

interface LastMatchQuery {
  readonly filter: RangedFilter
  readonly facts: KeyFacts
  readonly signal: AbortSignal | undefined
}

/** Newest found within the time for it; the search is over everything stored. */
async function readLastMatch(engine: Engine, { filter, facts, signal }: LastMatchQuery): Promise<bigint | undefined> {
  const { startNs: _start, endNs: _end, ...anyTime } = filter
  const conditions = spanConditions(anyTime, facts)
  const table = isSelective(filter) ? 'spans' : 'traces'
  const [row] = await engine.query<[string | null]>(
    `SELECT ${nanosOf('maxOrNull(start_time)')} FROM ${table} ${conditions.where()}`,
    {
      parameters: conditions.parameters,
      settings: { max_execution_time: lastMatchSeconds, timeout_overflow_mode: "'break'" },
      signal,
    },
  )
  const newest = row?.[0] ?? undefined
  return newest === undefined ? undefined : BigInt(newest)
}
