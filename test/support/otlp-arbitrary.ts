/** Random OTLP requests for properties: every attribute type, extremes of every number, all kinds of text. */
import fc from 'fast-check'
import type { Attribute, AttributeValue } from '../../src/model/attributes.ts'
import type { LogRecord, Origin, Request, ScopeOrigin, Span } from './otlp-encode.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const uint32 = fc.oneof(fc.constantFrom(0, 1, 0xffffffff), fc.nat())
const time = fc.oneof(fc.constantFrom(0n, 1n, (1n << 63n) - 1n), fc.bigInt(0n, (1n << 63n) - 1n))
const int64 = fc.oneof(
  fc.constantFrom(0n, -1n, (1n << 63n) - 1n, -(1n << 63n), 9007199254740993n, -9007199254740993n),
  fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
)
const double = fc.oneof(
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5, 1e21, 5e-324, Number.MAX_VALUE),
  fc.double(),
)

const { value } = fc.letrec<{ value: AttributeValue; entry: Attribute }>((tie) => ({
  entry: fc.record({ key: text, value: tie('value') }),
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'any-value' },
    fc.record({ type: fc.constant('string' as const), value: text }),
    fc.record({ type: fc.constant('int' as const), value: int64 }),
    fc.record({ type: fc.constant('double' as const), value: double }),
    fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
    fc.record({ type: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 8 }) }),
    fc.record({ type: fc.constant('empty' as const) }),
    fc.record({ type: fc.constant('array' as const), value: fc.array(tie('value'), { maxLength: 3 }) }),
    fc.record({ type: fc.constant('map' as const), value: fc.array(tie('entry'), { maxLength: 3 }) }),
  ),
}))

export const attributes: fc.Arbitrary<Attribute[]> = fc.uniqueArray(fc.record({ key: text, value }), {
  selector: ({ key }) => key,
  maxLength: 5,
})

const origin: fc.Arbitrary<Origin> = fc.record({ attributes, dropped: uint32, schemaUrl: text })
const scope: fc.Arbitrary<ScopeOrigin> = fc.record({
  attributes,
  dropped: uint32,
  schemaUrl: text,
  name: text,
  version: text,
})

const id = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).filter((each) => each.some((byte) => byte !== 0))
const optionalId = (bytes: number) =>
  fc.oneof(fc.constant(new Uint8Array(0)), fc.constant(new Uint8Array(bytes)), id(bytes))

const span: fc.Arbitrary<Span> = fc.record({
  traceId: id(16),
  spanId: id(8),
  traceState: text,
  parentSpanId: optionalId(8),
  flags: uint32,
  name: text,
  kind: fc.integer({ min: 0, max: 127 }),
  start: time,
  end: time,
  attributes,
  droppedAttributes: uint32,
  events: fc.array(fc.record({ time, name: text, attributes, dropped: uint32 }), { maxLength: 3 }),
  droppedEvents: uint32,
  links: fc.array(
    fc.record({ traceId: id(16), spanId: id(8), traceState: text, attributes, dropped: uint32, flags: uint32 }),
    { maxLength: 3 },
  ),
  droppedLinks: uint32,
  status: fc.record({ code: fc.integer({ min: 0, max: 127 }), message: text }),
})

const logRecord: fc.Arbitrary<LogRecord> = fc.record({
  time,
  observed: time,
  severityNumber: fc.integer({ min: 0, max: 127 }),
  severityText: text,
  body: fc.option(value, { nil: undefined }),
  attributes,
  dropped: uint32,
  flags: uint32,
  traceId: optionalId(16),
  spanId: optionalId(8),
  eventName: text,
})

function request<Row>(row: fc.Arbitrary<Row>): fc.Arbitrary<Request<Row>> {
  const scopes = fc.array(fc.record({ scope, rows: fc.array(row, { maxLength: 4 }) }), { maxLength: 2 })
  return fc.record({ resources: fc.array(fc.record({ resource: origin, scopes }), { maxLength: 3 }) })
}

export const tracesRequest: fc.Arbitrary<Request<Span>> = request(span)
export const logsRequest: fc.Arbitrary<Request<LogRecord>> = request(logRecord)
