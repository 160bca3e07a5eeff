/**
 * The interface of every decoder: a named, pure function from received bytes to columns. The name is written into the
 * log with the bytes, so a replay finds the same decoder and must produce the same rows.
 */
import type { EventBatch } from '../model/event-batch.ts'
import type { SpanBatch } from '../model/span-batch.ts'
import type { Signal } from '../model/log.ts'

export type Batch = SpanBatch | EventBatch

export interface Decoded {
  readonly batch: Batch
  /** Rows left out because they were invalid; the rest of the request is in the batch. */
  readonly rejected: number
  /** What was wrong with the first of them and what would be right; '' when there was none. */
  readonly rejectedReason: string
  /** Values that were changed because their rows would otherwise be lost; 0 when absent. */
  readonly repaired?: number
  /** The first change; '' when there was none. */
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
   * (thread/large-bodies.ts). The default suits formats whose worst content takes 200 ns a byte.
   */
  readonly inlineBytesMax?: number
  /** Throws `InputError` when the bytes as a whole do not follow the grammar; then nothing of them is stored. */
  decode(body: Uint8Array, context: DecodeContext): Decoded
}
