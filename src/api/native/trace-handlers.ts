/** Handlers of the routes about traces: parameters -> reader -> the contract's answer. */
import { printDurationExact } from '../../base/duration.ts'
import { InputError } from '../../base/errors.ts'
import { nowNanos, printTime } from '../../base/time.ts'
import { printLogs, printTraces } from '../../codec/otlp/print-json.ts'
import { statusCodes } from '../../model/span-batch.ts'
import { withoutRepeats } from '../../model/trace/repeated-spans.ts'
import { readTraceEvents } from '../../storage/clickhouse/read/event-search.ts'
import { readFacets } from '../../storage/clickhouse/read/facets.ts'
import { readOverview } from '../../storage/clickhouse/read/overview.ts'
import { readTrace } from '../../storage/clickhouse/read/trace-read.ts'
import { searchTraces, type TraceSearch } from '../../storage/clickhouse/read/trace-search.ts'
import type { TraceSummaryRow } from '../../storage/clickhouse/block/trace-summary.ts'
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
import { closedRangeOf, spanFilterOf, traceIdOf } from './parameters.ts'

export const traceHandlers = {
  searchTraces: (context, request) => search(context, request.query as TraceSearchParameters, request.signal),
  async traceOverview(context, { query, signal }): Promise<TraceOverviewAnswer> {
    const range = closedRangeOf(query, nowNanos())
    const filter = { ...spanFilterOf(query), ...range }
    const found = await readOverview(context, { filter, columns: query.buckets, signal })
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
  async facets(context, { query, signal }): Promise<FacetsAnswer> {
    const filter = { ...spanFilterOf(query), ...closedRangeOf(query, nowNanos()) }
    const { facets, spans, sinceNs } = await readFacets(context, { filter, limit: query.limit, signal })
    return {
      facets: facets.map((facet) => ({ ...facet, values: [...facet.values] })),
      spans,
      since: sinceNs === undefined ? null : printTime(sinceNs),
    }
  },
  async getTrace(context, { path, signal }) {
    const traceId = traceIdOf(path['traceId']!)
    const rows =
      (await context.freshTrace(traceId)) ??
      (await readTrace(context.engine, traceId, {
        spansMax: context.traceSpansMax,
        known: context.known,
        signal,
      }))
    if (rows.length === 0) throw unknownTrace(traceId)
    return printTraces(withoutRepeats(rows))
  },
  async getTraceLogs(context, { path, signal }) {
    const traceId = traceIdOf(path['traceId']!)
    return printLogs(await readTraceEvents(context.engine, traceId, { limit: context.traceSpansMax, signal }))
  },
} satisfies Partial<Handlers>

function unknownTrace(traceId: string): InputError {
  const message = `no span of trace ${traceId} is stored: it may not have arrived, or it is older than the retention`
  return new InputError('not_found', message, { at: 'traceId' })
}

async function search(
  context: ApiContext,
  query: TraceSearchParameters,
  signal: AbortSignal,
): Promise<TraceSearchAnswer> {
  if (query.cursor !== undefined && query.sort !== 'time') {
    throw new InputError('bad_request', 'cursor goes only with sort=time', { at: 'cursor' })
  }
  const asked: TraceSearch = {
    filter: spanFilterOf(query),
    sort: query.sort,
    limit: query.limit,
    after: query.cursor === undefined ? undefined : parseCursor(query.cursor),
    signal,
  }
  const found = (await context.freshSearch(asked)) ?? (await searchTraces(context, asked))
  return {
    traces: found.traces.map(printSummary),
    total: found.total,
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
