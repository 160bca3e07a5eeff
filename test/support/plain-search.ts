/** A search over spans as plain objects, with arrays and loops: the oracle of every quicker way. */
import type { SpanFilter } from '../../src/model/span-filter.ts'
import type { TracePage, TraceSearch } from '../../src/model/trace-search.ts'
import { groupBy } from './figures-oracle.ts'

/** A search that is also known in its short form. */
export interface FlatTraceSearch extends TraceSearch {
  readonly filter: SpanFilter
}

export interface PlainSpan {
  readonly traceId: string
  readonly isRoot: boolean
  readonly service: string
  readonly name: string
  readonly status: number
  readonly startNs: bigint
  readonly durationNs: bigint
  readonly attributes: Readonly<Record<string, string>>
}

/** `undefined` when a trace that is found has several roots: which one it is named by is not said. */
export function plainPage(
  spans: readonly PlainSpan[],
  { filter, sort, limit, after }: FlatTraceSearch,
): TracePage | undefined {
  const found = [...groupBy(spans, ({ traceId }) => traceId).values()].flatMap((all) => {
    const matching = all.filter((span) => meets(span, filter))
    return matching.length === 0 ? [] : [{ all, place: { value: earliest(matching), traceId: all[0]!.traceId } }]
  })
  if (found.some(({ all }) => all.filter(({ isRoot }) => isRoot).length > 1)) return undefined
  const summaries = found.map(({ all, place }) => ({ place, summary: summaryOf(all) }))
  const figure = {
    time: (one: (typeof summaries)[number]) => one.place.value,
    duration: (one: (typeof summaries)[number]) => one.summary.durationNs,
    spans: (one: (typeof summaries)[number]) => BigInt(one.summary.spanCount),
    errors: (one: (typeof summaries)[number]) => BigInt(one.summary.errorCount),
  }[sort]
  summaries.sort((a, b) => compare(figure(b), figure(a)) || compare(a.place.traceId, b.place.traceId))
  const rest = summaries.filter(
    ({ place }) =>
      after === undefined ||
      compare(after.value, place.value) > 0 ||
      (after.value === place.value && place.traceId > after.traceId),
  )
  const page = rest.slice(0, limit)
  const traces = page.map(({ summary }) => summary)
  return {
    traces: sort === 'time' ? traces.sort((a, b) => compare(b.startNs, a.startNs)) : traces,
    total: found.length,
    next: sort === 'time' && rest.length > limit ? page.at(-1)!.place : undefined,
  }
}

function meets(span: PlainSpan, filter: SpanFilter): boolean {
  const bounds: [bigint | undefined, bigint][] = [
    [filter.durationMinNs, span.durationNs],
    [filter.startNs, span.startNs],
  ]
  return (
    (filter.service ?? span.service) === span.service &&
    (filter.operation ?? span.name) === span.name &&
    (filter.status ?? span.status) === span.status &&
    bounds.every(([least, value]) => least === undefined || value >= least) &&
    (filter.durationMaxNs === undefined || span.durationNs <= filter.durationMaxNs) &&
    (filter.endNs === undefined || span.startNs < filter.endNs) &&
    filter.attributes.every(({ scope, key, value }) => scope !== 'resource' && span.attributes[key] === value)
  )
}

function summaryOf(all: readonly PlainSpan[]): TracePage['traces'][number] {
  const root = all.find(({ isRoot }) => isRoot)
  const ends = all.map(({ startNs, durationNs }) => startNs + (durationNs > 0n ? durationNs : 0n)).sort(compare)
  const errors = (spans: readonly PlainSpan[]): number => spans.filter(({ status }) => status === 2).length
  const services = [...groupBy(all, ({ service }) => service)].map(([name, own]) => ({
    name,
    spanCount: own.length,
    errorCount: errors(own),
  }))
  return {
    traceId: all[0]!.traceId,
    rootService: root?.service ?? '',
    rootName: root?.name ?? '',
    rootStatus: root?.status ?? 0,
    startNs: earliest(all),
    durationNs: ends.at(-1)! - earliest(all),
    spanCount: all.length,
    errorCount: errors(all),
    services: services.sort((a, b) => b.spanCount - a.spanCount || compare(a.name, b.name)),
  }
}

function earliest(spans: readonly PlainSpan[]): bigint {
  return spans.map(({ startNs }) => startNs).sort(compare)[0]!
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}
