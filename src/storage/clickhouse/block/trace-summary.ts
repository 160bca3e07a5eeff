/**
 * What a list of traces shows of one trace, as text in a row of `traces`. Reading all figures of a trace then costs one
 * column stream. A column for each figure (two or three for a list) cost 5 ms more for twenty traces (bench/query).
 *   summary = ["start","end",root,[["service",spans,errors],…]]     root = ["service","name",status,"half"] or null
 * `half` (model/trace/call-half.ts) is missing in rows of older versions. Times are nanoseconds since 1970 as text,
 * because other programs round JSON numbers of 19 digits. A row holds what one block had of the trace; `joinSummaries`
 * adds the rows up.
 */
import type { ServiceShare, TraceSummaryRow } from '../../../model/trace-search.ts'
import { isCallerOf } from '../../../model/trace/call-half.ts'

type ServiceItem = readonly [name: string, spans: number, errors: number]
type Root = readonly [service: string, name: string, status: number, half?: string]
type Summary = readonly [start: string, end: string, root: Root | null, services: readonly ServiceItem[]]

export function printSummary(
  startNs: bigint,
  endNs: bigint,
  root: Root | null,
  services: readonly ServiceItem[],
): string {
  return JSON.stringify([startNs.toString(), endNs.toString(), root, services] satisfies Summary)
}

/**
 * Adds up all rows of one trace, in any order. Of several roots, the one in the row that starts first counts; of a call
 * that is stored as two halves, the client half.
 */
export function joinSummaries(traceId: string, texts: readonly string[]): TraceSummaryRow {
  const parts = texts.map((text) => {
    const [start, end, root, services] = JSON.parse(text) as Summary
    return { startNs: BigInt(start), endNs: BigInt(end), root, services }
  })
  parts.sort((a, b) => (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0))
  const startNs = parts[0]!.startNs
  const endNs = parts.reduce((last, part) => (part.endNs > last ? part.endNs : last), parts[0]!.endNs)
  const roots = parts.flatMap(({ root }) => (root === null ? [] : [root]))
  const caller = roots.find(([, , , half = '']) => isCallerOf(half, roots[0]![3] ?? ''))
  const [rootService, rootName, rootStatus] = caller ?? roots[0] ?? ['', '', 0]
  const services = sumServices(parts.flatMap((part) => part.services))
  return {
    traceId,
    rootService,
    rootName,
    rootStatus,
    startNs,
    durationNs: endNs - startNs,
    spanCount: services.reduce((sum, { spanCount }) => sum + spanCount, 0),
    errorCount: services.reduce((sum, { errorCount }) => sum + errorCount, 0),
    services,
  }
}

/** Names of the services that have spans in the trace. */
export function servicesOf(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => (JSON.parse(text) as Summary)[3].map(([name]) => name)))]
}

function sumServices(items: readonly ServiceItem[]): ServiceShare[] {
  const sums = new Map<string, { name: string; spanCount: number; errorCount: number }>()
  for (const [name, spans, errors] of items) {
    const sum = sums.get(name) ?? { name, spanCount: 0, errorCount: 0 }
    sum.spanCount += spans
    sum.errorCount += errors
    sums.set(name, sum)
  }
  return [...sums.values()].sort((a, b) => b.spanCount - a.spanCount || (a.name < b.name ? -1 : 1))
}
