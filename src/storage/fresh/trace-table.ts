/**
 * A table of trace ids with open addressing (linear probing, at most half full). Each id has an entry, whose number
 * stays the same until the entry is removed. An entry takes 25 bytes and its slots 8 to 16.
 */
import { idHash } from '../../model/byte-hash.ts'

const wordsPerId = 4
const capacityMin = 1024

export class TraceTable {
  /**
   * For each entry: low 32 bits of the number of its newest span, how many spans it has, and whether some are missing.
   */
  newest = new Uint32Array(capacityMin)
  counts = new Uint32Array(capacityMin)
  partial = new Uint8Array(capacityMin)
  #ids = new Uint32Array(capacityMin * wordsPerId)
  /** Entry + 1; 0 is a free slot. */
  #slots = new Uint32Array(capacityMin * 2)
  #size = 0
  /** Entries from here on were never used. */
  #unused = 0
  /** First of a list of removed entries, linked by `newest`: entry + 1; 0 ends it. */
  #removed = 0

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.counts.length * (wordsPerId * 4 + 9) + this.#slots.byteLength
  }

  /** The entry of the id in `words[at, at + 4)`, or -1. */
  find(words: Uint32Array, at: number): number {
    return this.#slots[this.#slotOf(words, at)]! - 1
  }

  /** The entry of the id; a new one without spans when there is none. */
  take(words: Uint32Array, at: number): number {
    const slot = this.#slotOf(words, at)
    const known = this.#slots[slot]! - 1
    return known >= 0 ? known : this.#add(slot, words, at)
  }

  /** Lower-case hex of the entry's id. */
  idOf(entry: number): string {
    return Buffer.from(this.#ids.buffer, entry * wordsPerId * 4, wordsPerId * 4).toString('hex')
  }

  remove(entry: number): void {
    this.#clearSlot(entry)
    this.newest[entry] = this.#removed
    this.#removed = entry + 1
    this.#size--
  }

  #add(slot: number, words: Uint32Array, at: number): number {
    let entry = this.#removed - 1
    if (entry >= 0) this.#removed = this.newest[entry]!
    else entry = this.#unused++
    if (entry === this.counts.length) {
      this.#grow()
      slot = this.#slotOf(words, at)
    }
    const idAt = entry * wordsPerId
    for (let i = 0; i < wordsPerId; i++) this.#ids[idAt + i] = words[at + i]!
    this.newest[entry] = this.counts[entry] = this.partial[entry] = 0
    this.#slots[slot] = entry + 1
    this.#size++
    return entry
  }

  /** The slot that holds the id, or the free one where it would go. */
  #slotOf(words: Uint32Array, at: number): number {
    const ids = this.#ids
    const slots = this.#slots
    const mask = slots.length - 1
    const a = words[at]!
    const b = words[at + 1]!
    const c = words[at + 2]!
    const d = words[at + 3]!
    for (let slot = idHash(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1
      if (entry < 0) return slot
      const id = entry * wordsPerId
      if (ids[id] === a && ids[id + 1] === b && ids[id + 2] === c && ids[id + 3] === d) return slot
    }
  }

  #homeOf(entry: number): number {
    const at = entry * wordsPerId
    const ids = this.#ids
    return idHash(ids[at]!, ids[at + 1]!, ids[at + 2]!, ids[at + 3]!) & (this.#slots.length - 1)
  }

  #clearSlot(entry: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let free = this.#homeOf(entry)
    while (slots[free] !== entry + 1) free = (free + 1) & mask
    // Moves later entries of the same run back, so that no search stops at the gap.
    for (let slot = (free + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#homeOf(slots[slot]! - 1)
      if (((slot - home) & mask) < ((slot - free) & mask)) continue
      slots[free] = slots[slot]!
      free = slot
    }
    slots[free] = 0
  }

  /** Called only when every entry is in use. */
  #grow(): void {
    const entries = this.counts.length
    this.newest = wider(this.newest, new Uint32Array(entries * 2))
    this.counts = wider(this.counts, new Uint32Array(entries * 2))
    this.partial = wider(this.partial, new Uint8Array(entries * 2))
    this.#ids = wider(this.#ids, new Uint32Array(entries * 2 * wordsPerId))
    this.#slots = new Uint32Array(entries * 4)
    const mask = this.#slots.length - 1
    for (let entry = 0; entry < entries; entry++) {
      let slot = this.#homeOf(entry)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = entry + 1
    }
  }
}

function wider<Column extends Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(from: Column, to: Column): Column {
  to.set(from)
  return to
}
