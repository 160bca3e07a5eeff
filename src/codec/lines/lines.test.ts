import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { encodePeerMessages } from '../framing/peer-messages.ts'
import type { Codec } from '../codec.ts'
import { eventsJson, eventsText, lines } from './lines.ts'

const receivedAtMs = 1_763_900_000_000

function decode(codec: Codec, body: Uint8Array): { rows: EventRow[]; rejected: number; reason: string } {
  const { batch, rejected, rejectedReason } = codec.decode(body, { receivedAtMs })
  return { rows: eventRows(batch as EventBatch), rejected, reason: rejectedReason }
}

function ofLines(...texts: string[]): EventRow[] {
  const body = encodePeerMessages(texts.map((text) => ({ peer: '10.0.0.9', body: Buffer.from(text) })))
  return decode(lines, body).rows
}

const json = (text: string) => decode(eventsJson, Buffer.from(text))

test('a line of text is an event of the peer that sent it', () => {
  assert.deepEqual(ofLines('disk is full\r'), [
    {
      time: 0n,
      body: 'disk is full',
      type: '',
      severity: '',
      traceId: '',
      spanId: '',
      flags: 0,
      service: 'unknown_service',
      scope: '',
      resource: { 'host.name': '10.0.0.9' },
      attributes: { 'network.peer.address': '10.0.0.9' },
    },
  ])
})

for (const [name, line] of [
  ['common', '{"timestamp":"2025-11-23T09:26:40Z","type":"order.paid","service":"shop","level":"warn","message":"m"}'],
  [
    'ECS',
    '{"@timestamp":"2025-11-23T10:26:40+01:00","event":{"action":"order.paid"},"service":{"name":"shop"},"log":{"level":"warn"},"message":"m"}',
  ],
  ['dotted', '{"time":1763890000,"event.name":"order.paid","service.name":"shop","severity":"WARN","msg":"m"}'],
  ['camel case', '{"ts":1763890000000,"eventName":"order.paid","serviceName":"shop","logLevel":"Warning","body":"m"}'],
  ['epoch with fraction', '{"eventTime":1763890000.0,"event":"order.paid","source":"shop","lvl":"warn","log":"m"}'],
  ['bunyan', '{"time":"2025-11-23T09:26:40.000Z","type":"order.paid","app":"shop","level":40,"msg":"m"}'],
] as const) {
  test(`time, type, source, severity and message by their ${name} names`, () => {
    const [row] = ofLines(line)
    assert.equal(row!.time, 1_763_890_000_000_000_000n)
    assert.deepEqual(
      [row!.type, row!.service, row!.severity.split(' ')[0], row!.body],
      ['order.paid', 'shop', '13', 'm'],
    )
  })
}

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

for (const [name, line] of [
  ['Serilog', `{"@t":"2025-11-23T09:26:40.5Z","@mt":"m","@l":"Warning","@tr":"${trace}","@sp":"${span}"}`],
  [
    "Rust's tracing",
    `{"timestamp":"2025-11-23T09:26:40.5Z","level":"WARN","fields":{"message":"m","trace_id":"${trace}","span_id":"${span}"}}`,
  ],
  [
    'Log4j',
    `{"instant":{"epochSecond":1763890000,"nanoOfSecond":500000000},"level":"WARN","message":"m","contextMap":{"traceId":"${trace}","spanId":"${span}"}}`,
  ],
  [
    'older Log4j',
    `{"timeMillis":1763890000500,"level":"WARN","message":"m","contextMap":{"X-B3-TraceId":"${trace}","X-B3-SpanId":"${span}"}}`,
  ],
  [
    'Quarkus',
    `{"timestamp":"2025-11-23T10:26:40.5+01:00","level":"WARN","message":"m","mdc":{"traceId":"${trace}","spanId":"${span}"}}`,
  ],
  [
    'Google Cloud',
    `{"time":"2025-11-23T09:26:40.5Z","severity":"WARNING","message":"m","logging.googleapis.com/trace":"projects/shop/traces/${trace}","logging.googleapis.com/spanId":"${span}"}`,
  ],
  [
    'X-Ray',
    `{"time":1763890000.5,"level":"WARN","message":"m","xray_trace_id":"1-4bf92f35-77b34da6a3ce929d0e0e4736@${span}"}`,
  ],
  [
    'pino-http',
    `{"time":1763890000500,"level":40,"msg":"m","req":{"method":"GET","headers":{"traceparent":"00-${trace}-${span}-01"}}}`,
  ],
  [
    'Caddy',
    `{"ts":1763890000.5,"level":"warn","msg":"m","request":{"headers":{"Traceparent":["00-${trace}-${span}-01"]}}}`,
  ],
] as const) {
  test(`time, severity, message and trace as ${name} writes them`, () => {
    const [row] = ofLines(line)
    assert.deepEqual(
      [row!.time, row!.severity.split(' ')[0], row!.body, row!.traceId, row!.spanId],
      [1_763_890_000_500_000_000n, '13', 'm', trace, span],
    )
  })
}

