/** The OpenTelemetry SDK for JavaScript, through each of its exporters, into the running program and back out. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type HrTime,
} from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as GrpcLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { LoggerProvider, SimpleLogRecordProcessor, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base'
import type { AnyValueJson } from '../../src/model/attributes.ts'
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'
import { storedEvents, storedSpans, type FlatSpan } from './otlp-stored.ts'

let clew: ServedClew

before(async () => {
  clew = await serveClew()
})
after(() => clew?.stop())

/** The SDK's own enum for gzip cannot be named where types are only stripped. */
const gzip = 'gzip' as never

const traceExporters: Record<string, () => SpanExporter> = {
  'HTTP with protobuf': () => new ProtoTraceExporter({ url: `${clew.otlpUrl}/v1/traces` }),
  'HTTP with protobuf, gzip': () => new ProtoTraceExporter({ url: `${clew.otlpUrl}/v1/traces`, compression: gzip }),
  'HTTP with JSON': () => new JsonTraceExporter({ url: `${clew.otlpUrl}/v1/traces` }),
  'HTTP with JSON, gzip': () => new JsonTraceExporter({ url: `${clew.otlpUrl}/v1/traces`, compression: gzip }),
  gRPC: () => new GrpcTraceExporter({ url: `http://127.0.0.1:${clew.port('otlp/grpc')}` }),
  'gRPC, gzip': () => new GrpcTraceExporter({ url: `http://127.0.0.1:${clew.port('otlp/grpc')}`, compression: gzip }),
}

for (const [name, makeExporter] of Object.entries(traceExporters)) {
  test(`spans over ${name} come back field for field`, async () => {
    const sent = await sendSpans(makeExporter())
    const expected = sent.map(expectedSpan).sort((a, b) => (a.spanId < b.spanId ? -1 : 1))
    assert.equal(expected.length, 3)
    assert.deepEqual(await storedSpans(clew.url, expected[0]!.traceId, 3), expected)
  })
}

/** Three spans that use all that a span can carry; answers them as the SDK holds them. */
async function sendSpans(exporter: SpanExporter): Promise<ReadableSpan[]> {
  const memory = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'till', 'host.cpus': 4, 'host.tags': ['a', 'b'] }),
    spanLimits: { eventCountLimit: 2, linkCountLimit: 2, attributeCountLimit: 9 },
    spanProcessors: [new BatchSpanProcessor(exporter), new SimpleSpanProcessor(memory)],
  })
  const tracer = provider.getTracer('till-lib', '1.2.3', { schemaUrl: 'https://opentelemetry.io/schemas/1.27.0' })
  const root = tracer.startSpan(
    'POST /pay',
    { kind: SpanKind.SERVER, startTime: [1_790_000_000, 123_456_789] },
    ROOT_CONTEXT,
  )
  root.setAttributes({
    text: 'naïve ☕ "quoted"\n',
    yes: true,
    no: false,
    int: -9_007_199_254_740_991,
    double: 0.1,
    texts: ['a', '', 'c'],
    ints: [1, -2, 3],
    doubles: [0.5, 1.25],
    empty: [],
    'one too many': 1,
  })
  for (let i = 0; i < 3; i++) root.addEvent(`event ${i}`, { attempt: i }, [1_790_000_000, 200_000_000 + i])
  const inRoot = trace.setSpan(ROOT_CONTEXT, root)
  const child = tracer.startSpan('SELECT', { kind: SpanKind.CLIENT, links: [0, 1, 2].map(() => link(root)) }, inRoot)
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'deadlock' })
  child.recordException(new TypeError('boom'))
  child.end()
  const plain = context.with(inRoot, () => tracer.startSpan('plain', {}, inRoot))
  plain.setStatus({ code: SpanStatusCode.OK })
  plain.end()
  root.end([1_790_000_001, 1])
  await provider.forceFlush()
  const spans = memory.getFinishedSpans()
  await provider.shutdown()
  return [...spans]
}

function link(span: { spanContext(): { traceId: string } }) {
  const { traceId } = span.spanContext()
  return { context: { traceId, spanId: 'aaaaaaaaaaaaaaaa', traceFlags: 1 }, attributes: { why: 'batch' } }
}

function nanos([seconds, rest]: HrTime): string {
  return (BigInt(seconds) * 1_000_000_000n + BigInt(rest)).toString()
}

