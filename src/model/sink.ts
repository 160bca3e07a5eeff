/**
 * The contract of sinks, which store the records of the log: the embedded store today; Elasticsearch, a ClickHouse
 * cluster or a file may follow. Each sink has its own consumer (storage/consumer.ts), which reads the log, cuts blocks,
 * repeats them and quarantines them. A sink only turns batches into rows and makes them durable. test/contract/sink.ts
 * is the suite that every sink passes.
 */
import type { EventBatch } from './event-batch.ts'
import type { SpanBatch } from './span-batch.ts'

export interface Sink {
  /** Its name among the log's consumers. Its positions are kept under it, so it never changes: `[A-Za-z0-9._-]{1,64}`. */
  readonly name: string
  /** An empty block. The consumer has two for each partition and uses them again: one is filled while the other is inserted. */
  newBlock(): SinkBlock
}

export interface SinkBlock {
  /** Rows added since `reset`. */
  readonly rows: number
  /**
   * Copies the rows of a batch, or of one of the slices that a large batch comes in, in order (batch-slices.ts). It must not keep the batch or any view of it: the memory is given back afterwards. Throws
   * when the batch cannot be stored; the block is then reset and formed again without it.
   */
  add(batch: SpanBatch | EventBatch): void
  /**
   * Makes all added rows durable and visible to readers. `token` is the same for the same block of the same log, also
   * after a restart. Rejects with an `UnavailableError` that can be retried when an outside problem prevents it: the
   * block is tried again for as long as it takes. Rejects with anything else when the sink refuses these rows: after
   * some tries they are quarantined.
   */
  insert(insert: BlockInsert): Promise<void>
  /** Forgets all rows and keeps the memory for the next ones. */
  reset(): void
}

export interface BlockInsert {
  readonly token: string
  /**
   * Set when an earlier attempt, by this process or one that was killed, may have stored some of the rows. Each row
   * must still be there exactly once afterwards.
   */
  readonly mayBeStored: boolean
}
