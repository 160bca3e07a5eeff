/** Where the writer takes freshly appended batches from memory instead of reading and decoding them again. */
import type { EventBatch } from './event-batch.ts'
import type { Position, RecordHeader } from './log.ts'
import type { SpanBatch } from './span-batch.ts'

export interface BatchSink {
  /**
   * Called once for each record after it is durable, in any order. The sink may keep the batch or drop it when memory
   * is short: what it drops it reads back from the log. `header` says what the record's body is.
   */
  offer(position: Position, batch: SpanBatch | EventBatch, header: RecordHeader): void
}
