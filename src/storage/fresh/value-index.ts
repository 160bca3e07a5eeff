/**
 * Which traces may have a span with a given value of an attribute that has many different ones (dedicated.ts `text`),
 * for a search by value while its spans are fresh (docs/adr/0016-fresh-search-by-value.md).
 *
 * A ring of pairs (hash of key and value, trace entry) in order of arrival, 12 bytes each, and for each hash a chain
 * from the newest pair to older ones. A chain ends where pairs were forgotten, so nothing has to be removed from it.
 * Hashes may collide, and an entry may belong to another trace by now, so the caller checks the spans themselves.
 */
import type { Position } from '../../model/log.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { clockSkewMaxMs } from './coverage.ts'
import type { IndexedCondition } from './indexed-condition.ts'
import { KeysElsewhere } from './keys-elsewhere.ts'
import { pieceEntries, ValueHasher } from './value-hash.ts'

export interface ValueArrival {
  readonly position: Position
  /** Not before that of the previous record. */
  readonly atMs: number
  /** The trace entry of row r is `entries[(first + r) & (entries.length - 1)]`. */
  readonly entries: Uint32Array
  readonly first: number
}

/** Consecutive records that are forgotten together. */
interface Mark {
  /** Number of its first pair. */
  first: number
  /** The highest position of its records. */
  position: Position
  /** None of its spans was received later, or began more than the skew of clocks later. */
  coversMs: number
  next: Mark | undefined
}

const wordsPerPair = 3
const capacityMin = 1024
const pairsPerHead = 8
/** Pairs in a mark, unless one record has more. This keeps marks few, and finds repetitions across small records. */
const markPairs = 256
/** Places for finding repeated pairs; at 8 bytes each they stay in the nearest cache. */
const recentBits = 11
/** The maximum number of links followed in one search. A more frequent value does not lead to a few traces. */
const stepsMax = 16_384

export class ValueIndex {
  readonly #hasher: ValueHasher
  readonly #pairsMax: number
  /**
   * Hash, trace entry, and low 32 bits of the number of the previous pair in the chain. Pair n is at n modulo the
   * capacity.
   */
  #pairs = new Int32Array(0)
  /** Low 32 bits of the number of the newest pair. */
  #heads = new Int32Array(0)
  /** Hash and entry of pairs of the newest mark; entry -1 for none. */
  readonly #recent = new Int32Array(2 << recentBits)
  /** The capacity - 1. */
  #mask = -1
  /** Numbers of the oldest pair held and of the next to come; never 0. */
  #oldest = 1
  #next = 1
  #oldestMark: Mark | undefined
  #newestMark: Mark | undefined
  #coveredSinceMs: number
  readonly #elsewhere: KeysElsewhere

  /** `coveredSinceMs` is -Infinity when everything stored passed through here. */
  constructor(keys: readonly string[], pairsMax: number, coveredSinceMs: number) {
    this.#hasher = new ValueHasher(keys)
    this.#elsewhere = new KeysElsewhere(keys)
    this.#pairsMax = Math.max(pairsMax, pieceEntries)
    this.#coveredSinceMs = coveredSinceMs
  }

  get pairs(): number {
    return this.#next - this.#oldest
  }

  get bytes(): number {
    return this.#pairs.byteLength + this.#heads.byteLength
  }

  /** The values of every span that began more than the skew of clocks after this time, by any clock, are here. */
  get coveredSinceMs(): number {
    return this.#coveredSinceMs
  }

  add(batch: SpanBatch, { position, atMs, entries, first }: ValueArrival): void {
    this.#elsewhere.lookAt(batch)
    const wanted = this.#hasher.wantedOf(batch)
    if (wanted === undefined) return
    this.#mark(position, coversMs(batch, atMs))
    let row = 0
    for (let from = 0; from < batch.attributes.keys.length; from += pieceEntries) {
      const count = this.#hasher.hashPiece(batch, wanted, from, row)
      if (count === 0) continue
      row = this.#hasher.rows[count - 1]!
      const kept = this.#keepNew(count, entries, first)
      this.#reserve(kept)
      this.#put(kept)
    }
  }

  /** Notes that the batch was handed over and its values are not here. */
  leaveOut(batch: SpanBatch, atMs: number): void {
    this.#uncover(coversMs(batch, atMs))
  }

