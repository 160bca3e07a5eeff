/**
 * Bounds the bytes of requests that are unpacked, decoded or waiting for the disk. What does not fit waits its turn,
 * first come, first served; when too much waits as well, the client is told to come back.
 */
import { UnavailableError } from '../base/errors.ts'

/** Requests whose size is only guessed yet; each may turn out to be of the largest. */
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
   * Holds `bytes` until `leave`. Answers a promise only when there is no room yet. A request larger than the bound goes
   * in alone. A guess is to be settled by `settle`. Throws `UnavailableError` `too_many_requests` when as much as may be held is waiting already.
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

  /** The guess was `guessed` and `bytes` is right: it may pass the bound, and nobody enters until that is over. */
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
