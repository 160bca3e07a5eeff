import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InputError } from '../../base/errors.ts'
import { plain } from '../../../test/support/event-rows.ts'
import { comma } from './json-scanner.ts'
import { JsonValueReader } from './value-reader.ts'

/** The value of a text that is exactly one JSON value. */
function read(text: string): unknown {
  const reader = new JsonValueReader(Buffer.from(text))
  const value = reader.value()
  reader.finish()
  return plain(value)
}

function passOver(text: string): void {
  const reader = new JsonValueReader(Buffer.from(text))
  reader.skip()
  reader.finish()
}

function takes(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text)
    return true
  } catch (error) {
    assert.ok(error instanceof InputError || error instanceof SyntaxError, String(error))
    return false
  }
}

const tokens = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"a"',
  '"',
  '\\',
  '\\u00e9',
  '1',
  '-',
  '.5',
  'e3',
  '01',
  'true',
  'nul',
  'null',
  ' ',
  '\n',
  '\t',
]

test('it refuses and accepts what JSON.parse refuses and accepts', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 8 }), (parts) => {
      const text = `[${parts.join('')}]`
      assert.equal(takes(read, text), takes(JSON.parse, text), text)
      assert.equal(takes(passOver, text), takes(JSON.parse, text), text)
    }),
    { numRuns: 3000 },
  )
})

test('a value is skipped to its end', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n'), (value, space) => {
      const reader = new JsonValueReader(Buffer.from(`${space}${JSON.stringify(value)}${space},7`))
      reader.skipLoosely()
      assert.equal(reader.take(comma), true)
      assert.deepEqual(reader.value(), { type: 'int', value: 7n })
    }),
  )
})

for (const [text, expected] of [
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['9223372036854775808', '9223372036854775808'],
  ['1.0', 1],
  ['1e2', 100],
  ['"\\ud83d\\ude00\\/\\b"', '😀/\b'],
] as const) {
  test(`${text} is ${typeof expected} ${expected}`, () => assert.equal(read(text), expected))
}

test('deep nesting and too many values are refused, not followed', () => {
  assert.throws(() => read('['.repeat(100_000)), { code: 'bad_request' })
  assert.throws(() => read(`[${'1,'.repeat(1_000_000)}1]`), { code: 'too_large' })
})

test('bytes after the end are not read', () => {
  const bytes = Buffer.from('["a",12]34,"b"')
  for (const [start, end, expected] of [
    [5, 6, 1],
    [5, 7, 12],
    [1, 4, 'a'],
  ] as const) {
    const reader = new JsonValueReader(bytes, { start, end })
    assert.equal(plain(reader.value()), typeof expected === 'number' ? BigInt(expected) : expected)
    reader.finish()
  }
  for (const [start, end] of [
    [0, 7],
    [1, 3],
    [1, 1],
  ] as const)
    for (const read of ['value', 'skip', 'skipLoosely'] as const)
      assert.throws(() => new JsonValueReader(bytes, { start, end })[read](), /the text ends where .* byte \d$/)
})

test('a control character inside a skipped value is refused and does not cause an endless loop', () => {
  for (let byte = 1; byte < 0x20; byte++) {
    if (byte === 0x09 || byte === 0x0a || byte === 0x0d) continue
    const reader = new JsonValueReader(Buffer.from(`[1,${String.fromCharCode(byte)},2]`))
    assert.throws(() => reader.skipLoosely(), InputError)
  }
})
