import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferPool } from '../base/buffer-pool.ts'
import { spanBatchOf } from '../../test/support/test-spans.ts'
import { BatchLease } from './batch-lease.ts'
import type { SpanBatch } from './span-batch.ts'

function leased(): { lease: BatchLease; pool: BufferPool } {
  const pool = new BufferPool()
  const buffer = pool.take(1 << 16)
  const batch: SpanBatch = { ...spanBatchOf([]), arena: new Uint8Array(buffer) }
  return { lease: new BatchLease(batch, pool), pool }
}

test('the last release gives the memory back, once', () => {
  const { lease, pool } = leased()
  lease.hold()
  lease.hold()
  lease.release()
  lease.release()
  assert.equal(pool.freeBytes, 0)
  assert.equal(lease.batch.rows, 0)
  lease.release()
  assert.equal(pool.freeBytes, 1 << 16)
})

test('releasing twice throws, and so does holding or reading after the last release', () => {
  const { lease, pool } = leased()
  lease.release()
  assert.throws(() => lease.release(), /released once by each holder/)
  assert.throws(() => lease.hold(), /not held again/)
  assert.throws(() => lease.batch, /looked at while it is held/)
  assert.equal(pool.freeBytes, 1 << 16)
})
