import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spanRowsOf } from '../../../test/support/batch-rows.ts'
import { InputError } from '../../base/errors.ts'
import type { AttributeValue } from '../../model/attributes.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { otlpTracesJson } from './traces-json.ts'

const ids = '"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"'

function decodeText(text: string) {
  const { batch, rejected, rejectedReason } = otlpTracesJson.decode(Buffer.from(text), { receivedAtMs: 0 })
  return { spans: spanRowsOf(batch as SpanBatch), rejected, rejectedReason }
}

/** The members of one good span, in a whole request. */
function decodeSpans(...spans: string[]) {
  return decodeText(`{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join(',')}]}]}]}`)
}

function onlySpan(members: string) {
  const { spans, rejected, rejectedReason } = decodeSpans(`{${ids},${members}}`)
  assert.equal(rejected, 0, rejectedReason)
  return spans[0]!
}

function valueOf(json: string): AttributeValue {
  return onlySpan(`"attributes":[{"key":"k","value":${json}}]`).attributes[0]!.value
}

function whyRejected(members: string): string {
  const { spans, rejected, rejectedReason } = decodeSpans(`{${members}}`)
  assert.deepEqual([spans.length, rejected], [0, 1])
  return rejectedReason
}

test('an id with too few digits lost its leading zeros', () => {
  const { spans } = decodeSpans('{"traceId":"aBc","spanId":"1","parentSpanId":"F0"}')
  assert.deepEqual(
    [spans[0]!.traceId, spans[0]!.spanId, spans[0]!.parentSpanId],
    ['0'.repeat(29) + 'abc', '0'.repeat(15) + '1', '0'.repeat(14) + 'f0'],
  )
})

test('ids are hex in either case', () => {
  const { spans } = decodeSpans('{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19b7ec3c1b174"}')
  assert.equal(spans[0]!.traceId, '5b8efff798038103d269b633813fc60c')
  assert.equal(spans[0]!.spanId, 'eee19b7ec3c1b174')
})

test('64-bit integers are numbers or text, and exact in both', () => {
  for (const text of [
    '9007199254740993',
    '"9007199254740993"',
    '9223372036854775807',
    '"-9223372036854775808"',
    '-1',
  ]) {
    assert.deepEqual(valueOf(`{"intValue":${text}}`), { type: 'int', value: BigInt(text.replaceAll('"', '')) })
  }
  assert.equal(onlySpan('"startTimeUnixNano":1700000000000000001').startTimeUnixNano, 1700000000000000001n)
  assert.equal(onlySpan('"startTimeUnixNano":"1700000000000000001"').startTimeUnixNano, 1700000000000000001n)
  const exponents: [text: string, value: bigint][] = [
    ['1e3', 1000n],
    ['"1.0e3"', 1000n],
    ['5.0', 5n],
    ['1.7638900001e+18', 1_763_890_000_100_000_000n],
    ['"1.763890000123456789E18"', 1_763_890_000_123_456_789n],
    ['-9.223372036854775808e18', -(1n << 63n)],
    ['1763890000100000000.000', 1_763_890_000_100_000_000n],
    ['120e-1', 12n],
    ['0.0e-5', 0n],
  ]
  for (const [text, value] of exponents) assert.deepEqual(valueOf(`{"intValue":${text}}`), { type: 'int', value }, text)
  for (const text of ['1.5', '1e-1', '1e19', '1e999999999', '"1e"', '"0x10"', '"+1"', '" 1"']) {
    assert.match(whyRejected(`${ids},"attributes":[{"key":"k","value":{"intValue":${text}}}]`), /not a 64-bit integer/)
  }
  assert.equal(onlySpan('"endTimeUnixNano":1.7638900001e18').durationNano, 1_763_890_000_100_000_000n)
})

