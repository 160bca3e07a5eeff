/**
 * Bounds the bytes of requests that are unpacked, decoded or waiting for the disk. What does not fit waits its turn,
 * first come, first served; when too much is waiting as well, the client is told to retry later.
 */
import { UnavailableError } from '../base/errors.ts'

/** The maximum number of requests whose size is only guessed; each may turn out to be of the largest size. */
const guessedMax = 4

interface Waiting {
  readonly bytes: number
  readonly isGuess: boolean
  readonly enter: () => void
}

export class MemoryGate {
  readonly #bytesMax: number
  #held = 0
  #guessed = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /**
   * Holds `bytes` until `leave`. Returns a promise only when there is no room yet. A request larger than the bound
   * enters alone. A guess must be corrected by `settle`. Throws `UnavailableError` `too_many_requests` when this
   * request would make the waiting ones exceed the bound.
   */
  enter(bytes: number, isGuess = false): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes, isGuess)) {
      this.#take(bytes, isGuess)
      return undefined
    }
    if (this.#waitingBytes + bytes > this.#bytesMax) {
      const message = `cannot take the request: ${this.#held + this.#waitingBytes} bytes of others are being stored`
      throw new UnavailableError('too_many_requests', message, { retryAfterMs: 1000 })
    }
    this.#waitingBytes += bytes
    return new Promise((resolve) => this.#waiting.push({ bytes, isGuess, enter: resolve }))
  }

  /** Replaces the guess `guessed` by `bytes`. This may exceed the bound; then nobody enters until it is met again. */
  settle(guessed: number, bytes: number): void {
    this.#guessed--
    this.leave(guessed - bytes)
  }

  leave(bytes: number): void {
    this.#held -= bytes
    while (this.#waiting.length > 0 && this.#hasRoom(this.#waiting[0]!.bytes, this.#waiting[0]!.isGuess)) {
      const next = this.#waiting.shift()!
      this.#waitingBytes -= next.bytes
      this.#take(next.bytes, next.isGuess)
      next.enter()
    }
  }

  #hasRoom(bytes: number, isGuess: boolean): boolean {
    if (isGuess && this.#guessed >= guessedMax) return false
    return this.#held === 0 || this.#held + bytes <= this.#bytesMax
  }

  #take(bytes: number, isGuess: boolean): void {
    this.#held += bytes
    if (isGuess) this.#guessed++
  }
}
