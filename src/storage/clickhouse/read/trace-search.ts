/**
 * Find traces by a span in them. First the matching trace ids, with the exact total; then the summaries of one page
 * from `traces`, which is keyed by trace id.
 */
import type { SpanQuery } from '../../../model/query.ts'
import type { Engine, QueryOptions } from '../engine.ts'
import { joinSummaries, printSummary } from '../block/trace-summary.ts'
import type { TracePage, TracePlace, TraceSearch, TraceSummaryRow } from '../../../model/trace-search.ts'
import { Conditions, addTimeRange, type KeyFacts } from '../compile/conditions.ts'
import { compileSpanQuery } from '../compile/predicate.ts'
import { nanosOf } from './rows.ts'
import type { ReadOptions } from '../../../model/reader.ts'

type SignalledSearch = TraceSearch & ReadOptions

export interface SearchSources {
  readonly engine: Engine
  readonly facts: KeyFacts
  readonly summaries: { read(traceIds: readonly string[], signal?: AbortSignal): Promise<TraceSummaryRow[]> }
}

export async function searchTraces(
  { engine, facts, summaries }: SearchSources,
  search: SignalledSearch,
): Promise<TracePage> {
  const page =
    search.sort === 'time' ? await idsByTime(engine, search, facts) : await idsByFigure(engine, search, facts)
  if (page.places.length === 0) return { traces: [], total: page.total, next: undefined }
  const traceIds = page.places.map((place) => place.traceId)
  const found = await summaries.read(traceIds, search.signal)
  const byId = new Map(found.map((summary) => [summary.traceId, summary]))
  const missing = traceIds.filter((traceId) => !byId.has(traceId))
  if (missing.length > 0) {
    for (const summary of await sumUpSpans(engine, missing, search.signal)) byId.set(summary.traceId, summary)
  }
  const traces = page.places.flatMap((place) => byId.get(place.traceId) ?? [])
  if (search.sort === 'time') traces.sort((a, b) => (a.startNs < b.startNs ? 1 : a.startNs > b.startNs ? -1 : 0))
  const last = page.places.at(-1)!
  return { traces, total: page.total, next: page.more && search.sort === 'time' ? last : undefined }
}

interface IdPage {
  readonly places: TracePlace[]
  readonly total: number
  readonly more: boolean
}

/** Whether anything but the time is asked for. */
export function isSelective({ where }: SpanQuery): boolean {
  return where.kind !== 'and' || where.of.length > 0
}

/** The rows whose traces match: of `spans`, or of the small `traces` when only the time is asked for. */
function matchingRows(query: SpanQuery, facts: KeyFacts): { table: 'spans' | 'traces'; conditions: Conditions } {
  if (isSelective(query)) return { table: 'spans', conditions: compileSpanQuery(query, facts) }
  const conditions = new Conditions()
  addTimeRange(conditions, 'start_time', query)
  return { table: 'traces', conditions }
}

async function idsByTime(engine: Engine, search: SignalledSearch, facts: KeyFacts): Promise<IdPage> {
  const { after } = search
  const { table, conditions } = matchingRows(search.query, facts)
  const rows = `FROM ${table} ${conditions.where()} GROUP BY trace_id`
  // One more than asked for tells whether there is a next page.
  const order = `ORDER BY t DESC, trace_id LIMIT ${search.limit + 1}`
  const time = nanosOf('min(start_time)')
  const sql =
    after === undefined
      ? `SELECT lower(hex(trace_id)), ${time} AS t, count() OVER () ${rows} ${order}`
      : // What the window counts is not cut off by the place where the page begins.
        `SELECT lower(hex(trace_id)), t, total FROM (SELECT trace_id, ${time} AS t, count() OVER () AS total ${rows})
         WHERE (-t, trace_id) > (${conditions.bind(-after.value, 'Int64')}, ${conditions.bind(after.traceId, 'FixedString(16)')})
         ${order}`
  const options: QueryOptions = {
    parameters: conditions.parameters,
    signal: search.signal,
    // It would first try whether the parts' own counts answer this, which costs a millisecond and never helps.
    settings: { optimize_use_implicit_projections: 0 },
  }
  const found = await engine.query<[string, string, string]>(sql, options)
  const places = found.slice(0, search.limit).map(([traceId, time]) => ({ value: BigInt(time), traceId }))
  const total = found[0]?.[2] ?? (after === undefined ? 0 : await countMatches(engine, rows, options))
  return { places, total: Number(total), more: found.length > search.limit }
}