test('enums are numbers or names, booleans true, false or the same as text', () => {
  for (const kind of ['2', '"2"', '2.0', '"SPAN_KIND_SERVER"', '"server"'])
    assert.equal(onlySpan(`"kind":${kind}`).kind, 2, kind)
  assert.equal(onlySpan('"status":{"code":"STATUS_CODE_ERROR"}').statusCode, 2)
  for (const kind of ['-1', '128', '"BOSS"', '[]', 'null', '1.5'])
    assert.equal(onlySpan(`"kind":${kind}`).kind, 0, kind)
  assert.deepEqual(valueOf('{"boolValue":"true"}'), { type: 'bool', value: true })
  assert.deepEqual(valueOf('{"boolValue":"False"}'), { type: 'bool', value: false })
})

test('NaN and the infinities are text, bytes are base64 of either alphabet, null is absent', () => {
  assert.deepEqual(valueOf('{"doubleValue":"NaN"}'), { type: 'double', value: NaN })
  assert.deepEqual(valueOf('{"doubleValue":"-Infinity"}'), { type: 'double', value: -Infinity })
  assert.deepEqual(valueOf('{"doubleValue":-0.0}'), { type: 'double', value: -0 })
  assert.deepEqual(valueOf('{"bytesValue":"+/8="}'), { type: 'bytes', value: Buffer.from([0xfb, 0xff]) })
  assert.deepEqual(valueOf('{"bytesValue":"-_8"}'), { type: 'bytes', value: Buffer.from([0xfb, 0xff]) })
  assert.deepEqual(valueOf('null'), { type: 'empty' })
  assert.deepEqual(valueOf('{"intValue":null}'), { type: 'empty' })
  assert.equal(onlySpan('"parentSpanId":null,"name":null').parentSpanId, '')
})

test('unknown members are ignored, and names are lowerCamelCase only', () => {
  const span = onlySpan('"futureThing":{"a":[1,{"b":null}],"c":"\\u0041"},"dropped_attributes_count":5,"name":"x"')
  assert.equal(span.name, 'x')
  assert.equal(span.droppedAttributesCount, 0)
})

