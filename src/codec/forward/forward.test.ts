import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { Encoder, ExtData } from '@msgpack/msgpack'
import fc from 'fast-check'
import { InputError } from '../../base/errors.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import { forward } from './forward.ts'
import { forwardJson } from './forward-json.ts'

const receivedAtMs = 1_763_900_000_000

const pack = (value: unknown): Uint8Array =>
  new Encoder({ ignoreUndefined: true, useBigInt64: true } as never).encode(value)
const packAll = (...values: unknown[]): Uint8Array => Buffer.concat(values.map(pack))

function eventTime(seconds: number, nanos: number): ExtData {
  const data = Buffer.alloc(8)
  data.writeUInt32BE(seconds, 0)
  data.writeUInt32BE(nanos, 4)
  return new ExtData(0, data)
}

function decode(body: Uint8Array, codec = forward): { rows: EventRow[]; rejected: number; reason: string } {
  const { batch, rejected, rejectedReason } = codec.decode(Uint8Array.from(body), { receivedAtMs })
  return { rows: eventRows(batch as EventBatch), rejected, reason: rejectedReason }
}

const bodies = (body: Uint8Array): unknown[] => decode(body).rows.map((row) => row.body)

const seconds = 1_763_890_000
const at = BigInt(seconds) * 1_000_000_000n

test('Message mode: the record becomes an event of the tag', () => {
  const { rows, rejected } = decode(
    pack(['app.access', seconds, { message: 'hello', code: 200, ok: true, ratio: 0.5, none: null }]),
  )
  assert.equal(rejected, 0)
  assert.deepEqual(rows, [
    {
      time: at,
      body: 'hello',
      type: '',
      severity: '',
      traceId: '',
      spanId: '',
      flags: 0,
      service: 'app.access',
      scope: '',
      resource: { 'service.name': 'app.access' },
      attributes: { 'fluent.tag': 'app.access', code: 200n, ok: true, ratio: 0.5, none: null },
    },
  ])
})

test('Forward mode: one event per entry', () => {
  assert.deepEqual(
    bodies(
      pack([
        't',
        [
          [seconds, { log: 'a' }],
          [eventTime(seconds, 5), { log: 'b' }],
        ],
        { size: 2 },
      ]),
    ),
    ['a', 'b'],
  )
})

for (const [name, compress] of [
  ['plain', (bytes: Uint8Array) => bytes],
  ['gzip', zlib.gzipSync],
  ['zstd', zlib.zstdCompressSync],
] as const) {
  test(`PackedForward mode, ${name}, in several members`, () => {
    const members = [packAll([seconds, { log: 'a' }]), packAll([seconds, { log: 'b' }], [seconds, { log: 'c' }])]
    const packed = Buffer.concat(members.map((member) => compress(member)))
    const option = name === 'plain' ? { compressed: 'text' } : { compressed: name, size: 3 }
    assert.deepEqual(bodies(pack(['t', packed, option])), ['a', 'b', 'c'])
  })
}

test('a PackedForward stream may be a str, as old clients send it', () => {
  const entries = packAll([seconds, { log: 'a' }])
  const message = Buffer.concat([Buffer.from([0x92, 0xa1, 0x74, 0xd9, entries.length]), entries])
  assert.deepEqual(bodies(message), ['a'])
})

test('EventTime comes as fixext8 and as ext8', () => {
  const time = Buffer.from([0x69, 0x22, 0xd4, 0x50, 0x07, 0x5b, 0xcd, 0x15])
  const wanted = BigInt(time.readUInt32BE(0)) * 1_000_000_000n + 123_456_789n
  for (const header of [
    [0xd7, 0x00],
    [0xc7, 0x08, 0x00],
  ]) {
    const message = Buffer.concat([Buffer.from([0x93, 0xa1, 0x74, ...header]), time, pack({ log: 'x' })])
    assert.equal(decode(message).rows[0]!.time, wanted)
  }
})

