import { wider } from '../base/wider.ts'
import { comparedSteps, keyedHash, probesMax, quickHash } from './byte-hash.ts'

/** Entries of a batch's dictionary: bytes `arena[starts[i], starts[i] + lengths[i])`. */
export interface DictionaryColumn {
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
}

/** Used instead of a dictionary number for the empty text, which needs no entry. */
export const noText = 0xffffffff

/**
 * Interns byte strings in an arena: equal bytes get one number, in order of first appearance, from 0. Batches hold
 * names and attribute keys as these numbers, so a key that a thousand spans share is processed only once. It uses open
 * addressing; strings chosen to collide cost no more than others (byte-hash.ts). The arena may grow (same offsets)
 * between calls.
 */
export class Dictionary {
  /** Number of entries. */
  count = 0
  starts = new Uint32Array(64)
  lengths = new Uint32Array(64)
  #hashes = new Int32Array(64)
  #slots = new Int32Array(256).fill(-1)
  #mask = 255
  #isKeyed = false
  /**
   * The entry that last followed each entry. Rows of one kind have their keys in the same order, so it usually follows
   * again.
   */
  #followers = new Int32Array(64).fill(-1)
  #last = 0

  /** The number of `arena[start, end)`. */
  intern(arena: Uint8Array, start: number, end: number): number {
    const guess = this.#followers[this.#last]!
    const length = end - start
    const isRight =
      guess >= 0 &&
      guess < this.count &&
      this.lengths[guess] === length &&
      equalBytes(arena, this.starts[guess]!, start, length)
    const entry = isRight ? guess : this.#find(arena, start, end)
    this.#followers[this.#last] = entry
    this.#last = entry
    return entry
  }

  #find(arena: Uint8Array, start: number, end: number): number {
    const length = end - start
    const hash = this.#isKeyed ? keyedHash(arena, start, end) : quickHash(arena, start, end)
    let slot = hash & this.#mask
    for (let probes = 0; ; probes++) {
      if (probes >= probesMax && !this.#isKeyed) {
        this.#useKey(arena)
        return this.#find(arena, start, end)
      }
      const entry = this.#slots[slot]!
      if (entry < 0) return this.#add(slot, hash, start, length)
      if (this.#hashes[entry] === hash && this.lengths[entry] === length) {
        if (equalBytes(arena, this.starts[entry]!, start, length)) return entry
        probes += comparedSteps
      }
      slot = (slot + 1) & this.#mask
    }
  }

  clear(): void {
    this.count = 0
    this.#slots.fill(-1)
    this.#followers.fill(-1)
    this.#last = 0
    this.#isKeyed = false
  }

  /** Undoes the addition that the last `intern` made; only allowed right after it. */
  forgetLast(): void {
    const entry = --this.count
    let slot = this.#hashes[entry]! & this.#mask
    while (this.#slots[slot] !== entry) slot = (slot + 1) & this.#mask
    this.#slots[slot] = -1
  }

  #add(slot: number, hash: number, start: number, length: number): number {
    const entry = this.count++
    if (entry === this.starts.length) this.#growEntries()
    this.starts[entry] = start
    this.lengths[entry] = length
    this.#hashes[entry] = hash
    this.#slots[slot] = entry
    if (this.count * 2 > this.#slots.length) this.#fillSlots(this.#slots.length * 2)
    return entry
  }

  /** The number of steps of the longest search, which an attack tries to increase. */
  longestSearch(): number {
    let longest = 0
    this.#slots.forEach((entry, slot) => {
      if (entry >= 0) longest = Math.max(longest, (slot - this.#hashes[entry]!) & this.#mask)
    })
    return longest
  }

  #useKey(arena: Uint8Array): void {
    this.#isKeyed = true
    for (let entry = 0; entry < this.count; entry++) {
      const start = this.starts[entry]!
      this.#hashes[entry] = keyedHash(arena, start, start + this.lengths[entry]!)
    }
    this.#fillSlots(this.#slots.length)
  }

  #growEntries(): void {
    this.starts = wider(this.starts)
    this.lengths = wider(this.lengths)
    this.#hashes = wider(this.#hashes)
    this.#followers = wider(this.#followers)
  }

  #fillSlots(size: number): void {
    this.#slots = new Int32Array(size).fill(-1)
    this.#mask = size - 1
    for (let entry = 0; entry < this.count; entry++) {
      let slot = this.#hashes[entry]! & this.#mask
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & this.#mask
      this.#slots[slot] = entry
    }
  }
}

function equalBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
