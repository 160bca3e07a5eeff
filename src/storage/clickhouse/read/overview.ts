/**
 * How many traces match, how many have errors, how long they last, and where they are in time and duration: the count
 * line and heat map of a search. A trace stands at the time of its first matching span, with the duration of the whole
 * trace as stored around the range.
 */
import type { Engine } from '../engine.ts'
import { clamp } from '../rollup/intervals.ts'
import type { Conditions, KeyFacts } from '../compile/conditions.ts'
import { compileSpanQuery } from '../compile/predicate.ts'
import { isSelective } from './trace-search.ts'
import type { ReadOptions } from '../../../model/reader.ts'
import { noFacts, type FigureContext } from './figure-source.ts'
import { durationRows, usedRows, type Overview, type OverviewSearch } from '../../../model/overview.ts'
import { nanosOf } from './rows.ts'

type RangedQuery = OverviewSearch['query']

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

export async function readOverview(context: FigureContext, search: OverviewSearch & ReadOptions): Promise<Overview> {
  const { query, columns, signal } = search
  const facts = context.facts ?? noFacts
  const columnNs = (query.endNs - query.startNs + BigInt(columns) - 1n) / BigInt(columns)
  const conditions = compileSpanQuery(query, facts)
  const start = conditions.bind(query.startNs, 'Int64')
  const row = `arrayLastIndex(bound -> bound <= d, [${durationRows.join(', ')}]) - 1`
  // Unsigned, as between the first and the last time there are more nanoseconds than a signed integer counts.
  const place = `intDiv(toUInt64(${nanosOf('t')} - ${start}), ${columnNs}) * ${durationRows.length} + ${row}`
  const [found] = await context.engine.query<OverviewRow>(
    `SELECT count(), countIf(failed), quantilesTDigest(0.5, 0.99)(d),
       sumMap([toUInt32(${place})], [toUInt64(1)], [toUInt64(failed)])
     FROM (${tracesSql(query, conditions)})`,
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
    lastMatchNs: none ? await readLastMatch(context.engine, { query, facts, signal }) : undefined,
  }
}

/** SQL giving (trace_id, t, d, failed) of every trace that matches. */
function tracesSql(query: RangedQuery, conditions: Conditions): string {
  const near = (column: string): string =>
    `${column} >= ${conditions.bind(clamp(query.startNs - marginNs), 'DateTime64(9)')}
     AND ${column} < ${conditions.bind(clamp(query.endNs + marginNs), 'DateTime64(9)')}`
  const figures = `${nanosOf('max(end_time)')} - ${nanosOf('min(start_time)')} AS d, sum(error_count) > 0 AS failed`
  if (!isSelective(query)) {
    const matches = conditions.sql.join(' AND ')
    return `SELECT trace_id, minIf(start_time, ${matches}) AS t, ${figures} FROM traces
      WHERE ${near('start_time')} GROUP BY trace_id HAVING countIf(${matches}) > 0`
  }
  const matches = `SELECT trace_id, min(start_time) AS first_match FROM spans ${conditions.where()} GROUP BY trace_id`
  const known = query.endNs - query.startNs > longRangeNs ? ` AND trace_id IN (SELECT trace_id FROM (${matches}))` : ''
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
  readonly query: RangedQuery
  readonly facts: KeyFacts
  readonly signal: AbortSignal | undefined
}

/** Newest found within the time for it; the search is over everything stored. */
async function readLastMatch(engine: Engine, { query, facts, signal }: LastMatchQuery): Promise<bigint | undefined> {
  const { startNs: _start, endNs: _end, ...anyTime } = query
  const conditions = compileSpanQuery(anyTime, facts)
  const table = isSelective(query) ? 'spans' : 'traces'
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