  /** Whether all spans that meet the condition can be found by it. */
  canFind({ scope, key, value }: IndexedCondition): boolean {
    if (value === '' || !this.#hasher.has(key) || this.#elsewhere.inMaps.has(key)) return false
    return scope === 'span' || !this.#elsewhere.besideSpans.has(key)
  }

  /** Those of the wanted entries that may meet a condition that can be found; `undefined` when there are too many. */
  find(
    { key, value }: IndexedCondition,
    entriesMax: number,
    isWanted: (entry: number) => boolean,
  ): ReadonlySet<number> | undefined {
    const found = new Set<number>()
    const pairs = this.#pairs
    let steps = 0
    for (const hash of this.#hasher.hashesOf(key, value)) {
      let number = this.#heads.length === 0 ? 0 : this.#numberOf(this.#heads[hash & (this.#heads.length - 1)]!)
      while (number >= this.#oldest) {
        const at = this.#slotOf(number)
        if (pairs[at] === hash && isWanted(pairs[at + 1]!)) found.add(pairs[at + 1]!)
        if (found.size > entriesMax || ++steps > stepsMax) return undefined
        const before = this.#numberOf(pairs[at + 2]!)
        // Numbers repeat after 2^32 pairs, so a link to a forgotten pair can look valid.
        if (before >= number) break
        number = before
      }
    }
    return found
  }

  /** Forgets what came by records before a position. */
  dropBefore(position: number): void {
    while (this.#oldestMark !== undefined && this.#oldestMark.position < position) this.#dropOldestMark()
  }

  /** Forgets everything and frees its memory. */
  clear(): void {
    this.dropBefore(Infinity)
    this.#pairs = this.#heads = new Int32Array(0)
    this.#mask = -1
    this.#elsewhere.clear()
  }

  #uncover(ms: number): void {
    if (ms > this.#coveredSinceMs) this.#coveredSinceMs = ms
  }

  #mark(position: Position, coversMs: number): void {
    const newest = this.#newestMark
    if (newest !== undefined && this.#next - newest.first < markPairs) {
      newest.position = Math.max(newest.position, position) as Position
      newest.coversMs = Math.max(newest.coversMs, coversMs)
      return
    }
    this.#newestMark = { first: this.#next, position, coversMs, next: undefined }
    if (newest === undefined) this.#oldestMark = this.#newestMark
    else newest.next = this.#newestMark
    this.#recent.fill(-1)
  }

  #dropOldestMark(): void {
    const { coversMs, next } = this.#oldestMark!
    this.#uncover(coversMs)
    this.#oldest = next?.first ?? this.#next
    this.#oldestMark = next
    if (next === undefined) this.#newestMark = undefined
  }

  /**
   * Moves those pairs of the last hashed piece that are not known yet to its front, with entries instead of rows.
   * Returns how many there are. It has no branch, which would be mispredicted for every third pair. A pair not seen
   * lately counts as new.
   */
  #keepNew(count: number, entries: Uint32Array, first: number): number {
    const { hashes, rows } = this.#hasher
    const recent = this.#recent
    const mask = entries.length - 1
    let kept = 0
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!
      const entry = entries[(first + rows[i]!) & mask]!
      const seen = ((hash ^ Math.imul(entry, 0x9e3779b1)) >>> (32 - recentBits)) << 1
      const difference = (recent[seen]! ^ hash) | (recent[seen + 1]! ^ entry)
      recent[seen] = hashes[kept] = hash
      recent[seen + 1] = rows[kept] = entry
      // 1 unless there is no difference.
      kept += (difference | -difference) >>> 31
    }
    return kept
  }

  /** Adds the first `count` pairs of the piece, after their rows were replaced by entries. */
  #put(count: number): void {
    const { hashes, rows } = this.#hasher
    const pairs = this.#pairs
    const heads = this.#heads
    const headMask = heads.length - 1
    let next = this.#next
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!
      const at = this.#slotOf(next)
      const head = hash & headMask
      pairs[at] = hash
      pairs[at + 1] = rows[i]!
      pairs[at + 2] = heads[head]!
      heads[head] = next++
    }
    this.#next = next
  }

  #slotOf(number: number): number {
    return (number & this.#mask) * wordsPerPair
  }

  #numberOf(low: number): number {
    return this.#next - ((this.#next - low) >>> 0)
  }

  /** Makes room for `count` more pairs, at most one piece. */
  #reserve(count: number): void {
    while (this.pairs + count > this.#pairsMax) this.#dropForRoom()
    while (this.pairs + count > this.#mask + 1) this.#grow()
  }

  /** When only the newest mark is left, which is still being filled, its pairs so far are forgotten. */
  #dropForRoom(): void {
    const mark = this.#oldestMark!
    if (mark !== this.#newestMark) return this.#dropOldestMark()
    this.#uncover(mark.coversMs)
    this.#oldest = mark.first = this.#next
    this.#recent.fill(-1)
  }

  #grow(): void {
    const capacity = Math.max(capacityMin, (this.#mask + 1) * 2)
    const pairs = new Int32Array(capacity * wordsPerPair)
    const heads = new Int32Array(capacity / pairsPerHead)
    for (let number = this.#oldest; number < this.#next; number++) {
      const from = this.#slotOf(number)
      const to = (number & (capacity - 1)) * wordsPerPair
      const head = this.#pairs[from]! & (heads.length - 1)
      pairs[to] = this.#pairs[from]!
      pairs[to + 1] = this.#pairs[from + 1]!
      pairs[to + 2] = heads[head]!
      heads[head] = number
    }
    this.#pairs = pairs
    this.#heads = heads
    this.#mask = capacity - 1
  }
}

/** The high word of nanoseconds counts units of 2^32 ns. */
const msPerHighWord = 2 ** 32 / 1e6

function coversMs({ startTimes, rows }: SpanBatch, atMs: number): number {
  const words = new Uint32Array(startTimes.buffer, startTimes.byteOffset, rows * 2)
  let high = 0
  for (let at = 1; at < words.length; at += 2) if (words[at]! > high) high = words[at]!
  return Math.max(atMs, (high + 1) * msPerHighWord - clockSkewMaxMs)
}
