/**
 * Batches on their way to the writer, in log order. Fresh ones come from memory; what memory had no room for, and what
 * an earlier run left, is read back from the log: the log is the buffer.
 */
import type { EventBatch } from '../model/event-batch.ts'
import { eventBatchBytes } from '../model/event-batch.ts'
import type { BatchSink } from '../model/intake.ts'
import type { Log, Position, StoredRecord } from '../model/log.ts'
import { spanBatchBytes, type SpanBatch } from '../model/span-batch.ts'

export type StoredBatch = SpanBatch | EventBatch

export interface QueuedBatch {
  readonly position: Position
  /** `undefined` when the record cannot be decoded any more: it is passed over, as its receiver would have refused it. */
  readonly batch: StoredBatch | undefined
}

/** Decodes a record read from the log; `undefined` when that fails. */
export type DecodeRecord = (record: StoredRecord) => Promise<StoredBatch | undefined>

export interface BatchQueueOptions {
  readonly log: Log
  readonly decode: DecodeRecord
  /** Memory for batches that wait. */
  readonly bytesMax: number
}

export class BatchQueue implements BatchSink {
  readonly #options: BatchQueueOptions
  readonly #fresh = new Map<Position, StoredBatch>()
  #bytes = 0
  /** One past the newest record known to be durable. */
  #durableEnd: number
  #next: number
  #reader: AsyncIterator<StoredRecord> | undefined
  #wake: (() => void) | undefined
  #isFinishing = false

  /** Begins at `next`; everything before `durableEnd` is in the log already. */
  constructor(options: BatchQueueOptions, next: Position, durableEnd: Position) {
    this.#options = options
    this.#next = next
    this.#durableEnd = durableEnd
  }

  get bytes(): number {
    return this.#bytes
  }

  offer(position: Position, batch: StoredBatch): void {
    if (position >= this.#next) {
      const bytes = bytesOf(batch)
      if (this.#bytes + bytes <= this.#options.bytesMax || this.#fresh.size === 0) {
        this.#fresh.set(position, batch)
        this.#bytes += bytes
      }
    }
    if (position >= this.#durableEnd) this.#durableEnd = position + 1
    this.#wake?.()
  }

  /**
   * The next batch in log order; `undefined` once `deadlineMs` (a time) has passed without one. Rejects when the log cannot
   * be read now; the next call goes on at the same place.
   */
  async take(deadlineMs: number): Promise<QueuedBatch | undefined> {
    for (;;) {
      const fresh = this.#takeFresh()
      if (fresh !== undefined) return fresh
      if (this.#next < this.#durableEnd) {
        const read = await this.#readBack()
        if (read !== undefined) return read
        continue
      }
      const left = deadlineMs - Date.now()
      if (left <= 0 || this.#isFinishing) return undefined
      await this.#sleep(left)
    }
  }

  /** True when nothing durable waits. */
  get empty(): boolean {
    return this.#next >= this.#durableEnd
  }

  /** From now on `take` no longer waits. */
  finish(): void {
    this.#isFinishing = true
    this.#wake?.()
  }

  /** Goes back to a position taken before; from there on batches are read from the log again. */
  rewind(position: Position): void {
    this.#dropReader()
    this.#next = position
  }

  close(): void {
    this.#dropReader()
  }

  #takeFresh(): QueuedBatch | undefined {
    const position = this.#next as Position
    const batch = this.#fresh.get(position)
    if (batch === undefined) return undefined
    this.#fresh.delete(position)
    this.#bytes -= bytesOf(batch)
    this.#next = position + 1
    this.#dropReader()
    return { position, batch }
  }

  /** A reader holds a file open until it is told that nobody will go on with it. */
  #dropReader(): void {
    // It closes the file; a failure to do so concerns nobody any more.
    this.#reader?.return?.()?.catch(() => {})
    this.#reader = undefined
  }

  async #readBack(): Promise<QueuedBatch | undefined> {
    const end = this.#durableEnd
    const record = await this.#readRecord()
    if (record === undefined) {
      // Nothing readable up to where the log ended when this began: damaged, or lost with the disk's cache. What came
      // since is not passed over.
      this.#next = this.#firstFreshBefore(end)
      return undefined
    }
    this.#next = record.position + 1
    this.#dropFreshBefore(this.#next)
    return { position: record.position, batch: await this.#options.decode(record) }
  }

  async #readRecord(): Promise<StoredRecord | undefined> {
    this.#reader ??= this.#options.log.read(this.#next as Position)[Symbol.asyncIterator]()
    try {
      const { value, done } = await this.#reader.next()
      if (done !== true) return value
      this.#reader = undefined
      return undefined
    } catch (error) {
      // An iterator that threw says next time that it is done, which would pass over everything after it.
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
    for (const [position, batch] of this.#fresh) {
      if (position >= next) continue
      this.#fresh.delete(position)
      this.#bytes -= bytesOf(batch)
    }
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

function bytesOf(batch: StoredBatch): number {
  return batch.signal === 'spans' ? spanBatchBytes(batch) : eventBatchBytes(batch)
}
