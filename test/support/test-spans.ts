/**
 * Spans for tests of the store: drawn as text or made at random, and stored through the real blocks.
 *
 * One line a span, indented under its parent: `service name at+duration [kind] [error] [key=value …]`, such as
 *   web "GET /" 0s+200ms server
 *     web call 10ms+150ms client
 *       cart reserve 20ms+100ms server error user.id=7
 * `link=N` links to the root span N. Times are from `origin`. A line at the margin begins a new trace, unless it says `parent=N` (a span id).
 */
import type { AttributeValue } from '../../src/model/attributes.ts'
import type { Attribute } from '../../src/model/attributes.ts'
import { EventBatchBuilder, type EventBatch } from '../../src/model/event-batch.ts'
import { emptyScope, makeResource, type Resource } from '../../src/model/resource.ts'
import { SpanBatchBuilder, spanKinds, type SpanBatch, type SpanLink } from '../../src/model/span-batch.ts'
import { parseDuration } from '../../src/base/duration.ts'

export interface TestSpan {
  /** 32, 16 and 16 hex digits; '' for a root. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly service: string
  readonly name: string
  /** OTLP numbers. */
  readonly kind: number
  readonly status: number
  readonly startNs: bigint
  readonly durationNs: bigint
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Beside `service.name`. */
  readonly resource: Readonly<Record<string, string>>
  /** Hex digits as above. */
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

export const second = 1_000_000_000n

export function drawSpans(text: string, origin: bigint, ids = { next: 1 }): TestSpan[] {
  const spans: TestSpan[] = []
  const open: { indent: number; span: TestSpan }[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const indent = line.length - line.trimStart().length
    while (open.length > 0 && open.at(-1)!.indent >= indent) open.pop()
    const span = drawSpan(line.trim(), origin, { parent: open.at(-1)?.span, id: ids.next++ })
    spans.push(span)
    open.push({ indent, span })
  }
  return spans
}

function drawSpan(
  line: string,
  origin: bigint,
  { parent, id }: { parent: TestSpan | undefined; id: number },
): TestSpan {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!)
  const [service, name, time, ...rest] = words as [string, string, string, ...string[]]
  const [at, lasts] = time.split('+').map((text) => parseDuration(text)!) as [bigint, bigint]
  const pairs = rest.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string])
  const kind = spanKinds.findIndex((name) => rest.includes(name))
  return {
    traceId: parent?.traceId ?? hexId(id, 32),
    spanId: hexId(id, 16),
    parentSpanId: parent?.spanId ?? '',
    service,
    name,
    kind: kind < 0 ? 1 : kind,
    status: rest.includes('error') ? 2 : 0,
    startNs: origin + at,
    durationNs: lasts,
    attributes: Object.fromEntries(
      pairs.filter(([key]) => key !== 'link' && !key.startsWith('@')).map(([key, value]) => [key, typed(value)]),
    ),
    resource: Object.fromEntries(
      pairs.filter(([key]) => key.startsWith('@')).map(([key, value]) => [key.slice(1), value]),
    ),
    links: pairs
      .filter(([key]) => key === 'link')
      .map(([, id]) => ({ traceId: hexId(Number(id), 32), spanId: hexId(Number(id), 16) })),
  }
}

function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

export function hexId(id: number, digits: number): string {
  return id.toString(16).padStart(digits, '0')
}

export function spanBatchOf(spans: readonly TestSpan[]): SpanBatch {
  const builder = new SpanBatchBuilder()
  builder.reset()
  const resources = new Resources()
  builder.scopes.push(emptyScope)
  for (const span of spans) {
    const row = builder.beginRow()
    builder.traceIds.set(Buffer.from(span.traceId, 'hex'), row * 16)
    builder.spanIds.set(Buffer.from(span.spanId, 'hex'), row * 8)
    if (span.parentSpanId !== '') builder.parentSpanIds.set(Buffer.from(span.parentSpanId, 'hex'), row * 8)
    builder.setTimes(row, span.startNs, span.startNs + span.durationNs)
    builder.kinds[row] = span.kind
    builder.statuses[row] = span.status
    builder.names[row] = builder.internText(span.name)
    builder.resourceIndexes[row] = resources.indexOf(span.service, span.resource)
    builder.scopeIndexes[row] = 0
    for (const { key, value } of attributesOf(span.attributes)) {
      builder.attributes.addValue(builder.internText(key), value, builder)
    }
    if (span.links !== undefined && span.links.length > 0) builder.links.set(row, span.links.map(linkOf))
    builder.endRow()
  }
  builder.resources = resources.all
  return builder.finish()
}

function linkOf({ traceId, spanId }: { traceId: string; spanId: string }): SpanLink {
  return {
    traceId: Buffer.from(traceId, 'hex'),
    spanId: Buffer.from(spanId, 'hex'),
    traceState: '',
    attributes: '',
    droppedAttributesCount: 0,
    flags: 0,
  }
}

export interface TestEvent {
  readonly timeNs: bigint
  readonly service: string
  readonly body: string
  readonly resource: Readonly<Record<string, string>>
  /** 32 hex digits. */
  readonly traceId?: string
  /** OTLP number; 9 (info) when not given. */
  readonly severity?: number
}

export function eventBatchOf(events: readonly TestEvent[]): EventBatch {
  const builder = new EventBatchBuilder()
  builder.reset('otlp')
  const resources = new Resources()
  builder.scopes.push(emptyScope)
  for (const event of events) {
    const row = builder.beginRow()
    builder.setTimes(row, event.timeNs, event.timeNs, 1n)
    builder.setBody(row, 1, event.body)
    builder.severityNumbers[row] = event.severity ?? 9
    if (event.traceId !== undefined) builder.traceIds.set(Buffer.from(event.traceId, 'hex'), row * 16)
    builder.resourceIndexes[row] = resources.indexOf(event.service, event.resource)
    builder.scopeIndexes[row] = 0
    builder.endRow()
  }
  builder.resources = resources.all
  return builder.finish()
}

class Resources {
  readonly all: Resource[] = []
  readonly #places = new Map<string, number>()

  indexOf(service: string, more: Readonly<Record<string, string>>): number {
    const key = JSON.stringify([service, more])
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.all.push(makeResource(attributesOf({ 'service.name': service, ...more }))) - 1
      this.#places.set(key, place)
    }
    return place
  }
}

function attributesOf(plain: Readonly<Record<string, string | number | boolean>>): Attribute[] {
  return Object.entries(plain).map(([key, value]) => attributeOf(key, value))
}

export function attributeOf(key: string, value: string | number | boolean): Attribute {
  return { key, value: valueOf(value) }
}

function valueOf(value: string | number | boolean): AttributeValue {
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'boolean') return { type: 'bool', value }
  return Number.isInteger(value) ? { type: 'int', value: BigInt(value) } : { type: 'double', value }
}
