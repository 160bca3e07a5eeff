/** A search over spans as plain objects, with arrays and loops: the oracle of every quicker way. */
import {
  and,
  attribute,
  compare,
  duration,
  intrinsic,
  spelled,
  status,
  text,
  type SpanQuery,
  type TimeRange,
} from '../../src/model/query.ts'
import type { TracePage, TraceSearch } from '../../src/model/trace-search.ts'
import { groupBy } from './figures-oracle.ts'

/** Conditions that one span must meet together, as plain loops check them. */
export interface PlainConditions extends TimeRange {
  readonly service?: string
  readonly operation?: string
  readonly status?: number
  readonly durationMinNs?: bigint
  readonly durationMaxNs?: bigint
  readonly attributes: readonly PlainAttribute[]
}

interface PlainAttribute {
  readonly scope: 'any' | 'span' | 'resource'
  readonly key: string
  readonly value: string
}

/** A search whose query is also known as plain conditions. */
export interface PlainTraceSearch extends TraceSearch {
  readonly conditions: PlainConditions
}

/** The same conditions as the stores take them. */
export function queryOf(conditions: PlainConditions): SpanQuery {
  const { service, operation, status: code, durationMinNs, durationMaxNs, attributes, startNs, endNs } = conditions
  const where = and(
    ...(service === undefined ? [] : [compare(intrinsic('service'), '=', text(service))]),
    ...(operation === undefined ? [] : [compare(intrinsic('name'), '=', text(operation))]),
    ...(code === undefined ? [] : [compare(intrinsic('status'), '=', status(code))]),
    ...(durationMinNs === undefined ? [] : [compare(intrinsic('duration'), '>=', duration(durationMinNs))]),
    ...(durationMaxNs === undefined ? [] : [compare(intrinsic('duration'), '<=', duration(durationMaxNs))]),
    ...attributes.map(({ scope, key, value }) => compare(attribute(scope, key), '=', spelled(value))),
  )
  return { where, startNs, endNs }
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
  { conditions, sort, limit, after }: PlainTraceSearch,
): TracePage | undefined {
  const found = [...groupBy(spans, ({ traceId }) => traceId).values()].flatMap((all) => {
    const matching = all.filter((span) => meets(span, conditions))
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
  summaries.sort((a, b) => inOrder(figure(b), figure(a)) || inOrder(a.place.traceId, b.place.traceId))
  const rest = summaries.filter(
    ({ place }) =>
      after === undefined ||
      inOrder(after.value, place.value) > 0 ||
      (after.value === place.value && place.traceId > after.traceId),
  )
  const page = rest.slice(0, limit)
  const traces = page.map(({ summary }) => summary)
  return {
    traces: sort === 'time' ? traces.sort((a, b) => inOrder(b.startNs, a.startNs)) : traces,
    total: found.length,
    next: sort === 'time' && rest.length > limit ? page.at(-1)!.place : undefined,
  }
}

function meets(span: PlainSpan, conditions: PlainConditions): boolean {
  const bounds: [bigint | undefined, bigint][] = [
    [conditions.durationMinNs, span.durationNs],
    [conditions.startNs, span.startNs],
  ]
  return (
    (conditions.service ?? span.service) === span.service &&
    (conditions.operation ?? span.name) === span.name &&
    (conditions.status ?? span.status) === span.status &&
    bounds.every(([least, value]) => least === undefined || value >= least) &&
    (conditions.durationMaxNs === undefined || span.durationNs <= conditions.durationMaxNs) &&
    (conditions.endNs === undefined || span.startNs < conditions.endNs) &&
    conditions.attributes.every(({ scope, key, value }) => scope !== 'resource' && span.attributes[key] === value)
  )
}

function summaryOf(all: readonly PlainSpan[]): TracePage['traces'][number] {
  const root = all.find(({ isRoot }) => isRoot)
  const ends = all.map(({ startNs, durationNs }) => startNs + (durationNs > 0n ? durationNs : 0n)).sort(inOrder)
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
    services: services.sort((a, b) => b.spanCount - a.spanCount || inOrder(a.name, b.name)),
  }
}

function earliest(spans: readonly PlainSpan[]): bigint {
  return spans.map(({ startNs }) => startNs).sort(inOrder)[0]!
}

function inOrder<Value extends bigint | string>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}
