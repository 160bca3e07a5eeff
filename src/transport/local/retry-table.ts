/**
 * The bodies stored within the retry window, by key, so that a client's retry is recognised. Entries are in a ring in
 * order of arrival; an open-addressing table (linear probing, at most half full) finds them by key. An entry takes 32
 * bytes and its two table slots 8: a million entries take 40 MB.
 */
import { idHash } from '../../model/byte-hash.ts'

const wordsPerKey = 4
export const retryKeyBytes = 4 * wordsPerKey
const capacityMin = 1024

export class RetryTable {
  readonly #windowMs: number
  readonly #entriesMax: number
  #words = new Uint32Array(0)
  #positions = new Float64Array(0)
  #timesMs = new Float64Array(0)
  /** Ring index + 1 of the entry; 0 is a free slot. */
  #slots = new Uint32Array(0)
  #head = 0
  #size = 0

  /** Past `entriesMax`, rounded up to a power of two, the oldest entries are dropped. */
  constructor(windowMs: number, entriesMax: number) {
    this.#windowMs = windowMs
    this.#entriesMax = Math.max(capacityMin, 2 ** Math.ceil(Math.log2(entriesMax)))
    this.#resize(capacityMin)
  }

  get size(): number {
    return this.#size
  }

  /** The position that was stored within the window under a key of `retryKeyBytes` bytes. */
  get(key: Buffer, nowMs: number): number | undefined {
    const entry = (this.#slots[this.#slotOf(key)] ?? 0) - 1
    if (entry < 0 || nowMs - (this.#timesMs[entry] ?? 0) > this.#windowMs) return undefined
    return this.#positions[entry]
  }

  /** Notes that the key was stored at `atMs`, and forgets what left the window. */
  add(key: Buffer, position: number, atMs: number): void {
    this.#expire(atMs)
    const known = (this.#slots[this.#slotOf(key)] ?? 0) - 1
    if (known >= 0) {
      this.#positions[known] = position
      this.#timesMs[known] = atMs
      return
    }
    if (this.#size === this.#positions.length) {
      if (this.#size < this.#entriesMax) this.#resize(this.#size * 2)
      else this.#removeOldest()
    }
    const entry = (this.#head + this.#size) & (this.#positions.length - 1)
    for (let i = 0; i < wordsPerKey; i++) this.#words[entry * wordsPerKey + i] = key.readUInt32LE(4 * i)
    this.#positions[entry] = position
    this.#timesMs[entry] = atMs
    this.#slots[this.#slotOf(key)] = entry + 1
    this.#size++
  }

  #expire(nowMs: number): void {
    while (this.#size > 0 && nowMs - (this.#timesMs[this.#head] ?? 0) > this.#windowMs) this.#removeOldest()
    const capacity = this.#positions.length
    if (capacity > capacityMin && this.#size < capacity / 8) this.#resize(capacity / 2)
  }

  /** The slot that holds the key, or the free one where it would go. */
  #slotOf(key: Buffer): number {
    const mask = this.#slots.length - 1
    let slot = idHash(key.readInt32LE(0), key.readInt32LE(4), key.readInt32LE(8), key.readInt32LE(12)) & mask
    for (; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] ?? 0) - 1
      if (entry < 0 || this.#holds(entry, key)) return slot
    }
  }

  #holds(entry: number, key: Buffer): boolean {
    for (let i = 0; i < wordsPerKey; i++) {
      if (this.#words[entry * wordsPerKey + i] !== key.readUInt32LE(4 * i)) return false
    }
    return true
  }

  #removeOldest(): void {
    const mask = this.#slots.length - 1
    const entry = this.#head
    let free = this.#home(entry, mask)
    while (this.#slots[free] !== entry + 1) free = (free + 1) & mask
    this.#head = (this.#head + 1) & (this.#positions.length - 1)
    this.#size--
    // Moves later entries of the same run back, so that no search stops at the gap.
    for (let slot = (free + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#home((this.#slots[slot] ?? 0) - 1, mask)
      if (((slot - home) & mask) < ((slot - free) & mask)) continue
      this.#slots[free] = this.#slots[slot] ?? 0
      free = slot
    }
    this.#slots[free] = 0
  }

  #home(entry: number, mask: number): number {
    const words = this.#words
    const at = entry * wordsPerKey
    return idHash(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!) & mask
  }

  #resize(capacity: number): void {
    const [words, positions, timesMs, head] = [this.#words, this.#positions, this.#timesMs, this.#head]
    const oldMask = positions.length - 1
    this.#words = new Uint32Array(capacity * wordsPerKey)
    this.#positions = new Float64Array(capacity)
    this.#timesMs = new Float64Array(capacity)
    this.#slots = new Uint32Array(capacity * 2)
    this.#head = 0
    const mask = this.#slots.length - 1
    for (let i = 0; i < this.#size; i++) {
      const from = (head + i) & oldMask
      this.#words.set(words.subarray(from * wordsPerKey, (from + 1) * wordsPerKey), i * wordsPerKey)
      this.#positions[i] = positions[from] ?? 0
      this.#timesMs[i] = timesMs[from] ?? 0
      let slot = this.#home(i, mask)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = i + 1
    }
  }
}