test('members come in any order: rows before their resource, a value before its key', () => {
  const { spans } = decodeText(
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"value":{"intValue":1},"key":"a"}],${ids}}],` +
      '"schemaUrl":"s2","scope":{"name":"lib"}}],' +
      '"schemaUrl":"s1","resource":{"attributes":[{"value":{"stringValue":"shop"},"key":"service.name"}]}}]}',
  )
  assert.equal(spans[0]!.resource, '{"attributes":{"service.name":"shop"},"schemaUrl":"s1"}')
  assert.equal(spans[0]!.scope, '{"name":"lib","schemaUrl":"s2"}')
  assert.deepEqual(spans[0]!.attributes, [{ key: 'a', value: { type: 'int', value: 1n } }])
})

test('escapes in names, keys and values are read', () => {
  const span = onlySpan(
    '"name":"a\\"\\u00e9\\n","attributes":[{"key":"\\u006b","value":{"stringValue":"\\ud83d\\ude00\\ud800"}}]',
  )
  assert.equal(span.name, 'a"é\n')
  assert.deepEqual(span.attributes, [{ key: 'k', value: { type: 'string', value: '😀\ufffd' } }])
})

test('only the bad span is left out, and named by its path', () => {
  const good = `{${ids}}`
  const { spans, rejected, rejectedReason } = decodeSpans(good, good, `{${ids.replace('5b', 'xx')}}`, good, '{}')
  assert.equal(spans.length, 3)
  assert.equal(rejected, 2)
  assert.equal(rejectedReason, 'resourceSpans[0].scopeSpans[0].spans[2].traceId is not hex')
})

test('the reason for a rejected span includes the place', () => {
  const span = 'resourceSpans[0].scopeSpans[0].spans[0]'
  const cases: Record<string, string> = {
    '"traceId":"00000000000000000000000000000000","spanId":"eee19b7ec3c1b174"': `${span}.traceId is all zero`,
    [`"traceId":"${'a'.repeat(33)}","spanId":"eee19b7ec3c1b174"`]: `${span}.traceId has 33 characters, not 32 hex digits`,
    '"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"eee19b7ec3c1b174"': `${span}.traceId is not hex`,
    '"spanId":"eee19b7ec3c1b174"': `${span} has no traceId`,
    [`${ids},"name":5`]: `${span}.name is a number, not a string`,
    [`${ids},"attributes":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"x"}]}}}]`]: `${span}.attributes[0].value.arrayValue.values[0].intValue is "x", not a 64-bit integer`,
    [`${ids},"attributes":[{"key":"a","value":{"bytesValue":"?"}}]`]: `${span}.attributes[0].value.bytesValue is not base64`,
    [`${ids},"endTimeUnixNano":"9223372036854775808"`]: `${span}.endTimeUnixNano is "9223372036854775808", not a time within 1970-01-01 … 2262-04-11 in nanoseconds`,
    [`${ids},"startTimeUnixNano":-1`]: `${span}.startTimeUnixNano is "-1", not a time within 1970-01-01 … 2262-04-11 in nanoseconds`,
    [`${ids},"droppedLinksCount":4294967296`]: `${span}.droppedLinksCount is "4294967296", not an integer of 32 bits without sign`,
  }
  for (const [members, reason] of Object.entries(cases)) assert.equal(whyRejected(members), reason)
})

test('an invalid resource or scope costs only its own spans', () => {
  const rows = `"scopeSpans":[{"scope":{"name":1},"spans":[{${ids}}]},{"spans":[{${ids}},{${ids}}]}]`
  const { spans, rejected, rejectedReason } = decodeText(
    `{"resourceSpans":[{${rows}},{"resource":[],${rows}},{"resource":{"attributes":[]},${rows}}]}`,
  )
  assert.equal(spans.length, 4)
  assert.equal(rejected, 1 + 3 + 1)
  assert.equal(rejectedReason, 'resourceSpans[0].scopeSpans[0].scope.name is a number, not a string')
})

test('an empty request has no spans', () => {
  for (const text of [
    '{}',
    '{"resourceSpans":[]}',
    '{"resourceSpans":null}',
    ' {"resourceSpans":[{}]}\n',
    '\ufeff{}',
  ]) {
    assert.deepEqual(decodeText(text), { spans: [], rejected: 0, rejectedReason: '' })
  }
})

test('a body that is not JSON or not OTLP is refused with its position', () => {
  const cases: [Buffer | string, RegExp][] = [
    ['', /the text ends where a value should be, at byte 0/],
    ['{"resourceSpans":[', /at byte 18/],
    ['{"resourceSpans":[{]}', /at byte 19/],
    ['{"resourceSpans":[],}', /at byte 20/],
    ['{"a":01}', /at byte 6/],
    ['{"a":"\t"}', /an escaped control character should be, at byte 6/],
    ['{"a":"\\x"}', /a valid escape should be, at byte 6/],
    ['{} {}', /the end should be, at byte 3/],
    ['nul', /at byte 0/],
    ['[]', /the body is an array, not an object/],
    ['{"resourceSpans":[{"scopeSpans":{}}]}', /resourceSpans\[0\]\.scopeSpans is an object, not an array/],
    ['['.repeat(100_000), /nests deeper than 512 levels/],
    [`{"x":${'['.repeat(600)}`, /nests deeper than 512 levels at byte 516/],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /found "}" where ":" should be/],
  ]
  for (const [body, message] of cases) {
    const decode = (): unknown => otlpTracesJson.decode(Buffer.from(body), { receivedAtMs: 0 })
    assert.throws(decode, (error) => error instanceof InputError && message.test(error.message), String(message))
  }
})

test('values nested deeper than 32 levels cost their span', () => {
  const nested = (depth: number): string =>
    depth === 0 ? '{"intValue":1}' : `{"arrayValue":{"values":[${nested(depth - 1)}]}}`
  assert.equal(valueOf(nested(30)).type, 'array')
  assert.match(whyRejected(`${ids},"attributes":[{"key":"k","value":${nested(33)}}]`), /nests deeper than 32 levels/)
})