test('every EventTime keeps all its bits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xfffffffd }), fc.integer({ min: 0, max: 999_999_999 }), (sec, nanos) => {
      const found = decode(pack(['t', eventTime(sec, nanos), {}])).rows[0]!.time
      assert.equal(found, BigInt(sec) * 1_000_000_000n + BigInt(nanos))
    }),
  )
})

test('times 0 and nil mean the time of receipt, and then the record may have its own time', () => {
  const times = (body: unknown) => decode(pack(body)).rows.map((row) => row.time)
  assert.deepEqual(
    times([
      't',
      [
        [0, {}],
        [eventTime(0, 0), {}],
        [null, {}],
      ],
    ]),
    [0n, 0n, 0n],
  )
  assert.deepEqual(times(['t', [[0, { timestamp: '2025-11-23T09:26:40Z' }]]]), [at])
  assert.deepEqual(decode(pack(['t', seconds, { time: 'noon' }])).rows[0]!.attributes, {
    'fluent.tag': 't',
    time: 'noon',
  })
  const { batch } = forward.decode(pack(['t', 0, {}]), { receivedAtMs })
  assert.equal((batch as EventBatch).times[0], BigInt(receivedAtMs) * 1_000_000n)
})

test("Fluent Bit's entries carry metadata next to the time", () => {
  const { rows } = decode(pack(['t', [[[eventTime(seconds, 1), { stream: 'stderr' }], { log: 'a' }]]]))
  assert.equal(rows[0]!.time, at + 1n)
  assert.deepEqual(rows[0]!.attributes, { 'fluent.tag': 't', stream: 'stderr' })
})

