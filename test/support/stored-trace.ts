/** A trace as `GET /api/v1/traces/{traceId}` gives it back, flattened for comparing with what a client sent. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyValueJson } from '../../src/model/attributes.ts'

/** Texts, numbers (int as bigint) and bools by key. */
export type PlainAttributes = Record<string, unknown>

export interface StoredSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly status: { readonly code?: number; readonly message?: string }
  readonly resource: PlainAttributes
  readonly attributes: PlainAttributes
  readonly events: readonly {
    readonly name: string
    readonly timeUnixNano: bigint
    readonly attributes: PlainAttributes
  }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: PlainAttributes }[]
}

interface SpanJson extends Omit<
  StoredSpan,
  'attributes' | 'events' | 'links' | 'startTimeUnixNano' | 'endTimeUnixNano'
> {
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: KeyValueJson[]
  readonly events?: { name?: string; timeUnixNano: string; attributes?: KeyValueJson[] }[]
  readonly links?: { traceId: string; spanId: string; attributes?: KeyValueJson[] }[]
}
interface TraceJson {
  readonly resourceSpans: { resource?: { attributes?: KeyValueJson[] }; scopeSpans: { spans: SpanJson[] }[] }[]
}

/** Waits up to ten seconds until the trace has this many spans; they come in order of their start. */
export async function storedTrace(url: string, traceId: string, spanCount: number): Promise<StoredSpan[]> {
  let spans: StoredSpan[] = []
  for (let round = 0; round < 100; round++) {
    const response = await fetch(`${url}/api/v1/traces/${traceId}`)
    if (response.ok) spans = flatten((await response.json()) as TraceJson)
    if (spans.length >= spanCount) break
    await sleep(100)
  }
  assert.equal(spans.length, spanCount, `spans of trace ${traceId}`)
  return spans.sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
}

/** The trace ids of a service, once there are so many. */
export async function traceIdsOf(url: string, service: string, count: number): Promise<string[]> {
  let ids: string[] = []
  for (let round = 0; round < 100 && ids.length < count; round++) {
    const response = await fetch(`${url}/api/v1/traces?service=${encodeURIComponent(service)}&limit=100`)
    const { traces } = (await response.json()) as { traces: { traceId: string }[] }
    ids = traces.map((trace) => trace.traceId)
    if (ids.length < count) await sleep(100)
  }
  assert.equal(ids.length, count, `traces of ${service}`)
  return ids
}

function flatten({ resourceSpans }: TraceJson): StoredSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        parentSpanId: span.parentSpanId ?? '',
        status: span.status ?? {},
        startTimeUnixNano: BigInt(span.startTimeUnixNano),
        endTimeUnixNano: BigInt(span.endTimeUnixNano),
        resource: plain(resource?.attributes),
        attributes: plain(span.attributes),
        events: (span.events ?? []).map((event) => ({
          name: event.name ?? '',
          timeUnixNano: BigInt(event.timeUnixNano),
          attributes: plain(event.attributes),
        })),
        links: (span.links ?? []).map((link) => ({ ...link, attributes: plain(link.attributes) })),
      })),
    ),
  )
}

function plain(attributes: readonly KeyValueJson[] = []): PlainAttributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[type, content] = ['empty', null]] = Object.entries(value)
      return [key, type === 'intValue' ? BigInt(content as string) : content]
    }),
  )
}