test('ids at the top come before those in a map, and a map that is not context names no ids', () => {
  const other = 'f'.repeat(32)
  const [both, elsewhere] = ofLines(
    `{"mdc":{"traceId":"${other}"},"trace_id":"${trace}"}`,
    `{"parent":{"traceId":"${other}","spanId":"${span}"},"instant":{"epochSecond":1}}`,
  )
  assert.equal(both!.traceId, trace)
  assert.deepEqual([elsewhere!.traceId, elsewhere!.spanId, elsewhere!.time], ['', '', 0n])
})

test("levels of Go's slog between two names", () => {
  const levels = ['DEBUG-4', 'INFO', 'INFO+2', 'ERROR+4', 'ERROR+99', 'INFO+x']
  const rows = ofLines(...levels.map((level) => `{"level":"${level}","msg":"m"}`))
  assert.deepEqual(
    rows.map((row) => row.severity.split(' ')[0]),
    ['1', '9', '11', '21', '24', ''],
  )
})

test('the other keys stay attributes with their types', () => {
  const [row] = ofLines(
    '{"n":1,"f":1.0,"big":9223372036854775807,"ok":true,"none":null,"list":[1,"a"],"esc":"a\\n\\u00e9"}',
  )
  assert.deepEqual(row!.attributes, {
    n: 1n,
    f: 1,
    big: 9223372036854775807n,
    ok: true,
    none: null,
    list: [1n, 'a'],
    esc: 'a\né',
    'network.peer.address': '10.0.0.9',
  })
})

test('a key with a known meaning but an unusable value is an attribute', () => {
  const [row] = ofLines('{"timestamp":"soon","level":"purple","type":7,"pid":"nginx","trace_id":"x","host":12}')
  const { 'network.peer.address': _, ...attributes } = row!.attributes
  assert.deepEqual(attributes, { timestamp: 'soon', level: 'purple', type: 7n, pid: 'nginx', trace_id: 'x', host: 12n })
})

test('a message may be an object, unless another key has the message as text', () => {
  const [object, words, nothing] = ofLines(
    '{"message":{"a":1,"b":["c"]},"n":1}',
    '{"message":{"a":1},"msg":"words"}',
    '{"message":null,"log":"words"}',
  )
  assert.deepEqual(
    [object!.body, object!.attributes.n, object!.attributes.message],
    [{ a: 1n, b: ['c'] }, 1n, undefined],
  )
  assert.deepEqual([words!.body, words!.attributes.message], ['words', { a: 1n }])
  assert.deepEqual([nothing!.body, nothing!.attributes.message], ['words', null])
})

test('text that only resembles JSON is kept whole, as text', () => {
  for (const text of [
    '[1, 2, 3]',
    '[["x"]]',
    '[]',
    '[{"message":"a"},7]',
    '{not json}',
    '[2025-11-23] started',
    '{"a":1} and more',
    '[{"a":1},',
    '{"a":',
  ]) {
    const rows = ofLines(text)
    assert.deepEqual(
      rows.map((row) => row.body),
      [text],
    )
  }
})

test('spaces before a text stay, a byte order mark does not', () => {
  assert.deepEqual(
    ofLines('   indented  ', '\ufeffmarked', '\ufeff {"message":"an object"}').map((row) => row.body),
    ['   indented', 'marked', 'an object'],
  )
})