/** Traces that match, without a page of them. */
export async function countTraces(
  { engine, facts }: Omit<SearchSources, 'summaries'>,
  query: SpanQuery,
  signal?: AbortSignal,
): Promise<number> {
  const { table, conditions } = matchingRows(query, facts)
  const rows = `FROM ${table} ${conditions.where()} GROUP BY trace_id`
  return Number(await countMatches(engine, rows, { parameters: conditions.parameters, signal }))
}

/** Past the last page no row tells how many there are. */
async function countMatches(engine: Engine, rows: string, options: QueryOptions): Promise<string> {
  const [row] = await engine.query<[string]>(`SELECT count() FROM (SELECT trace_id ${rows})`, options)
  return row?.[0] ?? '0'
}

async function idsByFigure(engine: Engine, search: SignalledSearch, facts: KeyFacts): Promise<IdPage> {
  const { table, conditions } = matchingRows(search.query, facts)
  const figure = { time: '', duration: durationSql, spans: 'sum(span_count)', errors: 'sum(error_count)' }[search.sort]
  const rows = await engine.query<[string, string, string]>(
    `SELECT lower(hex(trace_id)), ${nanosOf('min(start_time)')}, count() OVER ()
     FROM traces WHERE trace_id IN (SELECT trace_id FROM ${table} ${conditions.where()})
     GROUP BY trace_id ORDER BY ${figure} DESC, trace_id LIMIT ${search.limit}`,
    { parameters: conditions.parameters, signal: search.signal },
  )
  const places = rows.map(([traceId, time]) => ({ value: BigInt(time), traceId }))
  return { places, total: Number(rows[0]?.[2] ?? 0), more: false }
}

/** Nanoseconds from the first start to the last end of a trace, over its rows in `traces`. */
const durationSql = `(${nanosOf('max(end_time)')} - ${nanosOf('min(start_time)')})`

/** Of those that the store has, in no order. */
export async function readSummaries(
  engine: Pick<Engine, 'query'>,
  traceIds: readonly string[],
  signal?: AbortSignal,
): Promise<TraceSummaryRow[]> {
  const rows = await engine.query<[traceId: string, summary: string]>(
    `SELECT lower(hex(trace_id)), summary FROM traces
     WHERE trace_id IN (${idList(traceIds)})`,
    { signal, settings: { max_threads: 1 } },
  )
  const texts = new Map<string, string[]>()
  for (const [traceId, summary] of rows) {
    const known = texts.get(traceId)
    if (known === undefined) texts.set(traceId, [summary])
    else known.push(summary)
  }
  return [...texts].map(([traceId, parts]) => joinSummaries(traceId, parts))
}

type SpanSum = readonly [
  traceId: string,
  service: string,
  start: string,
  end: string,
  spans: string,
  errors: string,
  roots: string,
  root: readonly [name: string, status: number],
]

/**
 * Of traces without rows in `traces`: their block is still on its way into that table, or what they had there is older than
 * their newest spans and went before them.
 */
async function sumUpSpans(
  engine: Pick<Engine, 'query'>,
  traceIds: readonly string[],
  signal?: AbortSignal,
): Promise<TraceSummaryRow[]> {
  const isRoot = "parent_span_id = toFixedString('', 8)"
  const start = nanosOf('start_time')
  const sums = await engine.query<SpanSum>(
    `SELECT lower(hex(trace_id)), toString(service_name), min(${start}), max(${start} + greatest(duration, 0)), count(),
       countIf(status_code = 2), countIf(${isRoot}), argMinIf((toString(name), status_code), start_time, ${isRoot})
     FROM spans WHERE trace_id IN (${idList(traceIds)}) GROUP BY trace_id, service_name`,
    { signal },
  )
  return [...Map.groupBy(sums, ([traceId]) => traceId)].map(([traceId, own]) => {
    const texts = own.map(([, service, startNs, endNs, spans, errors, roots, [name, status]]) =>
      printSummary(BigInt(startNs), BigInt(endNs), roots === '0' ? null : [service, name, status], [
        [service, Number(spans), Number(errors)],
      ]),
    )
    return joinSummaries(traceId, texts)
  })
}

function idList(traceIds: readonly string[]): string {
  return traceIds.map((id) => `unhex('${checkedId(id)}')`).join(',')
}

function checkedId(id: string): string {
  if (!/^[0-9a-f]{32}$/.test(id)) throw new Error(`assertion failed: ${id} is not a trace id`)
  return id
}
