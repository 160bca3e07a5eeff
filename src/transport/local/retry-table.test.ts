import assert from 'node:assert/strict'
import { hash as digest } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { RetryTable, retryKeyBytes } from './retry-table.ts'

function keyOf(number: number): Buffer {
  return Buffer.from(digest('sha1', String(number), 'buffer').subarray(0, retryKeyBytes))
}

/** Few different first words, so that keys share their place in the table. */
function crowdedKeyOf(number: number): Buffer {
  const key = keyOf(number)
  key.writeUInt32LE(number % 7, 0)
  return key
}

test('within the window it finds what a plain map finds', () => {
  const steps = fc.array(fc.record({ key: fc.nat(400), elapsedMs: fc.nat(30) }), { maxLength: 600 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 2000 }), (all, windowMs) => {
      const table = new RetryTable(windowMs, 1024)
      const known = new Map<number, { position: number; atMs: number }>()
      let nowMs = 0
      for (const [position, { key, elapsedMs }] of all.entries()) {
        nowMs += elapsedMs
        const entry = known.get(key)
        const expected = entry !== undefined && nowMs - entry.atMs <= windowMs ? entry.position : undefined
        assert.equal(table.get(crowdedKeyOf(key), nowMs), expected)
        if (expected !== undefined) continue
        table.add(crowdedKeyOf(key), position, nowMs)
        known.set(key, { position, atMs: nowMs })
      }
    }),
    { numRuns: 50 },
  )
})

test('past its bound it forgets the oldest first', () => {
  const table = new RetryTable(1000, 2048)
  for (let i = 0; i < 10_000; i++) table.add(keyOf(i), i, 0)
  assert.equal(table.size, 2048)
  assert.equal(table.get(keyOf(10_000 - 2049), 0), undefined)
  for (let i = 10_000 - 2048; i < 10_000; i++) assert.equal(table.get(keyOf(i), 0), i)
})

test('it grows and shrinks without losing what is in the window', () => {
  const table = new RetryTable(1000, 1 << 16)
  for (let i = 0; i < 20_000; i++) table.add(keyOf(i), i, 0)
  assert.equal(table.size, 20_000)
  for (let i = 20_000; i < 20_100; i++) table.add(keyOf(i), i, 2000)
  assert.equal(table.size, 100)
  for (let i = 20_000; i < 20_100; i++) assert.equal(table.get(keyOf(i), 2000), i)
  assert.equal(table.get(keyOf(5), 2000), undefined)
})
