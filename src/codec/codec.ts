/**
 * What every decoder is to the rest of clew: a named, pure function from received bytes to columns. The name is written
 * into the log with the bytes, so a replay finds the same decoder and must come to the same rows.
 */
import type { EventBatch } from '../model/event-batch.ts'
import type { SpanBatch } from '../model/span-batch.ts'
import type { Signal } from '../model/log.ts'

export type Batch = SpanBatch | EventBatch

export interface Decoded {
  readonly batch: Batch
  /** Rows left out because they themselves were wrong; the rest of the request is in the batch. */
  readonly rejected: number
  /** What was wrong with the first of them and what would be right; '' when none was. */
  readonly rejectedReason: string
  /** Values that are not stored as they were sent, because their rows would be lost else; 0 when absent. */
  readonly repaired?: number
  /** What was changed first, and how; '' when nothing was. */
  readonly repairedReason?: string
}

export interface DecodeContext {
  /** When the bytes were received, milliseconds since the epoch: the only "now" a decoder may use. */
  readonly receivedAtMs: number
}

export interface Codec {
  /** Unique and never changed: it is stored in the log. */
  readonly name: string
  readonly signal: Signal
  /**
   * Bytes of the largest body that is decoded on the main thread; larger ones go to the decoding thread
   * (thread/large-bodies.ts). The default suits formats whose worst content costs 200 ns a byte.
   */
  readonly inlineBytesMax?: number
  /** Throws `InputError` when the bytes as a whole do not follow the grammar; then nothing of them is stored. */
  decode(body: Uint8Array, context: DecodeContext): Decoded
}
