/**
 * Batches of one partition on their way to a sink, in the order of the log. New batches come from memory. All others
 * are read from the log: those that memory had no room for, that another process appended, or that an earlier run left.
 */
import { BatchLease } from '../model/batch-lease.ts'
import type { EventBatch } from '../model/event-batch.ts'
import { eventBatchBytes } from '../model/event-batch.ts'
import type { Log, Partition, Position, StoredRecord } from '../model/log.ts'
import { spanBatchBytes, type SpanBatch } from '../model/span-batch.ts'

export type StoredBatch = SpanBatch | EventBatch

export interface QueuedBatch {
  readonly position: Position
  /**
   * Whoever took the batch holds the lease. `undefined` when the record can no longer be decoded. Such a record is
   * skipped, because its receiver would have refused it.
   */
  readonly lease: BatchLease | undefined
}

/** Decodes a record read from the log; `undefined` when that fails. */
export type DecodeRecord = (record: StoredRecord) => Promise<StoredBatch | undefined>

export interface BatchQueueOptions {
  readonly log: Log
  readonly partition: Partition
  readonly decode: DecodeRecord
  /** Memory for batches that wait. */
  readonly bytesMax: number
}

export class BatchQueue {
  readonly #options: BatchQueueOptions
  readonly #fresh = new Map<Position, BatchLease>()
  #bytes = 0
  /** One past the newest record known to be durable. */
  #durableEnd: number
  #next: number
  #reader: AsyncIterator<StoredRecord> | undefined
  #wake: (() => void) | undefined
  #isFinishing = false
  /** Records that were gone from the log before they were read: dropped at its size limit, or damaged. */
  missed = 0
  #missedEnd = 0

  /** Begins at `next`; everything before `durableEnd` is in the log already. */
  constructor(options: BatchQueueOptions, next: Position, durableEnd: Position) {
    this.#options = options
    this.#next = next
    this.#durableEnd = durableEnd
  }

  get bytes(): number {
    return this.#bytes
  }

  /** One past the newest record known to be durable. */
  get end(): number {
    return this.#durableEnd
  }

  /** Adds a record that this process appended. Its batch is kept if there is room. */
  offer(position: Position, lease: BatchLease): void {
    if (position >= this.#next) {
      const bytes = bytesOf(lease)
      if (this.#bytes + bytes <= this.#options.bytesMax || this.#fresh.size === 0) {
        lease.hold()
        this.#fresh.set(position, lease)
        this.#bytes += bytes
      }
    }
    this.grow(position + 1)
  }

  /** Notes that the records before `end` are durable. */
  grow(end: number): void {
    if (end > this.#durableEnd) this.#durableEnd = end
    this.wake()
  }

  /** Wakes `take`, which then checks its deadline again. */
  wake(): void {
    this.#wake?.()
  }

  /**
   * The next batch in log order; `undefined` once the time that `deadlineMs` returns has passed without one. Rejects
   * when the log cannot be read now; the next call continues at the same place.
   */
  async take(deadlineMs: () => number): Promise<QueuedBatch | undefined> {
    for (;;) {
      const fresh = this.#takeFresh()
      if (fresh !== undefined) return fresh
      if (this.#next < this.#durableEnd) {
        const read = await this.#readBack()
        if (read !== undefined) return read
        continue
      }
      const left = deadlineMs() - Date.now()
      if (left <= 0 || this.#isFinishing) return undefined
      await this.#sleep(left)
    }
  }

  /** True when no durable record waits. */
  get empty(): boolean {
    return this.#next >= this.#durableEnd
  }

  /** From now on `take` no longer waits. */
  finish(): void {
    this.#isFinishing = true
    this.wake()
  }

  /** Goes back to a position that was taken before. From there on, batches are read from the log again. */
  rewind(position: Position): void {
    this.#dropReader()
    this.#next = position
  }

  close(): void {
    this.#dropReader()
    for (const lease of this.#fresh.values()) lease.release()
    this.#fresh.clear()
    this.#bytes = 0
  }

  /** The next record, if it is known without reading the log. */
  #takeFresh(): QueuedBatch | undefined {
    const position = this.#next as Position
    if (!this.#options.log.capabilities.densePositions) return undefined
    const lease = this.#pick(position)
    if (lease === undefined) return undefined
    this.#next = position + 1
    this.#dropReader()
    return { position, lease }
  }

  #pick(position: Position): BatchLease | undefined {
    const lease = this.#fresh.get(position)
    if (lease === undefined) return undefined
    this.#fresh.delete(position)
    this.#bytes -= bytesOf(lease)
    return lease
  }

  /** A reader holds a file open until its iterator is closed. */
  #dropReader(): void {
    // This closes the file. A failure to close it does not matter any more.
    this.#reader?.return?.()?.catch(() => {})
    this.#reader = undefined
  }

  async #readBack(): Promise<QueuedBatch | undefined> {
    const end = this.#durableEnd
    const record = await this.#readRecord()
    if (record === undefined) {
      // Nothing could be read up to the end that the log had when this began: the records are damaged, or were lost
      // with the disk's cache. Records that came since are not skipped.
      const next = this.#firstFreshBefore(end)
      this.#countMissed(next)
      this.#next = next
      return undefined
    }
    this.#countMissed(record.position)
    this.#next = record.position + 1
    const lease = this.#pick(record.position)
    this.#dropFreshBefore(this.#next)
    if (lease !== undefined) return { position: record.position, lease }
    const batch = await this.#options.decode(record)
    return { position: record.position, lease: batch === undefined ? undefined : new BatchLease(batch) }
  }

  /**
   * Counts everything from `#next` to `found` as missed. Going back and reading the same again does not count twice.
   */
  #countMissed(found: number): void {
    if (!this.#options.log.capabilities.densePositions) return
    this.missed += Math.max(0, found - Math.max(this.#next, this.#missedEnd))
    this.#missedEnd = Math.max(this.#missedEnd, found)
  }

  async #readRecord(): Promise<StoredRecord | undefined> {
    this.#reader ??= this.#options.log.read(this.#next as Position, this.#options.partition)[Symbol.asyncIterator]()
    try {
      const { value, done } = await this.#reader.next()
      if (done !== true) return value
      this.#reader = undefined
      return undefined
    } catch (error) {
      // An iterator that threw says on the next call that it is done. That would skip everything after the error.
      this.#reader = undefined
      throw error
    }
  }

  #firstFreshBefore(end: number): number {
    let first = end
    for (const position of this.#fresh.keys()) if (position < first) first = position
    return first
  }

  #dropFreshBefore(next: number): void {
    for (const position of this.#fresh.keys()) if (position < next) this.#pick(position)?.release()
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

function bytesOf({ batch }: BatchLease): number {
  return batch.signal === 'spans' ? spanBatchBytes(batch) : eventBatchBytes(batch)
}
