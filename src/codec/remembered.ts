/**
 * Remembers what was made from the same bytes a moment ago: senders repeat their identity in every request. Bounded:
 * when full it starts again empty, and the current senders fill it again with one request each.
 */
import { repairCount } from './repairs.ts'

export class Remembered<T> {
  readonly #entries = new Map<string, T>()
  readonly #entriesMax: number
  readonly #keyLengthMax: number

  /** For longer keys the value is made each time, so the product of the two bounds the memory. */
  constructor(entriesMax: number, keyLengthMax: number) {
    this.#entriesMax = entriesMax
    this.#keyLengthMax = keyLengthMax
  }

  get(key: string, make: () => T): T {
    if (key.length > this.#keyLengthMax) return make()
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      const repairs = repairCount()
      entry = make()
      if (repairCount() !== repairs) return entry
      if (this.#entries.size >= this.#entriesMax) this.#entries.clear()
      this.#entries.set(key, entry)
    }
    return entry
  }
}
