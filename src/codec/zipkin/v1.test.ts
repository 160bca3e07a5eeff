import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../base/errors.ts'
import { damaged, plainAttributes, seededRandom, spansOf } from '../../../test/support/span-decoding.ts'
import { structs, writeThriftList, type ThriftStruct } from '../../../test/support/apache-thrift.ts'
import { zipkinJsonV1 } from './json-v1.ts'
import { zipkinThriftV1 } from './thrift-v1.ts'
import { convertV1, type V1Span } from './v1-span.ts'

const context = { receivedAtMs: 1_700_000_000_000 }
const web = { serviceName: 'web', ipv4: '127.0.0.1', port: 80 }
const api = { serviceName: 'api', ipv4: '10.0.0.2', port: 8080 }

/**
 * A v1 span in a line: `cs@web 10` is an annotation, `key=text` a tag, `sa=@api` an address, `ts 5` and `dur 3` times.
 */
function parseV1(text: string): V1Span {
  const endpoints = { web, api } as Record<string, typeof web>
  const span: V1Span = {
    traceId: '1',
    id: '2',
    timestamp: 0,
    duration: 0,
    annotations: [],
    binaryAnnotations: [],
    debug: false,
  }
  for (const item of text.split(' · ')) {
    const [, key, value, host, number] = /^([\w.]+)(?:=(\w*))?(?:@(\w+))?(?: (\d+))?$/.exec(item) ?? assert.fail(item)
    const endpoint = host === undefined ? undefined : endpoints[host]
    if (key === 'ts') span.timestamp = Number(number)
    else if (key === 'dur') span.duration = Number(number)
    else if (number !== undefined) span.annotations.push({ timestamp: Number(number), value: key!, endpoint })
    else
      span.binaryAnnotations.push({
        key: key!,
        value: value === '' && host !== undefined ? undefined : value!,
        endpoint,
      })
  }
  return span
}

/** The v2 spans, one per line: kind, service, times, and any other fields. */
function printV2(text: string): string[] {
  return convertV1(parseV1(text)).map((span) => {
    const {
      kind = '-',
      localEndpoint,
      timestamp = '?',
      duration = '?',
      remoteEndpoint,
      annotations,
      tags,
      shared,
    } = span
    const parts = [`${kind} ${localEndpoint?.serviceName ?? '-'} ${timestamp}+${duration}`]
    if (remoteEndpoint !== undefined) parts.push(`-> ${remoteEndpoint.serviceName ?? remoteEndpoint.ipv4}`)
    if (shared === true) parts.push('shared')
    for (const { timestamp: at, value } of annotations ?? []) parts.push(`${value} ${at}`)
    for (const [key, value] of Object.entries(tags ?? {})) parts.push(`${key}=${value}`)
    return parts.join(' · ')
  })
}

const conversions: readonly [v1: string, v2: string[]][] = [
  [
    'cs@web 10 · sr@api 12 · ss@api 18 · cr@web 20 · sa=@api',
    ['CLIENT web 10+10 · -> api', 'SERVER api 12+6 · shared'],
  ],
  ['cs@web 10 · cr@web 20 · ts 9 · dur 12', ['CLIENT web 9+12']],
  ['cs@web 10 · cr@web 20 · ts 9', ['CLIENT web 10+10']],
  ['sr@api 12 · ss@api 18 · ts 12 · dur 6 · ca=@web', ['SERVER api 12+6 · -> web']],
  ['sr@api 12 · ss@api 18', ['SERVER api 12+6 · shared']],
  ['sr@api 12 · ss@api 18 · ts 12 · dur 6 · ca=@api', ['SERVER api 12+6']],
  ['cr@web 20 · ts 10 · dur 10', ['CLIENT web 10+10']],
  ['cs@web 10', ['CLIENT web 10+?']],
  ['cs@web 10 · sr@web 12 · ss@web 18 · cr@web 20', ['CLIENT web 10+10', 'SERVER web 12+6 · shared']],
  ['cs@web 10 · sr@api 12', ['CLIENT web 10+?', 'SERVER api 12+? · shared']],
  ['ms@web 10 · ws@web 11 · ma=@api', ['PRODUCER web 10+1 · -> api']],
  ['wr@api 20 · mr@api 25', ['CONSUMER api 20+5']],
  ['mr@api 25', ['CONSUMER api 25+?']],
  ['ms@web 10 · mr@api 25', ['PRODUCER web 10+?', 'CONSUMER api 25+? · shared']],
  ['ws@web 11', ['- web ?+? · ws 11']],
  ['lc=@web · ts 1 · dur 2 · step=one', ['- - 1+2 · step=one']],
  ['sa=@api · ts 1 · dur 2', ['- - 1+2 · -> api']],
  ['ca=@web · ts 1 · dur 2', ['SERVER - 1+2 · -> web']],
  ['ca=@web · sa=@api · ts 1', ['- web 1+? · -> api']],
  ['toString@web 5 · cs 6 · ts 1', ['- web 1+? · toString 5 · cs 6']],
]
for (const [v1, v2] of conversions) {
  test(`v1 ${v1} is v2 ${v2.join(' and ')}`, () => assert.deepEqual(printV2(v1), v2))
}