test('groups of logs that came as OTLP keep their resource, scope and fields', () => {
  const otlp = {
    severity_number: 17,
    severity_text: 'ERROR',
    trace_id: Buffer.from('4bf92f3577b34da6a3ce929d0e0e4736', 'hex'),
    span_id: '00f067aa0ba902b7',
    attributes: { 'http.route': '/pay' },
  }
  const entries = packAll(
    [
      [eventTime(0xffffffff, 0), {}],
      { resource: { attributes: { 'service.name': 'shop' } }, scope: { name: 'lib', version: '1' } },
    ],
    [[eventTime(seconds, 0), { otlp }], { log: 'paid', host: 'kept' }],
    [[eventTime(0xfffffffe, 0), {}], {}],
    [[eventTime(seconds, 0), {}], { log: 'outside' }],
  )
  const { rows, rejected } = decode(pack(['v1_logs', entries]))
  assert.equal(rejected, 0)
  const [inside, outside] = rows
  assert.deepEqual([inside!.service, inside!.scope, inside!.severity], ['shop', 'lib', '17 ERROR'])
  assert.deepEqual([inside!.traceId, inside!.spanId], ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'])
  assert.deepEqual(inside!.attributes, { 'fluent.tag': 'v1_logs', host: 'kept', 'http.route': '/pay' })
  assert.deepEqual([outside!.service, outside!.body], ['v1_logs', 'outside'])
})

test('values under common keys go to their columns', () => {
  const { rows } = decode(
    pack([
      'app',
      seconds,
      {
        message: 'x',
        level: 'warning',
        service: 'shop',
        host: 'web-1',
        pid: 42,
        logger: 'pay.card',
        type: 'payment.refused',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    ]),
  )
  const [row] = rows
  assert.deepEqual(row!.resource, { 'service.name': 'shop', 'host.name': 'web-1', 'process.pid': 42n })
  assert.deepEqual([row!.type, row!.severity, row!.scope, row!.flags], ['payment.refused', '13 warning', 'pay.card', 1])
  assert.deepEqual([row!.traceId, row!.spanId], ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'])
  assert.deepEqual(Object.keys(row!.attributes), ['fluent.tag', 'traceparent'])
})

test('ids of the current span link a record to its trace, and zeros do not', () => {
  const ids = (fields: object) => {
    const row = decode(pack(['t', seconds, fields])).rows[0]!
    return `${row.traceId}/${row.spanId} ${Object.keys(row.attributes).slice(1).join()}`
  }
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  assert.equal(ids({ otelTraceID: trace, otelSpanID: '00f067aa0ba902b7' }), `${trace}/00f067aa0ba902b7 `)
  assert.equal(ids({ trace_id: trace.toUpperCase() }), `${trace}/ `)
  assert.equal(ids({ otelTraceID: '0', otelSpanID: '0' }), '/ ')
  assert.equal(ids({ trace_id: 'tomorrow' }), '/ trace_id')
  assert.equal(ids({ message: `x trace_id=${trace} span_id=00f067aa0ba902b7` }), `${trace}/00f067aa0ba902b7 `)
  assert.equal(ids({ headers: { 'X-Amzn-Trace-Id': 'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736' } }), `${trace}/ headers`)
})

test('when two keys name the same thing the better one wins and the other stays an attribute', () => {
  const { rows } = decode(pack(['t', seconds, { log: 'raw line', message: 'parsed' }]))
  assert.equal(rows[0]!.body, 'parsed')
  assert.deepEqual(rows[0]!.attributes, { 'fluent.tag': 't', log: 'raw line' })
})

test('a container names its service, and Kubernetes metadata its pod', () => {
  const docker = decode(
    pack(['abc123', seconds, { container_name: '/shop', container_id: 'abc123', source: 'stdout', log: 'x' }]),
  ).rows[0]!
  assert.equal(docker.service, 'shop')
  assert.equal(docker.attributes.source, 'stdout')
  const kubernetes = {
    pod_name: 'pay-1',
    namespace_name: 'shop',
    container_name: 'pay',
    host: 'node-1',
    labels: { app: 'pay' },
  }
  const pod = decode(pack(['kube.x', seconds, { log: 'x', kubernetes }])).rows[0]!
  assert.equal(pod.service, 'pay')
  assert.deepEqual([pod.resource['k8s.pod.name'], pod.resource['k8s.node.name']], ['pay-1', 'node-1'])
  assert.deepEqual(pod.attributes.kubernetes, kubernetes)
})

test('types are kept: 64-bit integers, doubles, bytes, nested values', () => {
  const { rows } = decode(
    pack([
      't',
      seconds,
      {
        min: -(2n ** 63n),
        max: 2n ** 63n - 1n,
        over: 2n ** 64n - 1n,
        f: 1.5,
        raw: Buffer.from([0xff]),
        list: [1, 'a'],
        map: { k: [true] },
      },
    ]),
  )
  assert.deepEqual(rows[0]!.attributes, {
    'fluent.tag': 't',
    min: -(2n ** 63n),
    max: 2n ** 63n - 1n,
    over: '18446744073709551615',
    f: 1.5,
    raw: '/w==',
    list: [1n, 'a'],
    map: { k: [true] },
  })
})

test('text that is not UTF-8 is repaired, keys too', () => {
  const bad = Buffer.concat([
    Buffer.from([0x93, 0xa1, 0x74, 0x01, 0x83]),
    Buffer.from([0xa3, 0x6c, 0x6f, 0x67, 0xa2, 0x61, 0xff]),
    Buffer.from([0xa2, 0x6b, 0xfe, 0x01]),
    Buffer.from([0xa1, 0x6c, 0x02]),
  ])
  const { rows } = decode(Buffer.concat([bad, bad]))
  for (const row of rows) {
    assert.equal(row.body, 'a\ufffd')
    assert.deepEqual(row.attributes, { 'fluent.tag': 't', 'k\ufffd': 1n, l: 2n })
  }
  assert.equal(rows.length, 2)
})

test('only the bad entry is rejected', () => {
  const good = [seconds, { log: 'a' }]
  const { rows, rejected, reason } = decode(pack(['t', [good, 5, ['noon', {}], [seconds, 'text'], [seconds], good]]))
  assert.deepEqual([rows.length, rejected], [2, 4])
  assert.match(reason, /not an array of time and record/)
})

test('only the bad message is rejected', () => {
  const good = ['t', seconds, { log: 'a' }]
  const bad = [
    null,
    7,
    [],
    ['t'],
    [1, 2, 3],
    ['t', seconds],
    ['t', Buffer.from('x'), { compressed: 'gzip' }],
    ['t', good, { fluent_signal: 1 }],
  ]
  const { rows, rejected } = decode(packAll(good, ...bad, good))
  assert.deepEqual([rows.length, rejected], [2, bad.length])
})

test('a chunk that is cut short keeps the entries before the cut', () => {
  const entries = packAll([seconds, { log: 'a' }], [seconds, { log: 'b' }])
  const { rows, rejected } = decode(pack(['t', entries.subarray(0, -2)]))
  assert.deepEqual([rows.map((row) => row.body), rejected], [['a'], 1])
})

test('a small chunk cannot unpack to more than the bound', () => {
  const bomb = zlib.gzipSync(Buffer.alloc(65 * 1024 * 1024))
  const { rows, rejected, reason } = decode(pack(['t', bomb, { compressed: 'gzip', size: 9 }]))
  assert.deepEqual([rows.length, rejected], [0, 9])
  assert.match(reason, /larger than/)
})

test('only the deeply nested record is refused', () => {
  const nested = Buffer.concat([
    Buffer.from([0x93, 0xa1, 0x74, 0x01, 0x81, 0xa1, 0x6b]),
    Buffer.alloc(5000, 0x91),
    Buffer.from([0xc0]),
  ])
  const { rows, rejected } = decode(Buffer.concat([nested, pack(['t', 1, { log: 'a' }])]))
  assert.deepEqual([rows.length, rejected], [1, 1])
})

const json = (text: string) => decode(Buffer.from(text), forwardJson)

test('JSON messages are read like the packed ones', () => {
  const { rows, rejected } = json(
    `["app",${seconds},{"message":"a \\"quoted\\"","n":9007199254740993,"f":1.0}]\n["app",[[${seconds},{"log":"b"}],["x",{}],[0,{"log":"c"}]],{"chunk":"1"}]`,
  )
  assert.equal(rejected, 1)
  assert.deepEqual(
    rows.map((row) => row.body),
    ['a "quoted"', 'b', 'c'],
  )
  assert.deepEqual(rows[0]!.attributes, { 'fluent.tag': 'app', n: 9007199254740993n, f: 1 })
  assert.deepEqual(
    rows.map((row) => row.time),
    [at, at, 0n],
  )
})

const record = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })

test('every packed value is read back, key by key', () => {
  fc.assert(
    fc.property(record, (fields) => {
      const { rows, rejected } = decode(pack(['t', seconds, fields]))
      assert.deepEqual([rows.length, rejected], [1, 0])
    }),
  )
})

test('damaged messages only ever throw InputError', () => {
  const valid = packAll(
    [
      't',
      [
        [seconds, { log: 'a', n: 1 }],
        [[eventTime(seconds, 1), { m: 1 }], { level: 'info', kubernetes: { pod_name: 'x' } }],
      ],
      { chunk: 'c' },
    ],
    ['t', zlib.gzipSync(packAll([seconds, { log: 'z' }])), { compressed: 'gzip' }],
  )
  const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(flips, fc.nat(valid.length), (changes, length) => {
      const damaged = Uint8Array.from(valid)
      for (const [place, byte] of changes) damaged[place] = byte
      for (const body of [damaged, damaged.subarray(0, length)]) {
        for (const codec of [forward, forwardJson]) {
          try {
            decode(body, codec)
          } catch (error) {
            assert.ok(error instanceof InputError, String(error))
          }
        }
      }
    }),
    { numRuns: 500 },
  )
})
