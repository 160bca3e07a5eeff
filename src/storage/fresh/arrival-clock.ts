/**
 * The time of arrivals: the wall clock, except that it never goes back and notices when it is set. After it was set
 * forward, times from before cannot be compared with times from after.
 */

/** Slewing and pauses between the readings of the two clocks stay below this. */
const driftMaxMs = 5000

export class ArrivalClock {
  readonly #wall: () => number
  readonly #steady: () => number
  #offsetMs: number
  #lastMs: number

  constructor(wall: () => number = Date.now, steady: () => number = () => performance.now()) {
    this.#wall = wall
    this.#steady = steady
    this.#lastMs = wall()
    this.#offsetMs = this.#lastMs - steady()
  }

  /** Milliseconds since the epoch; `wasSet` when the clock was set since the last call. */
  read(): { atMs: number; wasSet: boolean } {
    const wallMs = this.#wall()
    const offsetMs = wallMs - this.#steady()
    const wasSet = Math.abs(offsetMs - this.#offsetMs) > driftMaxMs
    // Slow drift is followed: only a jump between two arrivals counts.
    this.#offsetMs = offsetMs
    this.#lastMs = Math.max(this.#lastMs, wallMs)
    return { atMs: this.#lastMs, wasSet }
  }
}
