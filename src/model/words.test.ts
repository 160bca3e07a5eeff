import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { doubleOf, highWord, intOf, lowWord, setWords } from './words.ts'

test('integers come back from their words', () => {
  assert.deepEqual(
    [intOf(0xffffffff, 0xffffffff), intOf(0, 0x80000000), intOf(1, 2)],
    [-1n, -(1n << 63n), 0x2_00000001n],
  )
  fc.assert(
    fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (value) => {
      assert.equal(intOf(lowWord(value), highWord(value)), value)
      const column = new Uint32Array(4)
      setWords(column, 1, value)
      assert.deepEqual(new BigInt64Array(column.buffer), BigInt64Array.of(0n, value))
    }),
  )
})

test('doubles come back from their words', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const [low, high] = new Uint32Array(Float64Array.of(value).buffer)
      assert.ok(Object.is(doubleOf(low!, high!), value))
    }),
  )
})
