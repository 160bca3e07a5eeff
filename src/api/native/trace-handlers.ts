/** Handlers of the routes about traces: they parse parameters, ask a reader and build the contract's answer. */
import { printDurationExact } from '../../base/duration.ts'
import { InputError } from '../../base/errors.ts'
import { nowNanos, printTime } from '../../base/time.ts'
import { printLogs, printTraces } from '../../codec/otlp/print-json.ts'
import { statusCodes } from '../../model/span-batch.ts'
import type { TraceSummaryRow } from '../../model/trace-search.ts'
import type { ApiContext } from './context.ts'
import type {
  FacetsAnswer,
  TraceOverviewAnswer,
  TraceSearchAnswer,
  TraceSearchParameters,
  TraceSummary,
} from './contract.ts'
import { parseCursor, printCursor } from './cursor.ts'
import type { Handlers } from './handler.ts'
import { closedRangeOf, spanQueryOf, traceIdOf } from './parameters.ts'

export const traceHandlers = {
  searchTraces: (context, request) => search(context, request.query as TraceSearchParameters, request.signal),
  async traceOverview({ reader }, { query, signal }): Promise<TraceOverviewAnswer> {
    const range = closedRangeOf(query, nowNanos())
    const asked = { ...spanQueryOf(query), ...range }
    const found = await reader.readOverview({ query: asked, columns: query.buckets }, { signal })
    return {
      start: printTime(range.startNs),
      end: printTime(range.endNs),
      total: found.total,
      errorTraces: found.errorTraces,
      p50Nano: found.p50Ns?.toString() ?? null,
      p99Nano: found.p99Ns?.toString() ?? null,
      bucketMs: Number(found.columnNs) / 1e6,
      rows: found.rows.map(String),
      rowsEnd: found.rowsEndNs?.toString() ?? null,
      cells: [...found.cells],
      lastMatch: found.lastMatchNs === undefined ? null : printTime(found.lastMatchNs),
    }
  },
  async facets({ reader }, { query, signal }): Promise<FacetsAnswer> {
    const asked = { ...spanQueryOf(query), ...closedRangeOf(query, nowNanos()) }
    const { facets, spans, sinceNs } = await reader.readFacets({ query: asked, limit: query.limit }, { signal })
    return {
      facets: facets.map((facet) => ({ ...facet, values: [...facet.values] })),
      spans,
      since: sinceNs === undefined ? null : printTime(sinceNs),
    }
  },
  async getTrace({ reader, traceSpansMax }, { path, signal }) {
    const traceId = traceIdOf(path['traceId']!)
    const rows = await reader.readTrace(traceId, { spansMax: traceSpansMax, signal })
    if (rows.length === 0) throw unknownTrace(traceId)
    return printTraces(rows)
  },
  async getTraceLogs({ reader, traceSpansMax }, { path, signal }) {
    const traceId = traceIdOf(path['traceId']!)
    return printLogs(await reader.readTraceEvents(traceId, { limit: traceSpansMax, signal }))
  },
} satisfies Partial<Handlers>

function unknownTrace(traceId: string): InputError {
  const message = `no span of trace ${traceId} is stored: it may not have arrived, or it is older than the retention`
  return new InputError('not_found', message, { at: 'traceId' })
}

async function search(
  { reader }: ApiContext,
  parameters: TraceSearchParameters,
  signal: AbortSignal,
): Promise<TraceSearchAnswer> {
  const { sort, limit, cursor } = parameters
  const query = spanQueryOf(parameters)
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  if (after !== undefined && !reader.abilities.pagedSorts.includes(sort)) {
    const message = `cursor goes only with sort=${reader.abilities.pagedSorts.join(' or sort=')}`
    throw new InputError('bad_request', message, { at: 'cursor' })
  }
  const found = await reader.findTraces({ query, sort, limit, after }, { signal })
  return {
    traces: found.traces.map(printSummary),
    total: found.total ?? (await reader.countTraces(query, { signal })),
    nextCursor: found.next === undefined ? undefined : printCursor(found.next),
  }
}

export function printSummary(row: TraceSummaryRow): TraceSummary {
  return {
    traceId: row.traceId,
    rootService: row.rootService,
    rootName: row.rootName,
    rootStatus: statusCodes[row.rootStatus] ?? 'unset',
    startTime: printTime(row.startNs),
    startTimeUnixNano: row.startNs.toString(),
    duration: printDurationExact(row.durationNs),
    durationNano: row.durationNs.toString(),
    spanCount: row.spanCount,
    errorCount: row.errorCount,
    services: [...row.services],
  }
}
