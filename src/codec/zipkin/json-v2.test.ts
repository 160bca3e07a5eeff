import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InputError } from '../../base/errors.ts'
import { damaged, plainAttributes, seededRandom, spansOf } from '../../../test/support/span-decoding.ts'
import type { Decoded } from '../codec.ts'
import { SpanRows } from '../span-rows.ts'
import { zipkinJsonV2 } from './json-v2.ts'
import { loadPlainSpan, type PlainSpan } from './plain-span.ts'
import { ZipkinRows } from './rows.ts'
import { ZipkinSpan } from './span.ts'

const context = { receivedAtMs: 1_700_000_000_000 }
const decodeText = (text: string): Decoded => zipkinJsonV2.decode(Buffer.from(text), context)
const decodeSpans = (spans: unknown): Decoded => decodeText(JSON.stringify(spans))

/** The same result through JSON.parse and objects. */
function decodePlainly(spans: readonly PlainSpan[]): Decoded {
  const rows = new SpanRows()
  const zipkinRows = new ZipkinRows(rows)
  const span = new ZipkinSpan()
  rows.reset()
  zipkinRows.reset(context)
  for (const plain of spans) {
    loadPlainSpan(plain, span, rows.builder)
    zipkinRows.add(span)
  }
  return rows.finish()
}

const server: PlainSpan = {
  traceId: '5982fe77008310cc80f1da5e10147517',
  parentId: '90394f6bcffb5d13',
  id: '67fae42571535f60',
  kind: 'SERVER',
  name: 'GET /M/N',
  timestamp: 1_516_781_775_726_123,
  duration: 26_001,
  localEndpoint: { serviceName: 'Api', ipv4: '192.168.99.1', ipv6: '2001:db8::c001', port: 3306 },
  remoteEndpoint: { serviceName: 'web', ipv4: '172.19.0.2', port: 58_648 },
  annotations: [{ timestamp: 1_516_781_775_727_000, value: 'foo' }],
  tags: { 'http.method': 'GET', empty: '', 'http.path': '/api "x"\n' },
  debug: true,
  shared: true,
}

test('every field of a span has its place in the row', () => {
  const { batch, rejected } = decodeSpans([server])
  assert.equal(rejected, 0)
  const [span, ...others] = spansOf(batch)
  assert.equal(others.length, 0)
  const { attributes, events, ...rest } = span!
  assert.deepEqual(rest, {
    traceId: '5982fe77008310cc80f1da5e10147517',
    spanId: '67fae42571535f60',
    parentSpanId: '90394f6bcffb5d13',
    traceState: '',
    flags: 1,
    name: 'GET /M/N',
    kind: 2,
    startTimeUnixNano: 1_516_781_775_726_123_000n,
    durationNano: 26_001_000n,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    statusCode: 0,
    statusMessage: '',
    resource: '{"attributes":{"service.name":"Api"}}',
    scope: '',
  })
  assert.deepEqual(plainAttributes(attributes), {
    'http.method': 'GET',
    empty: '',
    'http.path': '/api "x"\n',
    'network.local.address': '192.168.99.1',
    'zipkin.local.ipv6': '2001:db8::c001',
    'network.local.port': 3306n,
    'network.peer.address': '172.19.0.2',
    'network.peer.port': 58_648n,
    'peer.service': 'web',
    'zipkin.debug': true,
    'zipkin.shared': true,
  })
  const event = { timeUnixNano: 1_516_781_775_727_000_000n, name: 'foo', attributes: [], droppedAttributesCount: 0 }
  assert.deepEqual(events, [event])
})

test('short ids are padded on the left, ids and nulls as clients write them are understood', () => {
  const { batch, rejected } = decodeText(
    '[{"traceId":"ABC","id":"1","parentId":null,"name":null,"kind":null,"tags":null,"timestamp":"5"}]',
  )
  const [span] = spansOf(batch)
  assert.equal(rejected, 0)
  assert.equal(span!.traceId, '0'.repeat(29) + 'abc')
  assert.equal(span!.spanId, '0'.repeat(15) + '1')
  assert.equal(span!.parentSpanId, '')
  assert.equal(span!.startTimeUnixNano, 5000n)
})

test('a span without a timestamp takes that of the first annotation, else the receipt, and is marked', () => {
  const annotations = [
    { timestamp: 30, value: 'b' },
    { timestamp: 20, value: 'a' },
  ]
  const spans = spansOf(
    decodeSpans([
      { traceId: '1', id: '1', annotations },
      { traceId: '1', id: '2' },
    ]).batch,
  )
  assert.deepEqual(
    spans.map((span) => span.startTimeUnixNano),
    [20_000n, 1_700_000_000_000_000_000n],
  )
  for (const span of spans)
    assert.deepEqual(plainAttributes(span.attributes), { 'otel.zipkin.absentField.startTime': true })
})

