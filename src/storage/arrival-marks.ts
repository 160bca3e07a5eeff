/**
 * Tells which records of a partition are older than a given age. It keeps the log's end at a few moments of each of the
 * last seconds. Records from before the start count as old at once.
 */

const markEveryMs = 250

interface Mark {
  readonly atMs: number
  /** All records before this position had come by then. */
  readonly end: number
}

export class ArrivalMarks {
  readonly #ageMs: number
  /** In order of time. The first is the newest one that is known to be old enough. */
  readonly #marks: Mark[]
  #newest: Mark

  constructor(ageMs: number, end: number) {
    this.#ageMs = ageMs
    this.#newest = { atMs: -Infinity, end }
    this.#marks = [this.#newest]
  }

  /** Notes that the records before `end` have come; `nowMs` does not go back. */
  note(end: number, nowMs: number): void {
    this.#newest = { atMs: nowMs, end }
    if (nowMs - this.#marks.at(-1)!.atMs < markEveryMs) return
    this.#marks.push(this.#newest)
    this.#dropOld(nowMs)
  }

  /** Every record that came more than the age before `nowMs` is before this position, within a quarter second. */
  oldEnd(nowMs: number): number {
    if (this.#newest.atMs <= nowMs - this.#ageMs) return this.#newest.end
    this.#dropOld(nowMs)
    return this.#marks[0]!.end
  }

  #dropOld(nowMs: number): void {
    while (this.#marks.length > 1 && this.#marks[1]!.atMs <= nowMs - this.#ageMs) this.#marks.shift()
  }
}