const v1Json = [
  {
    traceId: '48485a3953bb6124',
    name: 'get',
    id: '48485a3953bb6124',
    annotations: [
      { timestamp: 1_502_787_600_000_000, value: 'sr', endpoint: api },
      { timestamp: 1_502_787_600_050_000, value: 'half', endpoint: api },
      { timestamp: 1_502_787_600_100_000, value: 'ss', endpoint: api },
    ],
    binaryAnnotations: [
      { key: 'http.path', value: '/x', endpoint: api },
      { key: '__proto__', value: 'kept', endpoint: api },
      { key: 'retries', value: 3, endpoint: api },
      { key: 'ca', value: true, endpoint: web },
    ],
    timestamp: 1_502_787_600_000_000,
    duration: 100_000,
    debug: true,
  },
]
const expected = {
  traceId: '000000000000000048485a3953bb6124',
  kind: 2,
  name: 'get',
  start: 1_502_787_600_000_000_000n,
  duration: 100_000_000n,
  resource: '{"attributes":{"service.name":"api"}}',
  events: ['half'],
  attributes: Object.fromEntries([
    ['http.path', '/x'],
    ['__proto__', 'kept'],
    ['retries', '3'],
    ['network.local.address', '10.0.0.2'],
    ['network.local.port', 8080n],
    ['network.peer.address', '127.0.0.1'],
    ['network.peer.port', 80n],
    ['peer.service', 'web'],
    ['zipkin.debug', true],
  ]),
}

function summaryOf(batch: Parameters<typeof spansOf>[0]): typeof expected {
  const [span, ...others] = spansOf(batch)
  assert.equal(others.length, 0)
  const { traceId, kind, name, startTimeUnixNano: start, durationNano: duration, resource, events, attributes } = span!
  return {
    traceId,
    kind,
    name,
    start,
    duration,
    resource,
    events: events.map((event) => event.name),
    attributes: plainAttributes(attributes) as never,
  }
}

test('a v1 JSON span has its v2 row', () => {
  const { batch, rejected } = zipkinJsonV1.decode(Buffer.from(JSON.stringify(v1Json)), context)
  assert.equal(rejected, 0)
  assert.deepEqual(summaryOf(batch), expected)
})

const thriftEndpoint = (ipv4: number, port: number, name: string): ThriftStruct => [
  [1, 'i32', ipv4],
  [2, 'i16', port],
  [3, 'string', name],
]
const thriftApi = thriftEndpoint(0x0a000002, 8080, 'api')
const annotation = (at: number, value: string): ThriftStruct => [
  [1, 'i64', 1_502_787_600_000_000n + BigInt(at)],
  [2, 'string', value],
  [3, 'struct', thriftApi],
]
const binary = (key: string, bytes: number[] | string, type: number, host: ThriftStruct = thriftApi): ThriftStruct => [
  [1, 'string', key],
  [2, 'string', typeof bytes === 'string' ? bytes : Uint8Array.from(bytes)],
  [3, 'i32', type],
  [4, 'struct', host],
]
const thriftSpan: ThriftStruct = [
  [1, 'i64', 0x48485a3953bb6124n],
  [3, 'string', 'get'],
  [4, 'i64', 0x48485a3953bb6124n],
  [6, 'list', structs(annotation(0, 'sr'), annotation(50_000, 'half'), annotation(100_000, 'ss'))],
  [
    8,
    'list',
    structs(
      binary('http.path', '/x', 6),
      binary('__proto__', 'kept', 6),
      binary('retries', [0, 3], 2),
      binary('ca', [1], 0, thriftEndpoint(0x7f000001, 80, 'web')),
    ),
  ],
  [9, 'bool', true],
  [10, 'i64', 1_502_787_600_000_000n],
  [11, 'i64', 100_000n],
]

test('a v1 thrift span has the same row', () => {
  const { batch, rejected } = zipkinThriftV1.decode(writeThriftList('binary', structs(thriftSpan)), context)
  assert.equal(rejected, 0)
  assert.deepEqual(summaryOf(batch), expected)
})

test('binary annotations of every type become text, 128-bit ids and IPv6 are kept', () => {
  const values = [
    binary('i32', [255, 255, 255, 254], 3),
    binary('i64', [0, 0, 0, 0, 0, 0, 1, 0], 4),
    binary('double', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 5),
    binary('bool', [1], 0),
    binary('bytes', [1, 2], 1),
  ]
  const host: ThriftStruct = [
    [3, 'string', 'six'],
    [4, 'string', Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])],
  ]
  const span: ThriftStruct = [
    [1, 'i64', 1n],
    [12, 'i64', -1n],
    [4, 'i64', 2n],
    [
      6,
      'list',
      structs([
        [1, 'i64', 5n],
        [2, 'string', 'cs'],
        [3, 'struct', host],
      ]),
    ],
    [8, 'list', structs(...values)],
  ]
  const [row, second] = spansOf(zipkinThriftV1.decode(writeThriftList('binary', structs(span)), context).batch)
  assert.equal(row!.traceId, 'ffffffffffffffff0000000000000001')
  assert.deepEqual(plainAttributes(row!.attributes), { 'network.local.address': '2001:db8::1' })
  assert.deepEqual(plainAttributes(second!.attributes), {
    i32: '-2',
    i64: '256',
    double: '1.5',
    bool: 'true',
    bytes: 'AQI=',
    'network.local.address': '10.0.0.2',
    'network.local.port': 8080n,
    'otel.zipkin.absentField.startTime': true,
  })
})