const statuses: readonly [tags: Record<string, string>, code: number, message: string, left: Record<string, string>][] =
  [
    [{ error: 'true' }, 2, '', {}],
    [{ error: '' }, 2, '', { error: '' }],
    [{ error: 'no route' }, 2, 'no route', { error: 'no route' }],
    [{ error: 'false' }, 0, '', { error: 'false' }],
    [{ 'otel.status_code': 'OK', error: 'true' }, 1, '', {}],
    [{ 'otel.status_code': 'ERROR', 'otel.status_description': 'bad' }, 2, 'bad', {}],
    [{ 'otel.status_description': 'bad' }, 0, '', { 'otel.status_description': 'bad' }],
    [{ 'otel.status_code': 'maybe' }, 0, '', { 'otel.status_code': 'maybe' }],
  ]
for (const [tags, code, message, left] of statuses) {
  test(`the tags ${JSON.stringify(tags)} give status ${code}`, () => {
    const [span] = spansOf(
      decodeSpans([{ ...server, tags, localEndpoint: {}, remoteEndpoint: {}, debug: false, shared: false }]).batch,
    )
    assert.equal(span!.statusCode, code)
    assert.equal(span!.statusMessage, message)
    assert.deepEqual(plainAttributes(span!.attributes), left)
  })
}

test('scope, trace state and the internal kind come back from the tags OpenTelemetry writes', () => {
  const tags = { 'otel.scope.name': 'lib', 'otel.scope.version': '1', 'w3c.tracestate': 'a=b', 'span.kind': 'internal' }
  const [span] = spansOf(decodeSpans([{ traceId: '1', id: '1', timestamp: 1, tags }]).batch)
  assert.equal(span!.scope, '{"name":"lib","version":"1"}')
  assert.equal(span!.traceState, 'a=b')
  assert.equal(span!.kind, 1)
  assert.deepEqual(span!.attributes, [])
})

const wrongSpans: readonly [span: unknown, reason: RegExp][] = [
  [{ traceId: '0000', id: '1' }, /traceId is missing or all zero/],
  [{ traceId: '1' }, /id is missing/],
  [{ traceId: 'xyz', id: '1' }, /traceId is not hex/],
  [{ traceId: '1'.repeat(33), id: '1' }, /traceId has over 32 digits/],
  [{ traceId: 7, id: '1' }, /traceId is not text/],
  [{ traceId: '1', id: '1', kind: 'BOSS' }, /kind BOSS/],
  [{ traceId: '1', id: '1', timestamp: -5 }, /timestamp is outside/],
  [{ traceId: '1', id: '1', timestamp: 1e18 }, /timestamp is outside/],
  [{ traceId: '1', id: '1', timestamp: 'soon' }, /timestamp is not a number/],
  [{ traceId: '1', id: '1', timestamp: 1, tags: { a: null } }, /a tag has no value/],
  [{ traceId: '1', id: '1', timestamp: 1, tags: { a: {} } }, /a tag value is not text/],
  [{ traceId: '1', id: '1', timestamp: 1, tags: [] }, /tags is not an object/],
  [{ traceId: '1', id: '1', timestamp: 1, annotations: {} }, /annotations is not a list/],
  [{ traceId: '1', id: '1', timestamp: 1, localEndpoint: 'x' }, /localEndpoint is not an object/],
  [{ traceId: '1', id: '1', timestamp: 1, localEndpoint: { port: 70_000 } }, /port 70000/],
  [{ traceId: '1', id: '1', timestamp: 1, debug: 'yes' }, /debug is not true or false/],
  ['span', /not an object/],
]
for (const [wrong, reason] of wrongSpans) {
  test(`only ${JSON.stringify(wrong).slice(0, 90)} is left out`, () => {
    const { batch, rejected, rejectedReason } = decodeSpans([server, wrong, server])
    assert.equal(batch.rows, 2)
    assert.equal(rejected, 1)
    assert.match(rejectedReason, reason)
    assert.deepEqual(spansOf(batch), [...spansOf(decodeSpans([server, server]).batch)])
  })
}

test('a negative duration counts as none, and a span that names itself as its parent has none', () => {
  const { batch, rejected } = decodeSpans([{ traceId: 'a4', id: 'a4', parentId: 'a4', timestamp: 1, duration: -1 }])
  assert.equal(rejected, 0)
  const [row] = spansOf(batch)
  assert.deepEqual([row!.parentSpanId, row!.durationNano], ['', 0n])
})

const wrongLists: readonly [body: string, message: RegExp][] = [
  ['{}', /^Expected a JSON_V2 encoded list: it does not begin with "\["$/],
  ['[{"traceId":"1"}', /the text ends where "," or "]" should be, at byte 16$/],
  ['[] x', /found "x" where the end should be, at byte 3$/],
  ['[{"tags":{"a":"\u0001"}}]', /control character/],
  [`[{"x":${'['.repeat(100_000)}`, /nests deeper/],
  ['[{"traceId":"1","id":"1","binaryAnnotations":[]}]', /Expected a JSON_V2 encoded list, but received: JSON_V1/],
]
for (const [body, message] of wrongLists) {
  test(`the whole body ${body.slice(0, 40)} is refused`, () => {
    assert.throws(
      () => decodeText(body),
      (error) => error instanceof InputError && message.test(error.message),
    )
  })
}

