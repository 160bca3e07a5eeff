import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { InputError } from '../../base/errors.ts'
import { damaged, plainAttributes, seededRandom, spansOf } from '../../../test/support/span-decoding.ts'
import type { Codec } from '../codec.ts'
import {
  structs,
  writeThrift,
  type ThriftEncoding,
  type ThriftField,
  type ThriftStruct,
} from '../../../test/support/apache-thrift.ts'
import { encodePeerMessages } from '../framing/peer-messages.ts'
import { jaegerAgentDatagrams } from './agent.ts'
import { jaegerProtobuf } from './protobuf.ts'
import { jaegerThriftBatch } from './thrift.ts'

const encodeDatagrams = (datagrams: readonly Uint8Array[]): Uint8Array =>
  encodePeerMessages(datagrams.map((body) => ({ peer: '127.0.0.1', body })))

const context = { receivedAtMs: 1_700_000_000_000 }

interface Tags {
  readonly [key: string]: string | boolean | bigint | number | Uint8Array
}
interface Reference {
  readonly type: 0 | 1
  readonly traceId: string
  readonly spanId: string
}
/** The spans that both encodings are written from. */
interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly references?: readonly Reference[]
  readonly flags?: number
  readonly startMicros: bigint
  readonly durationMicros: bigint
  readonly tags?: Tags
  readonly logs?: readonly { readonly micros: bigint; readonly fields: Tags }[]
}
interface Batch {
  readonly service: string
  readonly tags: Tags
  readonly spans: readonly Span[]
}

const traceId = '5982fe77008310cc80f1da5e10147517'
const otherTraceId = '0000000000000000a1b2c3d4e5f60718'
const span: Span = {
  traceId,
  spanId: '67fae42571535f60',
  parentSpanId: '90394f6bcffb5d13',
  name: 'HTTP GET',
  references: [
    { type: 0, traceId, spanId: '90394f6bcffb5d13' },
    { type: 1, traceId: otherTraceId, spanId: '00000000000000ff' },
  ],
  flags: 3,
  startMicros: 1_516_781_775_726_123n,
  durationMicros: 26_001n,
  tags: {
    'span.kind': 'client',
    text: 'grüß',
    whole: -(1n << 62n),
    ratio: -0.5,
    yes: true,
    no: false,
    bytes: Uint8Array.of(0, 255, 128),
    error: true,
    'otel.status_description': 'bad',
    'otel.scope.name': 'lib',
    'w3c.tracestate': 'a=b',
  },
  logs: [
    { micros: 1_516_781_775_727_000n, fields: { event: 'retry', attempt: 2n } },
    { micros: 1_516_781_775_728_000n, fields: { message: 'plain' } },
  ],
}
const batch: Batch = {
  service: 'driver',
  tags: { hostname: 'h1', ip: '10.0.0.1', 'jaeger.version': 'Node-3.19.0', cores: 4n },
  spans: [span],
}

const words = (hex: string): [high: bigint, low: bigint] => [
  BigInt(`0x${hex.slice(0, 16)}`),
  BigInt(`0x${hex.slice(16)}`),
]

function thriftTag(key: string, value: Tags[string]): ThriftStruct {
  const field: [number, ThriftField] =
    typeof value === 'string'
      ? [0, [3, 'string', value]]
      : typeof value === 'number'
        ? [1, [4, 'double', value]]
        : typeof value === 'boolean'
          ? [2, [5, 'bool', value]]
          : typeof value === 'bigint'
            ? [3, [6, 'i64', value]]
            : [4, [7, 'string', value]]
  return [[1, 'string', key], [2, 'i32', field[0]], field[1]]
}
const thriftTags = (tags: Tags): ThriftField[2] =>
  structs(...Object.entries(tags).map(([key, value]) => thriftTag(key, value)))

