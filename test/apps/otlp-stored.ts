/** A trace as `GET /api/v1/traces/{id}` gives it back, flattened for comparing with what an SDK says it sent. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AnyValueJson } from '../../src/model/attributes.ts'

type Attributes = Record<string, AnyValueJson>

export interface FlatSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly start: string
  readonly end: string
  readonly attributes: Attributes
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number }
  readonly events: readonly { time: string; name: string; attributes: Attributes; dropped: number }[]
  readonly links: readonly {
    traceId: string
    spanId: string
    traceState: string
    attributes: Attributes
    dropped: number
  }[]
  readonly status: { readonly code: number; readonly message: string }
  readonly scope: {
    readonly name: string
    readonly version: string
    readonly schemaUrl: string
    readonly attributes: Attributes
  }
  readonly resource: Attributes
}

interface KeyValues {
  readonly attributes?: readonly { readonly key: string; readonly value: AnyValueJson }[]
  readonly droppedAttributesCount?: number
}

interface Span extends KeyValues {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly flags?: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly events?: readonly (KeyValues & { readonly timeUnixNano: string; readonly name: string })[]
  readonly droppedEventsCount?: number
  readonly links?: readonly (KeyValues & {
    readonly traceId: string
    readonly spanId: string
    readonly traceState?: string
  })[]
  readonly droppedLinksCount?: number
  readonly status?: { readonly code?: number; readonly message?: string }
}

export interface TracesJson {
  readonly resourceSpans: readonly {
    readonly resource: KeyValues
    readonly scopeSpans: readonly {
      readonly scope: KeyValues & { readonly name?: string; readonly version?: string }
      readonly schemaUrl?: string
      readonly spans: readonly Span[]
    }[]
  }[]
}

/** Waits until clew has that many spans of the trace; throws when they do not come. In order of span id. */
export async function storedSpans(url: string, traceId: string, count: number): Promise<FlatSpan[]> {
  for (const deadline = Date.now() + 15_000; ; await sleep(100)) {
    const response = await fetch(`${url}/api/v1/traces/${traceId}`)
    const spans = response.ok ? flatSpans((await response.json()) as TracesJson) : []
    if (spans.length >= count) return spans
    if (Date.now() > deadline) throw new Error(`${spans.length} of ${count} spans of trace ${traceId} are stored`)
  }
}

/** Log records of the trace as `GET /api/v1/events` gives them beside its span events, once there are that many. */
export async function storedEvents(url: string, traceId: string, count: number): Promise<Record<string, unknown>[]> {
  for (const deadline = Date.now() + 15_000; ; await sleep(100)) {
    const response = await fetch(`${url}/api/v1/events?traceId=${traceId}`)
    const answer = (await response.json()) as { events: (Record<string, unknown> & { source: { protocol: string } })[] }
    const events = answer.events.filter(({ source }) => source.protocol === 'otlp')
    if (events.length >= count) return events
    if (Date.now() > deadline) throw new Error(`${events.length} of ${count} events of trace ${traceId} are stored`)
  }
}

function flatSpans({ resourceSpans }: TracesJson): FlatSpan[] {
  const spans = resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, schemaUrl = '', spans: rows }) =>
      rows.map((span) => ({
        ...flatSpan(span),
        scope: { name: scope.name ?? '', version: scope.version ?? '', schemaUrl, attributes: flat(scope) },
        resource: flat(resource),
      })),
    ),
  )
  return spans.sort((a, b) => (a.spanId < b.spanId ? -1 : 1))
}

function flatSpan(span: Span): Omit<FlatSpan, 'scope' | 'resource'> {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    traceState: span.traceState ?? '',
    flags: span.flags ?? 0,
    name: span.name,
    kind: span.kind,
    start: span.startTimeUnixNano,
    end: span.endTimeUnixNano,
    attributes: flat(span),
    dropped: {
      attributes: span.droppedAttributesCount ?? 0,
      events: span.droppedEventsCount ?? 0,
      links: span.droppedLinksCount ?? 0,
    },
    events: (span.events ?? []).map((event) => ({
      time: event.timeUnixNano,
      name: event.name,
      attributes: flat(event),
      dropped: event.droppedAttributesCount ?? 0,
    })),
    links: (span.links ?? []).map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      traceState: link.traceState ?? '',
      attributes: flat(link),
      dropped: link.droppedAttributesCount ?? 0,
    })),
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
  }
}

function flat({ attributes = [] }: KeyValues): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value]))
}
