/** How freshly appended batches reach the sinks from memory, without being read from the log and decoded again. */
import type { BatchLease } from './batch-lease.ts'
import type { Appended, RecordHeader } from './log.ts'

export interface BatchSink {
  /**
   * Called once for each record after it is durable, in any order. The receiver of the call may hold the lease, or
   * ignore it when memory is short and read the record from the log. `header` says what the record's body is. Returns a
   * promise when a large batch takes more than a turn of the event loop; the caller holds its lease until then.
   */
  offer(place: Pick<Appended, 'partition' | 'position'>, lease: BatchLease, header: RecordHeader): void | Promise<void>
}
