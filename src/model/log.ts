/**
 * The transport contract between capture and every consumer (the store's writer, sinks): a durable, ordered log.
 * Two forms: local segment files (`transport/local`) and, between machines, Kafka.
 *
 * A receiver appends the bytes exactly as they came, already known to decode; the promise of `append` is the
 * durability promise made to the client. Consumers read in order and commit how far they are.
 */

import type { UnavailableError } from '../base/errors.ts'

/** Place of a record in the log: strictly increasing along the log, never reused; the number of the record since the log began. */
export type Position = number & { readonly brand: 'Position' }

export type Signal = 'spans' | 'events'

export interface RecordHeader {
  readonly signal: Signal
  /** Name of the decoder that reads the body again, a row of the codec table: `otlp-protobuf`, `otlp-json`, … */
  readonly codec: string
  /** Content encoding of the body as it came: '' or `gzip`, `zstd`, `deflate`. */
  readonly encoding: string
  readonly tenant: string
  /** Milliseconds since the epoch when the body was received; replays use it wherever a decoder needs "now". */
  readonly receivedAtMs: number
}

export interface LogRecord extends RecordHeader {
  /** The bytes as received. The log does not keep a reference after `append` resolves; the caller must not change them before. */
  readonly body: Uint8Array
  /**
   * False when the sender never repeats itself (it waits for no answer): then equal bytes are two happenings, and the log
   * keeps both instead of taking the second for a retry. `read` does not give it back. Default true.
   */
  readonly retryable?: boolean
}

export interface StoredRecord extends LogRecord {
  readonly position: Position
  /** First 16 bytes of the SHA-1 of the body, hex; also the record's checksum. */
  readonly hash: string
}

export interface Appended {
  readonly position: Position
  /** True when the same body was appended within the retry window: nothing was stored again, `position` is the first one's. */
  readonly duplicate: boolean
}

/** What a consumer has finished, and the block it is about to store. */
export interface ConsumerState {
  /** Every record before this position is stored; the consumer goes on here. */
  readonly next: Position
  /**
   * A block whose insert may or may not have happened: records [next, cutEnd). A restart must form exactly this block
   * again, so that the store's deduplication recognises it. `undefined` when no insert is under way.
   */
  readonly cutEnd: Position | undefined
}

/** Parts of one record's body as it was stored, byte offsets [start, end), by ascending start. */
export interface RecordRanges {
  readonly position: Position
  readonly ranges: readonly (readonly [start: number, end: number])[]
}

export interface AppendProblem {
  readonly failure: UnavailableError
  /** When it happened, milliseconds since the epoch. */
  readonly atMs: number
}

export interface LogStats {
  /** Bytes and records not yet committed by every consumer that holds back the log. */
  readonly pendingBytes: number
  readonly pendingRecords: number
  /** Bytes on disk, including segments kept for the retry window. */
  readonly diskBytes: number
  readonly appendedRecords: number
  readonly duplicateRecords: number
  readonly syncs: number
  readonly refusedRecords: number
  /** Why the newest append could not be written; `undefined` once one was. */
  readonly problem: AppendProblem | undefined
  /** Where the oldest record kept begins; `nextPosition` when none is. */
  readonly oldestPosition: Position
  readonly nextPosition: Position
}

export interface Log {
  /**
   * Resolves once the record is durable (synced, unless syncing is off). Positions follow the order of calls.
   * Rejects with `UnavailableError` `log_full` (with `retryAfterMs`) past the bound, `disk_full` or `io_failed` when the
   * disk refuses; then nothing of the record is kept, or a later restart may find it whole: the client will retry.
   */
  append(record: LogRecord): Promise<Appended>
  /** Records from `from` on, in order, ending at the last durable one. Bodies are fresh buffers owned by the caller. */
  read(from: Position): AsyncIterable<StoredRecord>
  /**
   * Parts of bodies without the rest, for each record in the order asked for, which is by ascending position; owned by
   * the caller. `undefined` when one of the records is not kept (any more). Bodies are not held against their hash: what
   * is read has to be recognised by its reader. Rejects with `UnavailableError` `io_failed` when the disk does not
   * answer. Missing where records are not local files.
   */
  readRanges?(records: readonly RecordRanges[]): Promise<Uint8Array[][] | undefined>
  /** The state last committed under this name; a new consumer starts at the oldest record kept. */
  consumer(name: string): Promise<ConsumerState>
  /** Durable when it resolves. Records before the smallest `next` of all consumers may be dropped. */
  commit(name: string, state: ConsumerState): Promise<void>
  stats(): LogStats
  /** Refuses new appends, finishes those under way, syncs and closes. */
  close(): Promise<void>
}
