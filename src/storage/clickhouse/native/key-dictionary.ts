/**
 * The keys of one LowCardinality column within a block: copies each distinct byte string once and numbers it.
 * Key 0 is the empty string, as the format asks. Strings made to meet cost no more than others (byte-hash.ts).
 */
import { wider } from '../../../base/wider.ts'
import { comparedSteps, keyedHash, probesMax, quickHash } from '../../../model/byte-hash.ts'
import { ByteWriter, utf8Slice } from './byte-writer.ts'

export class KeyDictionary {
  count = 1
  /** Keys as the format's `str`, in order. */
  readonly #encoded = new ByteWriter()
  #starts = new Uint32Array(256)
  #lengths = new Uint32Array(256)
  #hashes = new Int32Array(256)
  #slots = new Int32Array(1024).fill(-1)
  #mask = 1023
  #isKeyed = false

  constructor() {
    this.reset()
  }

  reset(): void {
    this.count = 1
    this.#encoded.length = 0
    this.#encoded.varint(0)
    this.#slots.fill(-1)
    this.#isKeyed = false
  }

  intern(bytes: Uint8Array, start: number, length: number): number {
    if (length === 0) return 0
    const end = start + length
    const hash = this.#isKeyed ? keyedHash(bytes, start, end) : quickHash(bytes, start, end)
    let slot = hash & this.#mask
    for (let probes = 0; ; probes++) {
      if (probes >= probesMax && !this.#isKeyed) {
        this.#useKey()
        return this.intern(bytes, start, length)
      }
      const key = this.#slots[slot]!
      if (key < 0) return this.#add(slot, hash, { bytes, start, length })
      if (this.#hashes[key] === hash && this.#lengths[key] === length) {
        if (this.#equals(key, bytes, start)) return key
        probes += comparedSteps
      }
      slot = (slot + 1) & this.#mask
    }
  }

  internText(text: string): number {
    const bytes = Buffer.from(text)
    return this.intern(bytes, 0, bytes.length)
  }

  textOf(key: number): string {
    return key === 0 ? '' : utf8Slice(this.#encoded.bytes, this.#starts[key]!, this.#lengths[key]!)
  }

  writeTo(out: ByteWriter): void {
    out.raw(this.#encoded.bytes, 0, this.#encoded.length)
  }

  #equals(key: number, bytes: Uint8Array, start: number): boolean {
    const own = this.#encoded.bytes
    const at = this.#starts[key]!
    for (let i = 0, n = this.#lengths[key]!; i < n; i++) if (own[at + i] !== bytes[start + i]) return false
    return true
  }

  #add(slot: number, hash: number, from: { bytes: Uint8Array; start: number; length: number }): number {
    const key = this.count++
    if (key === this.#starts.length) this.#growKeys()
    this.#encoded.slice(from.bytes, from.start, from.length)
    this.#starts[key] = this.#encoded.length - from.length
    this.#lengths[key] = from.length
    this.#hashes[key] = hash
    this.#slots[slot] = key
    if (this.count * 2 > this.#slots.length) this.#fillSlots(this.#slots.length * 2)
    return key
  }

  /** Steps that the longest search takes: what an attack is to make large. */
  longestSearch(): number {
    let longest = 0
    this.#slots.forEach((key, slot) => {
      if (key >= 0) longest = Math.max(longest, (slot - this.#hashes[key]!) & this.#mask)
    })
    return longest
  }

  #useKey(): void {
    this.#isKeyed = true
    const own = this.#encoded.bytes
    for (let key = 1; key < this.count; key++) {
      const start = this.#starts[key]!
      this.#hashes[key] = keyedHash(own, start, start + this.#lengths[key]!)
    }
    this.#fillSlots(this.#slots.length)
  }

  #growKeys(): void {
    this.#starts = wider(this.#starts)
    this.#lengths = wider(this.#lengths)
    this.#hashes = wider(this.#hashes)
  }

  #fillSlots(size: number): void {
    this.#slots = new Int32Array(size).fill(-1)
    this.#mask = size - 1
    for (let key = 1; key < this.count; key++) {
      let slot = this.#hashes[key]! & this.#mask
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & this.#mask
      this.#slots[slot] = key
    }
  }
}