test('invalid UTF-8 is repaired and counted', () => {
  const body = Buffer.from('[{"traceId":"1","id":"2","timestamp":1,"name":"n?","tags":{"k?":"v?","good":"grüß"}}]')
  for (let at = body.indexOf('?'); at >= 0; at = body.indexOf('?')) body[at] = 0xc3
  const { batch, rejected, repaired, repairedReason } = zipkinJsonV2.decode(body, context)
  const [row] = spansOf(batch)
  assert.deepEqual([rejected, repaired], [0, 3])
  assert.match(repairedReason!, /not valid UTF-8/)
  assert.equal(row!.name, 'n\ufffd')
  assert.deepEqual(plainAttributes(row!.attributes), { 'k\ufffd': 'v\ufffd', good: 'grüß' })
})

test('a byte order mark is skipped, and booleans may be text', () => {
  const { batch, rejected } = decodeText(
    '\ufeff[{"traceId":"1","id":"2","timestamp":1,"debug":"true","shared":"false"}]',
  )
  assert.equal(rejected, 0)
  assert.deepEqual(plainAttributes(spansOf(batch)[0]!.attributes), { 'zipkin.debug': true })
  assert.equal(decodeText('\ufeff').batch.rows, 0)
})

test('an invalid parent makes the span a root', () => {
  for (const parentId of ['xyz', '1'.repeat(17), 7]) {
    const { batch, repaired } = decodeSpans([{ traceId: '1', id: '2', timestamp: 1, parentId }])
    assert.deepEqual([batch.rows, repaired, spansOf(batch)[0]?.parentSpanId], [1, 1, ''], String(parentId))
  }
})

const text = fc.string({ unit: 'binary', maxLength: 12 })
const micros = fc.integer({ min: 1, max: 2 ** 52 })
const id = (digits: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 1, maxLength: digits })
    .filter((hex) => /[^0]/.test(hex))
const endpoint = fc.record(
  { serviceName: text, ipv4: fc.ipV4(), ipv6: fc.ipV6(), port: fc.integer({ min: 0, max: 65_535 }) },
  { requiredKeys: [] },
)
const arbitrarySpan: fc.Arbitrary<PlainSpan> = fc.record(
  {
    traceId: id(32),
    id: id(16),
    parentId: id(16),
    kind: fc.constantFrom('CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'),
    name: text,
    timestamp: micros,
    duration: fc.integer({ min: 0, max: 2 ** 40 }),
    localEndpoint: endpoint,
    remoteEndpoint: endpoint,
    annotations: fc.array(fc.record({ timestamp: micros, value: text }), { maxLength: 3 }),
    tags: fc.dictionary(text, text, { maxKeys: 6 }),
    debug: fc.boolean(),
    shared: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'id'] },
)

test('reading bytes gives the same as JSON.parse', () => {
  fc.assert(
    fc.property(
      fc.array(arbitrarySpan, { maxLength: 5 }),
      fc.constantFrom(undefined, 1, '\t'),
      fc.boolean(),
      (spans, indent, escape) => {
        let json = JSON.stringify(spans, null, indent)
        if (escape)
          json = json.replace(/[a-z\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
        // Escaping letters also escapes those of true, false and of existing escapes: only valid results are compared.
        const parsed = parseOrUndefined(json) as PlainSpan[] | undefined
        if (parsed === undefined) return
        const [fast, plain] = [decodeText(json), decodePlainly(parsed)]
        assert.deepEqual(spansOf(fast.batch), spansOf(plain.batch))
        assert.equal(fast.rejected, plain.rejected)
      },
    ),
    { numRuns: 400 },
  )
})

function parseOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

test('a damaged list is refused exactly when it is not JSON, and nothing else goes wrong', () => {
  const random = seededRandom(1)
  const body = Buffer.from(
    JSON.stringify([server, { ...server, id: '2', tags: { 'a\u00e9': '\ud83d\ude00' } }, server], null, 1),
  )
  let refused = 0
  for (let round = 0; round < 5000; round++) {
    const bytes = damaged(body, random)
    let error: InputError | undefined
    try {
      const { batch, rejected } = zipkinJsonV2.decode(bytes, context)
      spansOf(batch)
      assert.ok(batch.rows + rejected <= 8)
    } catch (caught) {
      assert.ok(caught instanceof InputError, String(caught))
      error = caught
      refused++
    }
    const isList = Array.isArray(parseOrUndefined(bytes.toString('utf8')))
    if (error === undefined) assert.ok(isList, bytes.toString())
    else assert.ok(!isList || /JSON_V1/.test(String(error)), `${String(error)}: ${bytes.toString()}`)
  }
  assert.ok(refused > 1000)
})
