/** Bounds the bytes that one listener holds for requests still coming in, however many clients send at once. */
import { UnavailableError } from '../base/errors.ts'

export class ByteBudget {
  readonly #bytesMax: number
  #held = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get held(): number {
    return this.#held
  }

  /** Throws `UnavailableError` `too_many_requests` when this would exceed the bound; then it reserves nothing. */
  hold(bytes: number): void {
    if (this.#held + bytes > this.#bytesMax) {
      const message = `cannot take the request: more than ${this.#bytesMax} bytes of unfinished requests are held`
      throw new UnavailableError('too_many_requests', message, { retryAfterMs: 1000 })
    }
    this.#held += bytes
  }

  release(bytes: number): void {
    this.#held -= bytes
  }
}

/** Room for this many requests of the largest size to come in at once. */
const largestAtOnce = 4

export function receivingBudget(bodyBytesMax: number): ByteBudget {
  return new ByteBudget(bodyBytesMax * largestAtOnce)
}