const wrongJson: readonly [spans: unknown[], reason: RegExp][] = [
  [[{ traceId: '1', id: 'zz' }], /id is not hex/],
  [[{ traceId: '1', id: '1', annotations: [3] }], /annotations is not a list of objects/],
  [[{ traceId: '1', id: '1', timestamp: -3 }], /timestamp is not a number/],
  [[{ traceId: '1', id: '1', annotations: [{ value: {}, timestamp: 1 }] }], /value is not text/],
  [
    [{ traceId: '1', id: '1', annotations: [{ value: 'a', timestamp: 1, endpoint: 'x' }] }],
    /endpoint is not an object/,
  ],
  [[{ traceId: '0', id: '1' }], /traceId is missing or all zero/],
  [[null], /not an object/],
]
for (const [spans, reason] of wrongJson) {
  test(`only v1 ${JSON.stringify(spans)} is left out`, () => {
    const { batch, rejected, rejectedReason } = zipkinJsonV1.decode(
      Buffer.from(JSON.stringify([...spans, ...v1Json])),
      context,
    )
    assert.equal(batch.rows, 1)
    assert.equal(rejected, 1)
    assert.match(rejectedReason, reason)
  })
}

test('v2 spans in a v1 list are refused, and so is a body that is not a list', () => {
  const decode = (body: string): unknown => zipkinJsonV1.decode(Buffer.from(body), context)
  assert.throws(
    () => decode('[{"traceId":"1","id":"1","localEndpoint":{}}]'),
    /Expected a JSON_V1 encoded list, but received: JSON_V2/,
  )
  assert.throws(() => decode('{}'), /Expected a JSON_V1 encoded list/)
  assert.throws(() => decode('[{'), /cannot decode Zipkin JSON/)
  assert.throws(() => decode(' '.repeat((16 << 20) + 1)), /cannot take more than 16777216 bytes/)
})

const bodies = {
  JSON: [zipkinJsonV1, Buffer.from(JSON.stringify([...v1Json, ...v1Json]))],
  thrift: [zipkinThriftV1, writeThriftList('binary', structs(thriftSpan, thriftSpan))],
} as const
for (const [name, [codec, body]] of Object.entries(bodies)) {
  test(`damaged v1 ${name} ends in an error or in rows`, () => {
    const random = seededRandom(5)
    let decoded = 0
    for (let round = 0; round < 3000; round++) {
      try {
        spansOf(codec.decode(damaged(body, random), context).batch)
        decoded++
      } catch (error) {
        assert.ok(error instanceof InputError, String(error))
      }
    }
    assert.ok(decoded > 0 && decoded < 3000)
  })
}

test('a thrift list that asks for millions of objects is refused', () => {
  // One span whose annotations are 3 million structs of a stop byte each.
  const count = 3_000_000
  const head = Buffer.from([12, 0, 0, 0, 1, 15, 0, 6, 12, 0, 0, 0, 0])
  head.writeUInt32BE(count, 9)
  const body = Buffer.concat([head, Buffer.alloc(count + 1)])
  assert.throws(() => zipkinThriftV1.decode(body, context), /more than 1000000 events/)
})

test('in v1 invalid UTF-8 is repaired, a mark before the body is skipped, and a wrong parent is dropped', () => {
  const annotation = '{"timestamp":5,"value":"sr","endpoint":{"serviceName":"api?"}}'
  const json = Buffer.from(
    `\ufeff[{"traceId":"1","id":"2","parentId":"xyz","name":"n?","annotations":[${annotation}]}]`,
  )
  const thrift = Buffer.from(
    writeThriftList(
      'binary',
      structs([
        [1, 'i64', 1n],
        [3, 'string', 'n?'],
        [4, 'i64', 2n],
        [5, 'i64', 2n],
        [
          6,
          'list',
          structs([
            [1, 'i64', 5n],
            [2, 'string', 'sr'],
            [3, 'struct', [[3, 'string', 'api?']]],
          ]),
        ],
      ]),
    ),
  )
  for (const body of [json, thrift]) for (let at = body.indexOf('?'); at >= 0; at = body.indexOf('?')) body[at] = 0xc3
  for (const [codec, body, repaired] of [
    [zipkinJsonV1, json, 3],
    [zipkinThriftV1, thrift, 2],
  ] as const) {
    const decoded = codec.decode(body, context)
    assert.deepEqual([decoded.batch.rows, decoded.rejected, decoded.repaired], [1, 0, repaired], codec.name)
    const [row] = spansOf(decoded.batch)
    assert.deepEqual([row!.name, row!.parentSpanId], ['n\ufffd', ''], codec.name)
    assert.match(row!.resource, /api\ufffd/)
  }
})
