/** The traces that a search finds among those that the index named, after reading their spans. */
import type { SpanBatch } from '../../model/span-batch.ts'
import type { SpanQuery } from '../../model/query.ts'
import { idText, withoutZeros } from '../../model/span-row-reader.ts'
import { isWhole } from './coverage.ts'
import type { PlacedSpan } from './span-index.ts'
import { repeatedRows } from './repeated-rows.ts'
import { matchingRows } from './span-match.ts'
import { summaryOf, type FoundTrace } from './trace-page.ts'

export interface CandidateSpan extends PlacedSpan {
  readonly traceId: string
}

/**
 * Row r of the batch is span r. All spans of a trace that are in the index are in the batch. `undefined` when only the
 * store can tell. Throws when the rows are not those spans.
 */
export function foundTraces(
  batch: SpanBatch,
  spans: readonly CandidateSpan[],
  query: SpanQuery,
  coveredSinceMs: number,
): FoundTrace[] | undefined {
  const traces = rowsByTrace(batch, spans)
  const matching = matchingRows(batch, query)
  if (matching === undefined) return undefined
  const found: FoundTrace[] = []
  for (const [traceId, rows] of traces) {
    const starts = rows.filter((row) => matching[row] === 1).map((row) => batch.startTimes[row]!)
    if (starts.length === 0) continue
    const roots = rows.filter((row) => withoutZeros(idText(batch.parentSpanIds, row, 8)) === '')
    const seen = roots.map((row) => ({ startNs: batch.startTimes[row]!, atMs: spans[row]!.atMs }))
    // When there are several roots, the store's blocks decide which one the summary names.
    if (roots.length > 1 || !isWhole(seen, coveredSinceMs)) return undefined
    const matchNs = starts.reduce((first, start) => (start < first ? start : first))
    found.push({ summary: summaryOf(batch, traceId, rows, roots[0]), matchNs })
  }
  return found
}

function rowsByTrace(batch: SpanBatch, spans: readonly CandidateSpan[]): Map<string, number[]> {
  const traces = new Map<string, number[]>()
  const repeated = repeatedRows(batch)
  for (const [row, { traceId }] of spans.entries()) {
    if (repeated.has(row)) continue
    if (idText(batch.traceIds, row, 16) !== traceId) throw new Error('the log holds other bytes than were written')
    const rows = traces.get(traceId)
    if (rows === undefined) traces.set(traceId, [row])
    else rows.push(row)
  }
  return traces
}