test('an array in a line is a list of events', () => {
  assert.deepEqual(
    ofLines('[{"message":"a"},"b"]').map((row) => row.body),
    ['a', 'b'],
  )
})

test('a posted body may be one object per line, objects over several lines, or an array', () => {
  for (const body of [
    '{"message":"a"}\n{"message":"b"}\n',
    '[{"message":"a"},{"message":"b"}]',
    '{\n  "message": "a"\n}\n{\n "message": "b"\n}',
    '\n["a"]["b"]',
    '\ufeff{"message":"a"}\n{"message":"b"}',
    '\x1e{"message":"a"}\n\x1e{"message":"b"}\n',
  ]) {
    const { rows, rejected } = json(body)
    assert.deepEqual([rows.map((row) => row.body), rejected], [['a', 'b'], 0])
  }
})

test('only the bad event is rejected', () => {
  const inLines = json('{"message":"a"}\n{"message":\n"b"}x\n7\n{"message":"c"}')
  assert.deepEqual(
    inLines.rows.map((row) => row.body),
    ['a', 'b', 'c'],
  )
  assert.equal(inLines.rejected, 2)
  const inArray = json('[{"message":"a"},7,{"bad":tru},{"message":"b"}]')
  assert.deepEqual([inArray.rows.map((row) => row.body), inArray.rejected], [['a', 'b'], 2])
  assert.match(inArray.reason, /neither an object nor a string/)
})

test('the rest of a broken event is not mistaken for other events', () => {
  const pretty = json('{\n "message": tru,\n "phantom": "x",\n "other": 1\n}\n{\n "message": "b"\n}')
  assert.deepEqual([pretty.rows.map((row) => row.body), pretty.rejected], [['b'], 1])
  const cut = json('[{"message":"a"},{"mess')
  assert.deepEqual([cut.rows.map((row) => row.body), cut.rejected], [['a'], 1])
})

test('when too many events are wrong the whole body is refused', () => {
  assert.throws(() => json(`[${'1,'.repeat(100_001)}1]`), { code: 'too_large' })
  assert.throws(() => json('{"a":}\n'.repeat(100_001)), { code: 'too_large' })
})

test('posted text is one event per line', () => {
  const { rows } = decode(
    eventsText,
    Buffer.from('one\r\n\n{"message":"two"}\nthree trace_id=4bf92f3577b34da6a3ce929d0e0e4736'),
  )
  assert.deepEqual(
    rows.map((row) => row.body),
    ['one', 'two', 'three trace_id=4bf92f3577b34da6a3ce929d0e0e4736'],
  )
  assert.equal(rows[2]!.traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
})

test('invalid UTF-8 is repaired', () => {
  const body = encodePeerMessages([
    { peer: '::1', body: Buffer.from([0x61, 0xff]) },
    { peer: '::1', body: Buffer.from('b') },
  ])
  assert.deepEqual(
    decode(lines, body).rows.map((row) => row.body),
    ['a\ufffd', 'b'],
  )
})

const known = new Set('message msg log body time ts type event level severity app pid host'.split(' '))
const fields = fc.dictionary(
  fc.string({ maxLength: 8, unit: 'grapheme' }).filter((key) => !known.has(key.toLowerCase())),
  fc.jsonValue({ maxDepth: 4 }),
  { maxKeys: 8, noNullPrototype: true },
)

/** The form of a JSON value after a way through columns. */
function typed(value: unknown): unknown {
  if (typeof value === 'number') return typedNumber(value)
  if (Array.isArray(value)) return value.map(typed)
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' ? Buffer.from(value).toString() : value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [Buffer.from(key).toString(), typed(inner)]))
}

function typedNumber(value: number): unknown {
  const text = JSON.stringify(value)
  if (!/^-?\d+$/.test(text)) return value
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : text
}

test('everything JSON.stringify writes is read back, key by key', () => {
  fc.assert(
    fc.property(fields, (object) => {
      const { rows, rejected } = json(JSON.stringify(object))
      assert.equal(rejected, 0)
      assert.deepEqual(rows[0]!.attributes, typed(object))
    }),
    { numRuns: 300 },
  )
})