function thriftSpan(from: Span): ThriftStruct {
  const [high, low] = words(from.traceId)
  const references = (from.references ?? []).map((reference): ThriftStruct => {
    const [refHigh, refLow] = words(reference.traceId)
    return [
      [1, 'i32', reference.type],
      [2, 'i64', refLow],
      [3, 'i64', refHigh],
      [4, 'i64', BigInt(`0x${reference.spanId}`)],
    ]
  })
  const logs = (from.logs ?? []).map((log): ThriftStruct => [
    [1, 'i64', log.micros],
    [2, 'list', thriftTags(log.fields)],
  ])
  return [
    [1, 'i64', low],
    [2, 'i64', high],
    [3, 'i64', BigInt(`0x${from.spanId}`)],
    [4, 'i64', BigInt(`0x${from.parentSpanId ?? '0'}`)],
    [5, 'string', from.name],
    [6, 'list', structs(...references)],
    [7, 'i32', from.flags ?? 0],
    [8, 'i64', from.startMicros],
    [9, 'i64', from.durationMicros],
    [10, 'list', thriftTags(from.tags ?? {})],
    [11, 'list', structs(...logs)],
  ]
}
const thriftProcess = ({ service, tags }: Batch): ThriftField => [
  1,
  'struct',
  [
    [1, 'string', service],
    [2, 'list', thriftTags(tags)],
  ],
]
const thriftBatch = (from: Batch): ThriftStruct => [
  thriftProcess(from),
  [2, 'list', structs(...from.spans.map(thriftSpan))],
  [3, 'i64', 9n],
]

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Time { int64 seconds = 1; int32 nanos = 2; }
  message KeyValue { string key = 1; int32 v_type = 2; string v_str = 3; bool v_bool = 4; int64 v_int64 = 5; double v_float64 = 6; bytes v_binary = 7; }
  message Log { Time timestamp = 1; repeated KeyValue fields = 2; }
  message SpanRef { bytes trace_id = 1; bytes span_id = 2; int32 ref_type = 3; }
  message Process { string service_name = 1; repeated KeyValue tags = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string operation_name = 3; repeated SpanRef references = 4; uint32 flags = 5;
    Time start_time = 6; Time duration = 7; repeated KeyValue tags = 8; repeated Log logs = 9; Process process = 10;
    string process_id = 11; repeated string warnings = 12;
  }
  message Batch { repeated Span spans = 1; Process process = 2; }
  message PostSpansRequest { Batch batch = 1; }
