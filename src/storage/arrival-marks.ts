/**
 * Which records of a partition are older than a given age: the log's ends of the last seconds, a few a second. Records
 * that were there at the start count as old at once.
 */

const markEveryMs = 250

interface Mark {
  readonly atMs: number
  /** Records before it had come by then. */
  readonly end: number
}

export class ArrivalMarks {
  readonly #ageMs: number
  /** By ascending time; the first is the newest that is old enough, as far as is known. */
  readonly #marks: Mark[]
  #newest: Mark

  constructor(ageMs: number, end: number) {
    this.#ageMs = ageMs
    this.#newest = { atMs: -Infinity, end }
    this.#marks = [this.#newest]
  }

  /** Records before `end` have come; `nowMs` does not go back. */
  note(end: number, nowMs: number): void {
    this.#newest = { atMs: nowMs, end }
    if (nowMs - this.#marks.at(-1)!.atMs < markEveryMs) return
    this.#marks.push(this.#newest)
    this.#dropOld(nowMs)
  }

  /** Every record that came more than the age before `nowMs` is before this position, give or take a quarter second. */
  oldEnd(nowMs: number): number {
    if (this.#newest.atMs <= nowMs - this.#ageMs) return this.#newest.end
    this.#dropOld(nowMs)
    return this.#marks[0]!.end
  }

  #dropOld(nowMs: number): void {
    while (this.#marks.length > 1 && this.#marks[1]!.atMs <= nowMs - this.#ageMs) this.#marks.shift()
  }
}
