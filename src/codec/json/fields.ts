/**
 * The members of an object that a decoder knows, found by the bytes of their names so that no name becomes a string.
 */
import { assert } from '../../base/errors.ts'
import type { JsonScanner } from './json-scanner.ts'

const slotsMax = 256

interface Entry<T> {
  readonly name: Uint8Array
  readonly value: T
}

export class JsonFields<T> {
  readonly #slots: readonly (Entry<T> | undefined)[]
  readonly #multiplier: number

  constructor(fields: Readonly<Record<string, T>>) {
    const entries = Object.entries(fields).map(([name, value]) => ({ name: Buffer.from(name), value }))
    // Tries multipliers until no two names share a slot: then each lookup needs one comparison.
    for (let multiplier = 1; multiplier < slotsMax; multiplier += 2) {
      const slots: (Entry<T> | undefined)[] = Array.from({ length: slotsMax })
      for (const entry of entries) slots[slotOf(entry.name, 0, entry.name.length, multiplier)] = entry
      if (entries.every((entry) => slots.includes(entry))) {
        this.#slots = slots
        this.#multiplier = multiplier
        return
      }
    }
    this.#slots = []
    this.#multiplier = 1
    assert(false, `no slots found for ${Object.keys(fields).join(', ')}`)
  }

  /** The entry for the name that the scanner read last. */
  find(scanner: JsonScanner): T | undefined {
    if (scanner.hasEscapes) {
      const name = Buffer.from(scanner.text())
      return this.#find(name, 0, name.length)
    }
    return this.#find(scanner.bytes, scanner.textStart, scanner.textEnd)
  }

  #find(bytes: Uint8Array, start: number, end: number): T | undefined {
    if (start === end) return undefined
    const entry = this.#slots[slotOf(bytes, start, end, this.#multiplier)]
    if (entry === undefined || entry.name.length !== end - start) return undefined
    for (let i = 0; i < entry.name.length; i++) if (entry.name[i] !== bytes[start + i]) return undefined
    return entry.value
  }
}

/** First and last letter and the length distinguish the names of one object. */
function slotOf(bytes: Uint8Array, start: number, end: number, multiplier: number): number {
  return ((bytes[start]! * 31 + bytes[end - 1]! * multiplier + (end - start)) * multiplier) & (slotsMax - 1)
}
