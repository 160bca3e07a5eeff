/**
 * Who may look at a batch. Its columns are in borrowed memory: the request's body and a buffer of column values
 * (base/buffer-pool.ts). Whoever keeps a batch beyond the call that brought it calls `hold`, and `release` when it has
 * copied what it needs. The last release gives the memory back, so a holder may not look at the batch after its own
 * release.
 *
 *   const lease = new BatchLease(batch)   // the maker holds it
 *   sink.offer(place, lease, header)      // a queue that keeps the batch holds it as well
 *   lease.release()                       // the queue still holds it
 */
import { bufferPool, type BufferPool } from '../base/buffer-pool.ts'
import { assert } from '../base/errors.ts'
import type { EventBatch } from './event-batch.ts'
import type { SpanBatch } from './span-batch.ts'

export class BatchLease {
  readonly #batch: SpanBatch | EventBatch
  readonly #pool: BufferPool
  #holders = 1

  constructor(batch: SpanBatch | EventBatch, pool = bufferPool) {
    this.#batch = batch
    this.#pool = pool
  }

  /** Throws once the last holder has released it: its memory may have another batch's rows in it. */
  get batch(): SpanBatch | EventBatch {
    assert(this.#holders > 0, 'a batch is looked at while it is held')
    return this.#batch
  }

  hold(): void {
    assert(this.#holders > 0, 'a batch that was given back is not held again')
    this.#holders++
  }

  /** Throws when it was released more often than held: otherwise the memory of another batch would be given back. */
  release(): void {
    assert(this.#holders > 0, 'a batch is released once by each holder')
    if (--this.#holders > 0) return
    this.#pool.give(this.#batch.arena.buffer)
    this.#pool.give(this.#batch.traceIds.buffer)
  }
}