function expectedSpan(span: ReadableSpan): FlatSpan {
  const { traceId, spanId, traceState } = span.spanContext()
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? '',
    traceState: traceState?.serialize() ?? '',
    // Sampled, and "whether the parent is remote is known" (trace.proto SpanFlags).
    flags: 0x101,
    name: span.name,
    // The API counts kinds from 0, OTLP has "unspecified" before them.
    kind: span.kind + 1,
    start: nanos(span.startTime),
    end: nanos(span.endTime),
    attributes: expectedAttributes(span.attributes),
    dropped: {
      attributes: span.droppedAttributesCount,
      events: span.droppedEventsCount,
      links: span.droppedLinksCount,
    },
    events: span.events.map(({ time, name, attributes = {}, droppedAttributesCount = 0 }) => ({
      time: nanos(time),
      name,
      attributes: expectedAttributes(attributes),
      dropped: droppedAttributesCount,
    })),
    links: span.links.map((each) => ({
      traceId: each.context.traceId,
      spanId: each.context.spanId,
      traceState: each.context.traceState?.serialize() ?? '',
      attributes: expectedAttributes(each.attributes ?? {}),
      dropped: each.droppedAttributesCount ?? 0,
    })),
    status: { code: span.status.code, message: span.status.message ?? '' },
    scope: {
      name: span.instrumentationScope.name,
      version: span.instrumentationScope.version ?? '',
      schemaUrl: span.instrumentationScope.schemaUrl ?? '',
      attributes: {},
    },
    resource: expectedAttributes(span.resource.attributes as Attributes),
  }
}

function expectedAttributes(attributes: Attributes): Record<string, AnyValueJson> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, expectedValue(value)]))
}

function expectedValue(value: unknown): AnyValueJson {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(expectedValue) } }
  throw new Error(`no OTLP value for ${String(value)}`)
}

const logExporters: Record<string, () => LogRecordExporter> = {
  'HTTP with protobuf': () => new ProtoLogExporter({ url: `${clew.otlpUrl}/v1/logs` }),
  'HTTP with JSON': () => new JsonLogExporter({ url: `${clew.otlpUrl}/v1/logs` }),
  gRPC: () => new GrpcLogExporter({ url: `http://127.0.0.1:${clew.port('otlp/grpc')}` }),
}

for (const [name, makeExporter] of Object.entries(logExporters)) {
  test(`log records over ${name} come back with their span`, async () => {
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'till' }),
      processors: [new SimpleLogRecordProcessor({ exporter: makeExporter() } as never)],
    })
    const spanContext = { traceId: traceIdOf(name), spanId: '00f067aa0ba902b7', traceFlags: 1 }
    const logger = provider.getLogger('till-log', '2.0')
    logger.emit({
      timestamp: [1_790_000_000, 5],
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      eventName: 'payment.retried',
      body: 'paid after 3 tries',
      attributes: { tries: 3, card: 'visa' },
      context: trace.setSpanContext(ROOT_CONTEXT, spanContext),
    })
    await provider.forceFlush()
    await provider.shutdown()
    const [event] = await storedEvents(clew.url, spanContext.traceId, 1)
    assert.equal(event!['timeUnixNano'], '1790000000000000005')
    assert.equal(event!['type'], 'payment.retried')
    assert.equal(event!['body'], 'paid after 3 tries')
    assert.deepEqual([event!['severityNumber'], event!['severityText']], [13, 'WARN'])
    assert.deepEqual([event!['traceId'], event!['spanId']], [spanContext.traceId, spanContext.spanId])
    assert.deepEqual(event!['attributes'], { card: { stringValue: 'visa' }, tries: { intValue: '3' } })
    assert.equal((event!['source'] as { service: string }).service, 'till')
  })
}

function traceIdOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32)
}

test('metrics are turned away without an error in the SDK, and counted', async () => {
  const exporter = new OTLPMetricExporter({ url: `${clew.otlpUrl}/v1/metrics` })
  const provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  })
  provider.getMeter('till').createCounter('payments').add(3)
  await provider.forceFlush()
  await provider.shutdown()
  const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { received: Record<string, unknown>[] }
  const counts = status.received.find((each) => each['protocol'] === 'otlp/http' && each['signal'] === 'metrics')
  // One data point a request; the SDK exports once more when it shuts down.
  assert.ok(Number(counts?.['requests']) >= 1)
  assert.deepEqual([counts?.['accepted'], counts?.['rejected']], [0, counts?.['requests']])
})
