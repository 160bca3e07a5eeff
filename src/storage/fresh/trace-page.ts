/**
 * Makes a page of a search from the spans of its traces, as clickhouse/read/trace-search.ts does from the rows of
 * clickhouse/block/trace-block.ts. Where one changes, the other has to.
 */
import { entryText } from '../../model/span-row-reader.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import type { TracePage, TraceSearch, TraceSort, TraceSummaryRow } from '../../model/trace-search.ts'

export interface FoundTrace {
  readonly summary: TraceSummaryRow
  /** Start of its first span that meets the query. */
  readonly matchNs: bigint
}

const errorStatus = 2

/** The summary of one trace from its rows; it has at most one root. */
export function summaryOf(batch: SpanBatch, traceId: string, rows: readonly number[], root?: number): TraceSummaryRow {
  let startNs = batch.startTimes[rows[0]!]!
  let endNs = 0n
  let errorCount = 0
  const services = new Map<string, { name: string; spanCount: number; errorCount: number }>()
  for (const row of rows) {
    const start = batch.startTimes[row]!
    const duration = batch.durations[row]!
    const end = duration > 0n ? start + duration : start
    if (start < startNs) startNs = start
    if (end > endNs) endNs = end
    const failed = batch.statuses[row] === errorStatus ? 1 : 0
    const name = serviceOf(batch, row)
    const service = services.get(name) ?? { name, spanCount: 0, errorCount: 0 }
    service.spanCount++
    service.errorCount += failed
    errorCount += failed
    services.set(name, service)
  }
  return {
    traceId,
    rootService: root === undefined ? '' : serviceOf(batch, root),
    rootName: root === undefined ? '' : entryText(batch, batch.names[root]!),
    rootStatus: root === undefined ? 0 : batch.statuses[root]!,
    startNs,
    durationNs: endNs - startNs,
    spanCount: rows.length,
    errorCount,
    services: [...services.values()].sort((a, b) => b.spanCount - a.spanCount || (a.name < b.name ? -1 : 1)),
  }
}

function serviceOf(batch: SpanBatch, row: number): string {
  return batch.resources[batch.resourceIndexes[row]!]!.serviceName
}

/** `found` is all traces that a search finds, in any order. */
export function pageOf(found: readonly FoundTrace[], { sort, limit, after }: Omit<TraceSearch, 'query'>): TracePage {
  if (sort !== 'time') {
    const figure = figures[sort]
    const sorted = found
      .map(({ summary }) => summary)
      .sort((a, b) => descending(figure(a), figure(b)) || ascending(a.traceId, b.traceId))
    return { traces: sorted.slice(0, limit), total: found.length, next: undefined }
  }
  const places = found
    .map(({ matchNs, summary }) => ({ value: matchNs, traceId: summary.traceId, summary }))
    .sort(byPlace)
    .filter((place) => after === undefined || byPlace(after, place) < 0)
  const page = places.slice(0, limit)
  const last = page.at(-1)
  return {
    traces: page.map(({ summary }) => summary).sort((a, b) => descending(a.startNs, b.startNs)),
    total: found.length,
    next: last === undefined || places.length <= limit ? undefined : { value: last.value, traceId: last.traceId },
  }
}

const figures: Record<Exclude<TraceSort, 'time'>, (summary: TraceSummaryRow) => bigint | number> = {
  duration: ({ durationNs }) => durationNs,
  spans: ({ spanCount }) => spanCount,
  errors: ({ errorCount }) => errorCount,
}

/** Newest first. */
function byPlace(a: { value: bigint; traceId: string }, b: { value: bigint; traceId: string }): number {
  return descending(a.value, b.value) || ascending(a.traceId, b.traceId)
}

function ascending<Value extends string | number | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function descending<Value extends string | number | bigint>(a: Value, b: Value): number {
  return ascending(b, a)
}
