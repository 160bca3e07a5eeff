/**
 * OTLP requests made from numbers, so that whoever reads a store can say which spans and events of it must be there:
 * request `n` holds the spans `n * spansPerRequest` and following. Times lie around a midnight of UTC, so that blocks go
 * over two partitions; a trace has spans in several requests.
 */
import { encodeLogs, encodeTraces, type LogRecord, type Span } from './otlp-encode.ts'

export const spansPerRequest = 8
export const eventsPerRequest = 3
/** Spans with consecutive numbers that share a trace: more than a request holds. */
const spansPerTrace = 20
const services = ['cart', 'checkout', 'payment', 'stock']

/** The last midnight of UTC before the present one: far enough in the past for every clock, young enough to be kept. */
export const midnight = BigInt(Math.floor(Date.now() / 86_400_000)) * 86_400_000_000_000n

const origin = (n: number) => ({
  attributes: [{ key: 'service.name', value: { type: 'string', value: services[n % services.length]! } as const }],
  dropped: 0,
  schemaUrl: '',
})
const scope = { name: 'numbered', version: '1', attributes: [], dropped: 0, schemaUrl: '' }

export function traceIdOf(span: number): string {
  return `7e57${Math.floor(span / spansPerTrace)
    .toString(16)
    .padStart(28, '0')}`
}

export function spanIdOf(span: number): string {
  return `7e${span.toString(16).padStart(14, '0')}`
}

/** Numbers of the spans in request `n`. */
export function spansOf(n: number): number[] {
  return Array.from({ length: spansPerRequest }, (_, i) => n * spansPerRequest + i)
}

/** Every other span on the day before. */
function startOf(span: number): bigint {
  const offset = BigInt(span % 1000) * 1_000_000n
  return span % 2 === 0 ? midnight + offset : midnight - 1_000_000_000n - offset
}

export function traceRequest(n: number): Buffer {
  return encodeSpans(spansOf(n), n)
}

/** The second half of the spans of request `n` and the first half of the next one, as in the request of a client that repeats some of them. */
export function straddlingRequest(n: number): Buffer {
  const half = spansPerRequest / 2
  return encodeSpans(
    spansOf(n).map((span) => span + half),
    n,
  )
}

function encodeSpans(numbers: readonly number[], n: number): Buffer {
  const rows = numbers.map((span): Span => ({
    traceId: Buffer.from(traceIdOf(span), 'hex'),
    spanId: Buffer.from(spanIdOf(span), 'hex'),
    traceState: '',
    parentSpanId: new Uint8Array(0),
    flags: 1,
    name: `step ${span % 5}`,
    kind: 2,
    start: startOf(span),
    end: startOf(span) + 3_000_000n,
    attributes: [{ key: 'number', value: { type: 'int', value: BigInt(span) } }],
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: span % 7 === 0 ? 2 : 0, message: '' },
  }))
  return encodeTraces({ resources: [{ resource: origin(n), scopes: [{ scope, rows }] }] })
}

/** The same request as OTLP JSON. */
export function traceRequestJson(n: number): string {
  const spans = spansOf(n).map((span) => ({
    traceId: traceIdOf(span),
    spanId: spanIdOf(span),
    flags: 1,
    name: `step ${span % 5}`,
    kind: 2,
    startTimeUnixNano: String(startOf(span)),
    endTimeUnixNano: String(startOf(span) + 3_000_000n),
    attributes: [{ key: 'number', value: { intValue: String(span) } }],
    status: { code: span % 7 === 0 ? 2 : 0 },
  }))
  const attributes = [{ key: 'service.name', value: { stringValue: services[n % services.length] } }]
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: {}, spans }] }] })
}

/** Events whose bodies are `event NUMBER`. */
export function logRequest(n: number): Buffer {
  const rows = Array.from({ length: eventsPerRequest }, (_, i): LogRecord => {
    const number = n * eventsPerRequest + i
    return {
      time: startOf(number),
      observed: startOf(number),
      severityNumber: 9,
      severityText: 'INFO',
      body: { type: 'string', value: `event ${number}` },
      attributes: [],
      dropped: 0,
      flags: 0,
      traceId: Buffer.from(traceIdOf(number), 'hex'),
      spanId: Buffer.from(spanIdOf(number), 'hex'),
      eventName: '',
    }
  })
  return encodeLogs({ resources: [{ resource: origin(n), scopes: [{ scope, rows }] }] })
}
