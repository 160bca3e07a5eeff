import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferPool } from './buffer-pool.ts'

test('a buffer is lent again only after it was given back', () => {
  const pool = new BufferPool()
  const first = pool.take(100_000)
  const second = pool.take(100_000)
  assert.notEqual(first, second)
  pool.give(first)
  assert.equal(pool.freeBytes, first.byteLength)
  assert.equal(pool.take(99_000), first)
  assert.equal(pool.freeBytes, 0)
})

test('a buffer that is given back twice is not lent twice', () => {
  const pool = new BufferPool()
  const buffer = pool.take(70_000)
  pool.give(buffer)
  pool.give(buffer)
  assert.equal(pool.take(70_000), buffer)
  assert.notEqual(pool.take(70_000), buffer)
})

test('a buffer from elsewhere is not accepted', () => {
  const pool = new BufferPool()
  pool.give(new ArrayBuffer(1 << 17))
  assert.equal(pool.freeBytes, 0)
})

test('every buffer is large enough, and at most 1.5 times as large as needed', () => {
  const pool = new BufferPool()
  for (let bytes = 1 << 16; bytes <= 1 << 23; bytes = Math.ceil(bytes * 1.07)) {
    const { byteLength } = pool.take(bytes)
    assert.ok(byteLength >= bytes && byteLength <= bytes * 1.5, `${bytes} -> ${byteLength}`)
  }
  assert.equal(pool.take(10).byteLength, 10)
  assert.equal(pool.take(20 << 20).byteLength, 20 << 20)
})

test('the free buffers are bounded, and a release drops all of them', () => {
  const pool = new BufferPool()
  const buffers = Array.from({ length: 100 }, () => pool.take(1 << 20))
  for (const buffer of buffers) pool.give(buffer)
  assert.equal(pool.freeBytes, 64 << 20)
  pool.release()
  assert.equal(pool.freeBytes, 0)
  assert.ok(!buffers.includes(pool.take(1 << 20)))
})
