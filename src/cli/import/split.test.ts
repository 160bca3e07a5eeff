import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countRecords, splitElement } from './grammar.ts'
import type { Element, Grammar, Signal } from './grammar.ts'
import { elementsOf, jsonGrammar, membersOf } from './json-grammar.ts'
import { fieldsOf, protobufGrammar, protobufSignal } from './protobuf-grammar.ts'

const bytesOf = (text: string): Uint8Array => Buffer.from(text)
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

function elementOf(grammar: Grammar, bytes: Uint8Array, signal: Signal = 'traces'): Element {
  return { grammar, bytes, signal, records: countRecords(grammar, bytes, signal), place: 'test' }
}

/** Length-delimited field. */
const field = (number: number, ...parts: Uint8Array[]): Uint8Array => {
  const value = Buffer.concat(parts)
  assert.ok(value.length < 0x4000, 'the lengths of these tests take at most two bytes')
  const length = value.length < 0x80 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7]
  return Buffer.from([(number << 3) | 2, ...length, ...value])
}
const fixed64 = (number: number): Uint8Array => Buffer.from([(number << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8])

test('JSON members and elements are found by position, whatever the strings contain', () => {
  const bytes = bytesOf(' { "a\\"}" : [1, {"b":"]},"}, "x" ] , "n":-1.5e3,"t":true, "e":{} } ')
  assert.deepEqual(
    membersOf(bytes).map(({ name, start, end }) => [name, textOf(bytes.subarray(start, end))]),
    [
      ['a\\"}', '[1, {"b":"]},"}, "x" ]'],
      ['n', '-1.5e3'],
      ['t', 'true'],
      ['e', '{}'],
    ],
  )
  assert.deepEqual(elementsOf(bytesOf('[1, {"b":"]},"}, "x" ]')).map(textOf), ['1', '{"b":"]},"}', '"x"'])
  assert.deepEqual(elementsOf(bytesOf('[ ]')), [])
})

test('broken JSON is rejected with the byte, and never causes an endless loop', () => {
  for (const text of [
    '',
    '[',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    '{"a":"',
    '{"a":"\\',
    '{"a":[1}',
  ])
    assert.throws(() => membersOf(bytesOf(text)), { message: /^broken JSON at (the end|".+"): expected / }, text)
})

test('a JSON element is cut between records, numbers keep every digit, and the resource is repeated', () => {
  const span = (n: number) => `{"spanId":"${n}","startTimeUnixNano":179541510400000000${n}}`
  const text = `{"resource":{"attributes":[]},"scopeSpans":[{"scope":{"name":"s"},"spans":[${[1, 2, 3].map(span).join(',')}]}],"schemaUrl":"u"}`
  const pieces = splitElement(elementOf(jsonGrammar, bytesOf(text)), 230)
  assert.deepEqual(
    pieces.map((piece) => [textOf(piece.bytes), piece.records]),
    [
      [
        `{"resource":{"attributes":[]},"schemaUrl":"u","scopeSpans":[{"scope":{"name":"s"},"spans":[${span(1)},${span(2)}]}]}`,
        2,
      ],
      [`{"resource":{"attributes":[]},"schemaUrl":"u","scopeSpans":[{"scope":{"name":"s"},"spans":[${span(3)}]}]}`, 1],
    ],
  )
  assert.equal(textOf(jsonGrammar.request('traces', [bytesOf('{}'), bytesOf('{}')])), '{"resourceSpans":[{},{}]}')
})

test('a protobuf element is cut between records, with resource, scope and schema repeated', () => {
  const span = (n: number) => field(2, field(1, Buffer.alloc(16, n)), fixed64(7))
  const resource = field(1, Buffer.from('resource'))
  const scope = field(1, Buffer.from('scope'))
  const schema = field(3, Buffer.from('schema'))
  const element = Buffer.concat([resource, field(2, scope, span(1), span(2), span(3), schema), schema])
  const pieces = splitElement(elementOf(protobufGrammar, element), 120)
  assert.deepEqual(
    pieces.map((piece) => [textOf(piece.bytes), piece.records]),
    [
      [textOf(Buffer.concat([resource, schema, field(2, scope, schema, span(1), span(2))])), 2],
      [textOf(Buffer.concat([resource, schema, field(2, scope, schema, span(3))])), 1],
    ],
  )
})

test('however an element is cut, no record is lost or changed, and no piece is too large', () => {
  const sizes = fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }), { maxLength: 5 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 60, max: 1500 }), (scopes, bytesMax) => {
      let id = 0
      const names = scopes.map((spans) => spans.map((size) => `${(id += 1)}${'x'.repeat(size)}`))
      const json = JSON.stringify({
        resource: {},
        scopeSpans: names.map((spans) => ({ spans: spans.map((name) => ({ name })) })),
      })
      const protobuf = Buffer.concat(
        names.map((spans) => field(2, ...spans.map((name) => field(2, field(5, bytesOf(name)))))),
      )
      for (const [grammar, bytes] of [
        [jsonGrammar, bytesOf(json)],
        [protobufGrammar, protobuf],
      ] as const) {
        const pieces = splitElement(elementOf(grammar, bytes), bytesMax)
        const found = pieces.flatMap((piece) =>
          (grammar.unpack(piece.bytes, 'traces', 0)?.parts ?? []).flatMap(
            (part) => grammar.unpack(part, 'traces', 1)?.parts ?? [],
          ),
        )
        const expected = names
          .flat()
          .map((name) => (grammar === jsonGrammar ? JSON.stringify({ name }) : textOf(field(5, bytesOf(name)))))
        assert.deepEqual(found.map(textOf), expected)
        for (const piece of pieces)
          assert.ok(piece.bytes.length <= bytesMax || piece.records <= 1, `${piece.bytes.length}`)
      }
    }),
  )
})