`)
const PostSpansRequest = root.lookupType('PostSpansRequest')
const keyValues = (tags: Tags): object[] =>
  Object.entries(tags).map(([key, value]) => {
    if (typeof value === 'string') return { key, vType: 0, vStr: value }
    if (typeof value === 'boolean') return { key, vType: 1, vBool: value }
    if (typeof value === 'bigint') return { key, vType: 2, vInt64: String(value) }
    return typeof value === 'number' ? { key, vType: 3, vFloat64: value } : { key, vType: 4, vBinary: value }
  })
const time = (micros: bigint): object => ({
  seconds: String(micros / 1_000_000n),
  nanos: Number(micros % 1_000_000n) * 1000,
})
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

function protobufSpan(from: Span): object {
  const parent =
    from.parentSpanId === undefined ? [] : [{ type: 0, traceId: from.traceId, spanId: from.parentSpanId } as const]
  const others = (from.references ?? []).filter((reference) => reference.spanId !== from.parentSpanId)
  return {
    traceId: hex(from.traceId),
    spanId: hex(from.spanId),
    operationName: from.name,
    references: [...parent, ...others].map(({ type, traceId: id, spanId }) => ({
      refType: type,
      traceId: hex(id),
      spanId: hex(spanId),
    })),
    flags: from.flags ?? 0,
    startTime: time(from.startMicros),
    duration: time(from.durationMicros),
    tags: keyValues(from.tags ?? {}),
    logs: (from.logs ?? []).map((log) => ({ timestamp: time(log.micros), fields: keyValues(log.fields) })),
  }
}
const encodeProtobuf = (request: object): Buffer =>
  Buffer.from(PostSpansRequest.encode(PostSpansRequest.fromObject(request)).finish())
const protobufBatch = (from: Batch): Buffer =>
  encodeProtobuf({
    batch: { spans: from.spans.map(protobufSpan), process: { serviceName: from.service, tags: keyValues(from.tags) } },
  })

const datagram = (encoding: ThriftEncoding, from: Batch): Buffer =>
  writeThrift(encoding, [[1, 'struct', thriftBatch(from)]], { name: 'emitBatch', type: 4 })

const encoders: Record<string, [Codec, (from: Batch) => Uint8Array]> = {
  'thrift over HTTP': [jaegerThriftBatch, (from) => writeThrift('binary', thriftBatch(from))],
  'compact datagrams': [jaegerAgentDatagrams, (from) => encodeDatagrams([datagram('compact', from)])],
  'binary datagrams': [jaegerAgentDatagrams, (from) => encodeDatagrams([datagram('binary', from)])],
  'old binary datagrams': [jaegerAgentDatagrams, (from) => encodeDatagrams([datagram('old binary', from)])],
  protobuf: [jaegerProtobuf, protobufBatch],
}
const decodeWith = (name: string, from: Batch): ReturnType<Codec['decode']> => {
  const [codec, encode] = encoders[name]!
  return codec.decode(encode(from), context)
}

for (const name of Object.keys(encoders)) {
  test(`every field of a span in ${name} has its place in the row`, () => {
    const decoded = decodeWith(name, batch)
    assert.equal(decoded.rejectedReason, '')
    const [row, ...others] = spansOf(decoded.batch)
    assert.equal(others.length, 0)
    const { attributes, events, links, ...rest } = row!
    assert.deepEqual(rest, {
      traceId,
      spanId: '67fae42571535f60',
      parentSpanId: '90394f6bcffb5d13',
      traceState: 'a=b',
      flags: 1,
      name: 'HTTP GET',
      kind: 3,
      startTimeUnixNano: 1_516_781_775_726_123_000n,
      durationNano: 26_001_000n,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
      statusCode: 2,
      statusMessage: 'bad',
      resource:
        '{"attributes":{"service.name":"driver","host.name":"h1","ip":"10.0.0.1","jaeger.version":"Node-3.19.0","cores":4}}',
      scope: '{"name":"lib"}',
    })
    assert.deepEqual(plainAttributes(attributes), {
      text: 'grüß',
      whole: -(1n << 62n),
      ratio: -0.5,
      yes: true,
      no: false,
      bytes: Buffer.of(0, 255, 128),
      'jaeger.flags': 3n,
    })
    assert.deepEqual(
      events.map((event) => [event.timeUnixNano, event.name, plainAttributes(event.attributes)]),
      [
        [1_516_781_775_727_000_000n, 'retry', { attempt: 2n }],
        [1_516_781_775_728_000_000n, 'log', { message: 'plain' }],
      ],
    )
    assert.deepEqual(
      links.map((link) => [link.traceId, link.spanId, plainAttributes(link.attributes)]),
      [[otherTraceId, '00000000000000ff', { 'opentracing.ref_type': 'follows_from' }]],
    )
  })

  test(`only the invalid span in ${name} is left out`, () => {
    const spans = [
      span,
      { ...span, spanId: '0'.repeat(16) },
      { ...span, traceId: '0'.repeat(32) },
      { ...span, startMicros: -1n },
      span,
    ]
    const { batch: rows, rejected, rejectedReason } = decodeWith(name, { ...batch, spans })
    assert.equal(rows.rows, 2)
    assert.equal(rejected, 3)
    assert.match(rejectedReason, /span id is missing or all zero/)
    assert.deepEqual(spansOf(rows), spansOf(decodeWith(name, { ...batch, spans: [span, span] }).batch))
  })

  test(`invalid UTF-8 in ${name} is repaired and counted`, () => {
    const [codec, encode] = encoders[name]!
    for (const text of ['name-of-2', 'key-of-2', 'value-of-2', 'field-of-2', 'host-of-2', 'driver']) {
      const second: Span = {
        ...span,
        name: 'name-of-2',
        tags: { 'key-of-2': 'value-of-2' },
        logs: [{ micros: 1n, fields: { a: 'field-of-2' } }],
      }
      const bytes = Buffer.from(encode({ ...batch, tags: { hostname: 'host-of-2' }, spans: [span, second, span] }))
      bytes[bytes.indexOf(text)] = 0xff
      for (let time = 0; time < 2; time++) {
        const { batch: rows, rejected, repaired, repairedReason } = codec.decode(bytes, context)
        assert.deepEqual([rows.rows, rejected, repaired], [3, 0, 1], text)
        assert.match(repairedReason!, /not valid UTF-8/)
        const [first, row, last] = spansOf(rows)
        const printed = JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
        assert.ok(printed.includes(`\ufffd${text.slice(1)}`), printed)
        assert.deepEqual(last, first)
      }
    }
  })

  test(`damaged ${name} end in an error or in rows`, () => {
    const [codec, encode] = encoders[name]!
    const random = seededRandom(11)
    const body = encode({ ...batch, spans: [span, span] })
    let strange = 0
    for (let round = 0; round < 3000; round++) {
      try {
        const { batch: rows, rejected } = codec.decode(damaged(body, random), context)
        spansOf(rows)
        if (rejected > 0) strange++
      } catch (error) {
        assert.ok(error instanceof InputError, String(error))
        strange++
      }
    }
    assert.ok(strange > 500)
  })
}

const parents: readonly [references: readonly Reference[], parent: string, links: string[]][] = [
  [[], '', []],
  [[{ type: 0, traceId, spanId: '000000000000000a' }], '000000000000000a', []],
  [
    [
      { type: 1, traceId, spanId: '000000000000000b' },
      { type: 0, traceId, spanId: '000000000000000a' },
    ],
    '000000000000000a',
    ['0b follows_from'],
  ],
  [[{ type: 1, traceId, spanId: '000000000000000b' }], '000000000000000b', ['0b follows_from']],
  [[{ type: 0, traceId: otherTraceId, spanId: '000000000000000c' }], '', ['0c child_of']],
  [
    [
      { type: 0, traceId, spanId: '000000000000000a' },
      { type: 0, traceId, spanId: '000000000000000d' },
    ],
    '000000000000000a',
    ['0d child_of'],
  ],
  // Clients write this for a context that had only baggage or a debug id.
  [[{ type: 0, traceId: '0'.repeat(32), spanId: '0'.repeat(16) }], '', []],
  // References to the span itself are skipped; the next one counts.
  [[{ type: 0, traceId, spanId: span.spanId }], '', []],
  [
    [
      { type: 0, traceId, spanId: span.spanId },
      { type: 0, traceId, spanId: '000000000000000a' },
    ],
    '000000000000000a',
    [],
  ],
  [
    [
      { type: 0, traceId, spanId: span.spanId },
      { type: 0, traceId, spanId: '0'.repeat(16) },
      { type: 1, traceId, spanId: '000000000000000b' },
    ],
    '000000000000000b',
    ['0b follows_from'],
  ],
]
for (const [references, parent, links] of parents) {
  test(`references ${references.map(({ type, spanId }) => `${type}:${spanId.slice(-2)}`).join(' ')} give parent "${parent}"`, () => {
    const { parentSpanId: _, ...orphan } = span
    for (const name of ['thrift over HTTP', 'protobuf']) {
      const [row] = spansOf(decodeWith(name, { ...batch, spans: [{ ...orphan, references }] }).batch)
      assert.equal(row!.parentSpanId, parent, name)
      const found = row!.links.map(
        (link) => `${link.spanId.slice(-2)} ${String(plainAttributes(link.attributes)['opentracing.ref_type'])}`,
      )
      assert.deepEqual(found, links, name)
    }
  })
}

test('a parent field that names the span itself leaves the parent to the references', () => {
  const references = [{ type: 0, traceId, spanId: '000000000000000a' }] as const
  for (const name of ['thrift over HTTP', 'protobuf', 'compact datagrams']) {
    const own = { ...span, parentSpanId: span.spanId, references }
    const [row] = spansOf(decodeWith(name, { ...batch, spans: [own] }).batch)
    assert.equal(row!.parentSpanId, '000000000000000a', name)
  }
})

test('a negative duration counts as none', () => {
  for (const name of ['thrift over HTTP', 'protobuf']) {
    const { batch: rows, rejected } = decodeWith(name, { ...batch, spans: [{ ...span, durationMicros: -3n }] })
    assert.deepEqual([rejected, spansOf(rows)[0]!.durationNano], [0, 0n], name)
  }
})

test('a process written after its spans still applies to them', () => {
  const struct = thriftBatch(batch)
  const { batch: rows } = jaegerThriftBatch.decode(writeThrift('binary', [struct[1]!, struct[0]!]), context)
  assert.match(spansOf(rows)[0]!.resource, /"service.name":"driver"/)
})

test('spans without a process are refused in thrift, where each batch must have one', () => {
  const { batch: rows, rejectedReason } = jaegerThriftBatch.decode(
    writeThrift('binary', [thriftBatch(batch)[1]!]),
    context,
  )
  assert.equal(rows.rows, 0)
  assert.match(rejectedReason, /a batch without a process/)
})

test('when a tag has several values its type selects one, as some clients write all of them', () => {
  const all = (type: number): ThriftStruct => [
    [1, 'string', `type ${type}`],
    [3, 'string', 'text'],
    [4, 'double', 1.5],
    [5, 'bool', true],
    [6, 'i64', 7n],
    [7, 'string', Uint8Array.of(1)],
    [2, 'i32', type],
  ]
  const struct: ThriftStruct = [
    ...thriftSpan(span).filter(([id]) => id !== 10),
    [10, 'list', structs(...[0, 1, 2, 3, 4].map(all))],
  ]
  const { batch: rows } = jaegerThriftBatch.decode(
    writeThrift('binary', [thriftProcess(batch), [2, 'list', structs(struct)]]),
    context,
  )
  const expected = {
    'type 0': 'text',
    'type 1': 1.5,
    'type 2': true,
    'type 3': 7n,
    'type 4': Buffer.of(1),
    'jaeger.flags': 3n,
  }
  assert.deepEqual(plainAttributes(spansOf(rows)[0]!.attributes), expected)
})

test("a span's own process wins over the batch's in protobuf", () => {
  const request = {
    batch: {
      spans: [{ ...protobufSpan(span), process: { serviceName: 'own' } }, protobufSpan(span)],
      process: { serviceName: 'batch' },
    },
  }
  const spans = spansOf(jaegerProtobuf.decode(encodeProtobuf(request), context).batch)
  assert.deepEqual(
    spans.map((row) => row.resource),
    ['{"attributes":{"service.name":"own"}}', '{"attributes":{"service.name":"batch"}}'],
  )
})

test('a record of datagrams keeps the valid ones and counts the others', () => {
  const zipkin: ThriftStruct = [
    [1, 'i64', 1n],
    [3, 'string', 'old'],
    [4, 'i64', 2n],
    [10, 'i64', 5n],
  ]
  const datagrams = [
    datagram('compact', batch),
    Buffer.from('garbage'),
    datagram('binary', batch).subarray(0, -30),
    Buffer.alloc(0),
    writeThrift('compact', [[1, 'struct', []]], { name: 'emitOther', type: 4 }),
    writeThrift('compact', [[1, 'struct', thriftBatch(batch)]], { name: 'emitBatch', type: 2 }),
    writeThrift('binary', [[1, 'list', structs(zipkin)]], { name: 'emitZipkinBatch', type: 1 }),
    datagram('binary', batch),
  ]
  const { batch: rows, rejected } = jaegerAgentDatagrams.decode(encodeDatagrams(datagrams), context)
  assert.deepEqual(
    spansOf(rows).map((row) => row.name),
    ['HTTP GET', 'old', 'HTTP GET'],
  )
  assert.equal(rejected, 5)
  const [first, , last] = spansOf(rows)
  assert.deepEqual(first, last)
})

test('a record that is not made of datagrams is refused', () => {
  for (const bytes of [[0], [0, 0, 0, 9, 1]]) {
    assert.throws(
      () => jaegerAgentDatagrams.decode(Uint8Array.from(bytes), context),
      /cannot decode messages: the body ends inside/,
    )
  }
})
