/**
 * The builder of one decoder and what it counts for the answer. A decoder keeps one of these for all its requests, as
 * decoding is synchronous.
 */
import { InputError } from '../base/errors.ts'
import { rowsMax, SpanBatchBuilder } from '../model/span-batch.ts'
import type { Decoded } from './codec.ts'
import { resetRepairs, takeRepairs } from './repairs.ts'

/**
 * Annotations, log fields, references and the like of one request, which become objects: a byte on the wire can become
 * a hundred in memory, so they need a bound of their own; a million objects are about 100 MB.
 */
export const objectsMax = 1_000_000

export class SpanRows {
  builder = new SpanBatchBuilder()
  rejected = 0
  rejectedReason = ''
  #objectsLeft = objectsMax

  /** Starts a request; `body` as for `SpanBatchBuilder.reset`. */
  reset(body?: Uint8Array): void {
    // One huge request must not leave its columns behind.
    if (this.builder.isLarge) this.builder = new SpanBatchBuilder()
    this.builder.reset(body)
    this.rejected = 0
    this.rejectedReason = ''
    this.#objectsLeft = objectsMax
    resetRepairs()
  }

  /** Makes the text that was read from the body, once it is known to be UTF-8, the arena of the request. */
  use(body: Uint8Array): void {
    this.builder.reset(body)
  }

  /** Counts a row left out. Throws `InputError` `too_large` when there are more of them than a batch may have rows. */
  reject(reason: string): void {
    if (this.rejected++ === 0) this.rejectedReason = reason
    if (this.rejected > rowsMax) {
      throw new InputError(
        'too_large',
        `cannot take a request of more than ${rowsMax} wrong spans; the first: ${this.rejectedReason}`,
      )
    }
  }

  /** To be called before each object that is made from the body. */
  countObject(): void {
    if (--this.#objectsLeft >= 0) return
    throw new InputError(
      'too_large',
      `cannot take a request of more than ${objectsMax} events, fields and links; send smaller batches`,
    )
  }

  finish(): Decoded {
    const { rejected, rejectedReason } = this
    return { batch: this.builder.finish(), rejected, rejectedReason, ...takeRepairs() }
  }
}