test('protobuf fields are found, and invalid protobuf is rejected with the byte', () => {
  const bytes = Buffer.concat([field(1, Buffer.from('ab')), Buffer.from([0x10, 0x96, 0x01]), fixed64(7)])
  assert.deepEqual(
    fieldsOf(bytes).map(({ number, wireType, start, end }) => [number, wireType, start, end]),
    [
      [1, 2, 0, 4],
      [2, 0, 4, 7],
      [7, 1, 7, 16],
    ],
  )
  const broken = [[0x0a], [0x0a, 5, 1], [0x0b], [0x08], [0x80, ...Array.from({ length: 11 }, () => 0x80)], [0x09, 1, 2]]
  for (const each of broken)
    assert.throws(() => fieldsOf(Buffer.from(each)), { message: /^broken protobuf at byte \d: / })
})

test('spans, log records and metrics are told apart in protobuf', () => {
  const element = (record: Uint8Array) => field(2, field(2, record))
  const id = field(1, Buffer.alloc(16, 1))
  assert.equal(
    protobufSignal(element(Buffer.concat([id, field(5, Buffer.from('GET')), fixed64(7), fixed64(8)]))),
    'traces',
  )
  assert.equal(protobufSignal(element(Buffer.concat([fixed64(1), field(5, field(1, Buffer.from('hello')))]))), 'logs')
  assert.equal(protobufSignal(element(Buffer.concat([fixed64(11), field(5, field(1, Buffer.from('hello')))]))), 'logs')
  assert.equal(
    protobufSignal(element(Buffer.concat([field(1, Buffer.from('cpu')), field(7, field(1, fixed64(3)))]))),
    'metrics',
  )
  assert.equal(protobufSignal(field(1, Buffer.from('no records'))), undefined)
})

test('answers of receivers are read in both encodings', () => {
  assert.deepEqual(jsonGrammar.readSuccess(bytesOf('{}')), { rejected: 0, message: '' })
  const partial = '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"bad ids"}}'
  assert.deepEqual(jsonGrammar.readSuccess(bytesOf(partial)), { rejected: 3, message: 'bad ids' })
  assert.equal(jsonGrammar.readFailure(bytesOf('{"code":3,"message":"no JSON"}')), 'no JSON')
  assert.equal(jsonGrammar.readFailure(bytesOf('<html>')), '')
  assert.deepEqual(protobufGrammar.readSuccess(bytesOf('')), { rejected: 0, message: '' })
  const answer = field(1, Buffer.from([0x08, 0xac, 0x02]), field(2, Buffer.from('bad ids')))
  assert.deepEqual(protobufGrammar.readSuccess(answer), { rejected: 300, message: 'bad ids' })
  assert.equal(
    protobufGrammar.readFailure(Buffer.concat([Buffer.from([0x08, 3]), field(2, Buffer.from('no protobuf'))])),
    'no protobuf',
  )
  assert.equal(protobufGrammar.readFailure(bytesOf('<html>')), '')
})
