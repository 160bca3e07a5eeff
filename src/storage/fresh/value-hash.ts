/**
 * Hashes of those attribute values of a batch that a search looks up, 32 bits with secret seeds. Nobody outside can
 * choose values that collide. Values that collide by chance only cost a look at spans that do not match.
 *
 * It works in passes over pieces of the batch, because one pass over everything cost twice as much. Entries are picked
 * without a branch, which would be mispredicted for every other span. Values are touched before they are hashed,
 * because each misses the cache (bench/fresh).
 */
import { valueTypes } from '../../model/attribute-columns.ts'
import { spellingOf } from '../../model/evaluate/spelling.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { numberOf } from '../stored-value.ts'

/** Attribute entries in one piece. */
export const pieceEntries = 1024

const keysMax = 255
/** For each key: a seed for strings, one for numbers, and the hash that all other values share; these are few. */
const seedsPerKey = 3

export class ValueHasher {
  readonly #keys: readonly Uint8Array[]
  readonly #numbers: ReadonlyMap<string, number>
  readonly #seeds: Int32Array
  readonly #wanted = new Uint8Array(4096)
  readonly #picked = new Uint32Array(pieceEntries)
  /** The hashes of the last piece, and the rows they belong to. */
  readonly hashes = new Int32Array(pieceEntries)
  readonly rows = new Uint32Array(pieceEntries)

  constructor(keys: readonly string[]) {
    if (keys.length > keysMax) throw new Error(`assertion failed: ${keys.length} keys do not fit a byte`)
    this.#keys = keys.map((key) => Buffer.from(key))
    this.#numbers = new Map(keys.map((key, i) => [key, i]))
    this.#seeds = crypto.getRandomValues(new Int32Array(keys.length * seedsPerKey))
  }

  has(key: string): boolean {
    return this.#numbers.has(key)
  }

  /** All hashes that a span's value may have when the text spells it. */
  hashesOf(key: string, text: string): number[] {
    const seeds = this.#numbers.get(key)! * seedsPerKey
    const { number } = spellingOf(text)
    const bytes = Buffer.from(text)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const hashes = [hashText(view, 0, bytes.length, this.#seeds[seeds]!)]
    if (number !== undefined) hashes.push(hashNumber(Number(number), this.#seeds[seeds + 1]!))
    // Any text may be an element of an array.
    hashes.push(this.#seeds[seeds + 2]!)
    return hashes
  }

  /**
   * For each text of the batch's dictionary: the number of its key + 1, or 0. `undefined` when it has none of the keys.
   */
  wantedOf({ arena, dictionary: { starts, lengths } }: SpanBatch): Uint8Array | undefined {
    const wanted = starts.length <= this.#wanted.length ? this.#wanted : new Uint8Array(starts.length)
    let some = false
    for (let entry = 0; entry < starts.length; entry++) {
      wanted[entry] = 0
      for (let key = 0; key < this.#keys.length; key++) {
        const bytes = this.#keys[key]!
        if (bytes.length !== lengths[entry] || !isAt(bytes, arena, starts[entry]!)) continue
        wanted[entry] = key + 1
        some = true
      }
    }
    return some ? wanted : undefined
  }

  /** Hashes the wanted values of the piece that begins at entry `from` and row `row`; returns how many there are. */
  hashPiece(batch: SpanBatch, wanted: Uint8Array, from: number, row: number): number {
    const { ends, keys, types, a, b } = batch.attributes
    const view = new DataView(batch.arena.buffer, batch.arena.byteOffset, batch.arena.byteLength)
    const picked = this.#picked
    const count = pick(keys, wanted, from, picked)
    touch(view, a, picked, count)
    for (let i = 0; i < count; i++) {
      const at = picked[i]!
      while (ends[row]! <= at) row++
      this.rows[i] = row
      const seeds = (wanted[keys[at]!]! - 1) * seedsPerKey
      this.hashes[i] =
        types[at] === valueTypes.string
          ? hashText(view, a[at]!, b[at]!, this.#seeds[seeds]!)
          : this.#hashOther(types[at]!, a[at]!, b[at]!, seeds)
    }
    return count
  }

  #hashOther(type: number, a: number, b: number, seeds: number): number {
    const number = numberOf(type, a, b)
    return number === undefined ? this.#seeds[seeds + 2]! : hashNumber(number, this.#seeds[seeds + 1]!)
  }
}

function isAt(bytes: Uint8Array, arena: Uint8Array, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== arena[start + i]) return false
  return true
}

function pick(keys: Uint32Array, wanted: Uint8Array, from: number, picked: Uint32Array): number {
  const end = Math.min(keys.length, from + pieceEntries)
  let count = 0
  for (let at = from; at < end; at++) {
    picked[count] = at
    // Adds 1 for every number but 0.
    count += (wanted[keys[at]!]! + 0xff) >>> 8
  }
  return count
}

let touched = 0

/** Loads the first bytes of texts into the cache, many at a time; for other values, some other bytes. */
function touch(view: DataView, a: Uint32Array, picked: Uint32Array, count: number): void {
  const last = view.byteLength - 1
  let bits = 0
  for (let i = 0; i < count; i++) bits ^= view.getUint8(Math.min(a[picked[i]!]!, last))
  touched ^= bits
}

const prime = 0x85ebca6b

/** Hashes all bytes up to 36, and nine words spread over longer texts: a long value costs no more than a short one. */
function hashText(view: DataView, start: number, length: number, seed: number): number {
  let x = seed ^ length
  let y = seed
  if (length < 4) {
    for (let at = start; at < start + length; at++) x = mixed(x, view.getUint8(at))
    return finished(x, y)
  }
  const last = length - 4
  x = mixed(x, view.getInt32(start, true))
  y = mixed(y, view.getInt32(start + last, true))
  if (length <= 8) return finished(x, y)
  x = mixed(x, view.getInt32(start + (last >>> 1), true))
  if (length <= 12) return finished(x, y)
  x = mixed(x, view.getInt32(start + (last >>> 2), true))
  y = mixed(y, view.getInt32(start + ((last * 3) >>> 2), true))
  if (length <= 20) return finished(x, y)
  x = mixed(x, view.getInt32(start + (last >>> 3), true))
  y = mixed(y, view.getInt32(start + ((last * 3) >>> 3), true))
  x = mixed(x, view.getInt32(start + ((last * 5) >>> 3), true))
  y = mixed(y, view.getInt32(start + ((last * 7) >>> 3), true))
  return finished(x, y)
}

const words = new DataView(new ArrayBuffer(8))

function hashNumber(value: number, seed: number): number {
  // Zero is one number with two spellings.
  words.setFloat64(0, value === 0 ? 0 : value)
  return finished(mixed(seed, words.getInt32(0)), mixed(seed, words.getInt32(4)))
}

/** A step of murmur3's finaliser for each word. */
function mixed(hash: number, word: number): number {
  hash = Math.imul(hash ^ word, prime)
  return hash ^ (hash >>> 15)
}

function finished(x: number, y: number): number {
  const hash = Math.imul(x ^ Math.imul(y, 0xc2b2ae35), prime)
  return hash ^ (hash >>> 16)
}
