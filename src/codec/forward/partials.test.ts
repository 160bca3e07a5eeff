import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Encoder } from '@msgpack/msgpack'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { forward } from './forward.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

type Entry = readonly [number, Readonly<Record<string, unknown>>]

/** `id ordinal text`, with a `.` after the ordinal of the last piece; any other text is a whole record. */
function entry(text: string): Entry {
  const match = /^(\w) (\d)(\.?) (.*)$/.exec(text)
  if (match === null) return [1_763_890_000, { log: text }]
  const [, id, ordinal, last, log] = match
  const mark = { partial_message: 'true', partial_id: id, partial_ordinal: ordinal, partial_last: String(last === '.') }
  return [1_763_890_000 + Number(ordinal), { log, container_id: 'c1', ...mark }]
}

function decode(body: Uint8Array): EventRow[] {
  const { batch, rejected } = forward.decode(Uint8Array.from(body), { receivedAtMs: 1_763_900_000_000 })
  assert.equal(rejected, 0)
  return eventRows(batch as EventBatch)
}

const encode = (value: unknown): Uint8Array => new Encoder().encode(value)
const packed = (texts: readonly string[]): Buffer => Buffer.concat(texts.map((text) => encode(entry(text))))

const ways: readonly (readonly [name: string, body: (texts: readonly string[]) => Uint8Array])[] = [
  ['messages', (texts) => Buffer.concat(texts.map((text) => encode(['d', ...entry(text)])))],
  ['a Forward message', (texts) => encode(['d', texts.map(entry)])],
  ['a packed message', (texts) => encode(['d', packed(texts)])],
  ['a compressed message', (texts) => encode(['d', gzipSync(packed(texts)), { compressed: 'gzip' }])],
]

for (const [texts, expected] of [
  [
    ['a 1 one ', 'a 2 two ', 'a 3. three', 'next'],
    ['one two three', 'next'],
  ],
  [
    ['a 1 one ', 'between', 'b 1 x', 'a 2. two', 'b 2. y'],
    ['one two', 'between', 'xy'],
  ],
  [['a 2. two', 'a 1 one '], ['one two']],
  [['a 1 one ', 'a 2 two '], ['one two ']],
  [['a 1. alone'], ['alone']],
] as const) {
  test(`${texts.join(' | ')} is ${expected.join(' | ')}`, () => {
    for (const [name, bodyOf] of ways) {
      assert.deepEqual(
        decode(bodyOf(texts)).map((row) => row.body),
        expected,
        name,
      )
    }
  })
}

test('the event is that of the first piece, without the marks, and joins the trace that its whole text names', () => {
  const [row] = decode(ways[0]![1]([`a 1 x trace_id=${trace.slice(0, 9)}`, `a 2. ${trace.slice(9)}`]))
  assert.equal(row!.time, 1_763_890_001_000_000_000n)
  assert.equal(row!.traceId, trace)
  assert.deepEqual(Object.keys(row!.attributes), ['fluent.tag'])
})

test('what only looks like a mark stays an attribute', () => {
  const [row] = decode(encode(['d', 1_763_890_000, { log: 'x', partial_message: 'false', partial_size: 7 }]))
  const { partial_message: mark, partial_size: size } = row!.attributes
  assert.deepEqual([mark, size, row!.body], ['false', 7n, 'x'])
})
