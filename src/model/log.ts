/**
 * The transport contract between capture and every sink: a durable log in one or more ordered partitions. Receivers
 * append the bytes exactly as they came, after checking that they decode. The promise of `append` is the durability
 * promise made to the client. Sinks read each partition in order and commit how far they are.
 *
 * A log need not be local files, nor belong to one process: several processes can consume under one name and share the
 * partitions. The `capabilities` of a log say what it cannot do. `transport/local` is the log in local segment files,
 * with one partition. docs/adr/0021-log-and-sink-contract.md has the reasons; test/contract/log.ts is the suite that
 * every log passes.
 */

import type { UnavailableError } from '../base/errors.ts'

/** Number of a partition. A log that has no partitions calls its only one 0. */
export type Partition = number

/**
 * Place of a record in its partition: strictly increasing, never reused. Two records may be further apart than 1, so
 * reading goes on at `position + 1`, but that is not always the position of a record.
 */
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
   * False when the sender never repeats itself (it waits for no answer): then equal bytes are two separate events, and
   * the log keeps both. `read` does not return this field. Default true.
   */
  readonly retryable?: boolean
}

export interface StoredRecord extends LogRecord {
  readonly partition: Partition
  readonly position: Position
  /** First 16 bytes of the SHA-1 of the body, hex; also the record's checksum. */
  readonly hash: string
}

export interface Appended {
  readonly partition: Partition
  readonly position: Position
  /**
   * True when the same body was appended within the retry window: nothing was stored again, `position` is the first
   * one's. Always false from a log that does not detect retries.
   */
  readonly duplicate: boolean
}

/** What a consumer has finished of a partition, and the block it is about to store. */
export interface ConsumerState {
  /** Every record before this position is stored; the consumer goes on here. */
  readonly next: Position
  /**
   * A block whose insert may or may not have happened: records [next, cutEnd). A restart must form exactly this block
   * again, so that the store's deduplication recognises it. `undefined` when no insert is under way.
   */
  readonly cutEnd: Position | undefined
}

/** A partition that this process consumes until it is lost. */
export interface Assignment {
  readonly partition: Partition
  /** What was committed last, by whichever process. A new consumer starts at the oldest record kept. */
  readonly state: ConsumerState
  /** Every record before this position is durable and can be read. */
  readonly end: Position
  /**
   * Aborted once the partition may belong to another process. From then on `commit` rejects, and a block that is not
   * committed is dropped: its next owner forms it again from `state`.
   */
  readonly lost: AbortSignal
}

/** Learns which partitions a consumer has. The log calls its methods for one partition in turn, never two at once. */
export interface AssignmentListener {
  /** The process has the partition from now on. */
  assigned(assignment: Assignment): void
  /**
   * The process is about to lose the partition; its `lost` signal is aborted already. Resolves when no insert of its
   * records is under way any more. A log hands the partition on only then, or when it has heard nothing for its session
   * timeout.
   */
  revoked(partition: Partition): Promise<void>
  /**
   * Reports that records before `end` are durable that other processes appended. For its own records this process has
   * the result of `append`.
   */
  grown(partition: Partition, end: Position): void
}

/** One process's part in consuming a log under a name. */
export interface LogConsumer {
  /**
   * Durable when it resolves. The state is given back exactly, because a block's token is made from it. `next` never
   * goes back. Records before the smallest `next` of all consumers may be dropped. When it rejects with
   * `UnavailableError`, the state before is still valid. It always rejects once the partition is lost.
   */
  commit(partition: Partition, state: ConsumerState): Promise<void>
  /** Gives up every partition. Commits under way are finished first. */
  leave(): Promise<void>
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

/** How far a consumer is, over all partitions. */
export interface ConsumerStats {
  readonly name: string
  /** Whether the log keeps every record until this consumer has stored it, and refuses new ones at its bound. */
  readonly holdsLog: boolean
  readonly pendingBytes: number
  readonly pendingRecords: number
  /**
   * The number of records that it had not committed when the log deleted them, because it does not hold back the log.
   */
  readonly goneRecords: number
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
  /** Why the newest append could not be written; `undefined` once an append succeeds. */
  readonly problem: AppendProblem | undefined
  /** Where the oldest record kept in partition 0 begins; `nextPosition` when none is. */
  readonly oldestPosition: Position
  /** One past the newest record of partition 0. */
  readonly nextPosition: Position
  readonly consumers: readonly ConsumerStats[]
}

/** What not every log can do. False means "cannot". Parts of records can be read from a log that has `readRanges`. */
export interface LogCapabilities {
  /** Whether a body that was appended within the retry window is recognised when it comes again. */
  readonly detectsRetries: boolean
  /**
   * Whether positions of a partition follow each other without gaps. A consumer can then take the next record from
   * memory without asking the log whether there is another one before it.
   */
  readonly densePositions: boolean
}

export interface Log {
  readonly capabilities: LogCapabilities
  /**
   * Resolves once the record is durable (synced, unless syncing is off). Positions in a partition follow the order of
   * calls. Rejects with `UnavailableError` `log_full` (with `retryAfterMs`) past the bound, `disk_full` or `io_failed`
   * when the disk refuses; then the record is not kept, though a later restart may find it whole; the client will
   * retry.
   */
  append(record: LogRecord): Promise<Appended>
  /**
   * Records of a partition (default 0) from `from` on, in order, ending at the last one that is durable. Skips records
   * that are damaged or no longer kept. Bodies are fresh buffers owned by the caller.
   */
  read(from: Position, partition?: Partition): AsyncIterable<StoredRecord>
  /**
   * Reads parts of bodies of partition 0. The answer is owned by the caller and has the records in the order of the
   * request, which is by ascending position. `undefined` when one of the records is not kept (any more). Bodies are not
   * checked against their hash: the reader must recognise what it reads. Rejects with `UnavailableError` `io_failed`
   * when the disk does not answer. The method is missing when records are not local files.
   */
  readRanges?(records: readonly RecordRanges[]): Promise<Uint8Array[][] | undefined>
  /**
   * Joins the processes that consume under this name. The listener may get partitions before this resolves. Each name
   * has its own positions, so a slow consumer does not delay others.
   */
  consume(name: string, listener: AssignmentListener): Promise<LogConsumer>
  stats(): LogStats
  /** Refuses new appends, finishes those under way, syncs and closes. */
  close(): Promise<void>
}
