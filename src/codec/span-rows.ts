/**
 * A decoder's builder, with the counts for the answer. A decoder reuses one of these for all its requests, because
 * decoding is synchronous.
 */
import { InputError } from '../base/errors.ts'
import { rowsMax, SpanBatchBuilder } from '../model/span-batch.ts'
import type { Decoded } from './codec.ts'
import { resetRepairs, takeRepairs } from './repairs.ts'

/**
 * The maximum number of objects (annotations, log fields, references and so on) of one request. A byte on the wire can
 * become a hundred in memory, so they need their own bound; a million objects are about 100 MB.
 */
export const objectsMax = 1_000_000

export class SpanRows {
  builder = new SpanBatchBuilder()
  rejected = 0
  rejectedReason = ''
  #objectsLeft = objectsMax

  /** Starts a request; `body` as for `SpanBatchBuilder.reset`. */
  reset(body?: Uint8Array): void {
    // The columns of one huge request must not stay allocated.
    if (this.builder.isLarge) this.builder = new SpanBatchBuilder()
    this.builder.reset(body)
    this.rejected = 0
    this.rejectedReason = ''
    this.#objectsLeft = objectsMax
    resetRepairs()
  }

  /** Makes the text that was read from the body the arena of the request, once it is known to be valid UTF-8. */
  use(body: Uint8Array): void {
    this.builder.reset(body)
  }

  /** Counts a row left out. Throws `InputError` `too_large` when there are more than a batch may have rows. */
  reject(reason: string): void {
    if (this.rejected++ === 0) this.rejectedReason = reason
    if (this.rejected > rowsMax) {
      throw new InputError(
        'too_large',
        `cannot take a request of more than ${rowsMax} wrong spans; the first: ${this.rejectedReason}`,
      )
    }
  }

  /** Call this before each object that is made from the body. */
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
