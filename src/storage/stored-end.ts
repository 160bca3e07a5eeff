/**
 * How far a partition is stored, and who waits for it. A query must not say "not found" for data that was acknowledged
 * and is still only in the log. Records that came in the last moments do not count: they are stored within a second or
 * two.
 */
import { ArrivalMarks } from './arrival-marks.ts'

/** Lowest age at which a record that is not stored makes a query wait. */
const ageMinMs = 2000

interface Waiter {
  readonly end: number
  readonly resolve: () => void
}

export class StoredEnd {
  readonly #marks: ArrivalMarks
  #end: number
  #isOver = false
  #waiters: Waiter[] = []

  /** Everything before `end` is stored. Everything before `cameEnd` counts as old at once. */
  constructor(end: number, cameEnd: number, blockWaitMs: number) {
    this.#end = end
    this.#marks = new ArrivalMarks(Math.max(ageMinMs, 2 * blockWaitMs), cameEnd)
  }

  came(end: number): void {
    this.#marks.note(end, performance.now())
  }

  reached(end: number): void {
    this.#end = Math.max(this.#end, end)
    const [done, left] = [
      this.#waiters.filter((each) => each.end <= end),
      this.#waiters.filter((each) => each.end > end),
    ]
    this.#waiters = left
    for (const { resolve } of done) resolve()
  }

  /** Nothing more is stored from here, so nobody has to wait any longer. */
  giveUp(): void {
    this.#isOver = true
    this.reached(Infinity)
  }

  get isBehind(): boolean {
    return !this.#isOver && this.#end < this.#marks.oldEnd(performance.now())
  }

  get isWaitedFor(): boolean {
    return this.#waiters.length > 0
  }

  /** Resolves once the records that are old now are stored. Rejects with the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!this.isBehind) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { end: this.#marks.oldEnd(performance.now()), resolve }
    const leave = (): void => {
      this.#waiters = this.#waiters.filter((each) => each !== waiter)
      reject(signal.reason as Error)
    }
    this.#waiters.push(waiter)
    signal.addEventListener('abort', leave, { once: true })
    await promise.finally(() => signal.removeEventListener('abort', leave))
  }
}
