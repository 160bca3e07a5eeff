/**
 * Which spans were stored lately, as hashes: tells of nearly every new span at once that the store does not have it, so
 * that only the others are looked for there. It says "new" only of spans that are new. What it forgets, or what was stored
 * before this process began, lies before `coveredSinceMs`, and a span that starts before that is looked for in the store.
 *
 * Tables with open addressing, four bytes a place. The newest takes spans, the others are only asked; once there is room for
 * no more, the oldest is forgotten. The first ones are small, so that a clew that gets little needs little. At full size: the
 * last 2.6 to 5.2 million spans in 32 MiB.
 */
import { hashSpans, startMsAt, type SpanIdentities } from './span-identities.ts'

export interface SeenSpansOptions {
  /** Whether neither the store nor the log had a span when it was made. */
  readonly startedEmpty: boolean
  readonly nowMs: () => number
  /** Places of the first table and of all tables together: powers of two. */
  readonly placesMin?: number
  readonly placesMax?: number
}

/** Senders' clocks may be ahead by this much, when spans that were stored before the start are told from those stored since. */
const clockAheadMs = 60_000
const load = 0.625
/** Rows whose places stay in the nearest caches until they are looked at. */
const pieceRows = 512
const growth = 4
/** A search of more steps says "seen": the store knows better. */
const stepsMax = 512

/** What is said of a span: that it is new, that it was seen, or that it starts before what is covered. */
export const marks = { new: 0, seen: 1, uncovered: 2 } as const

export interface Marked {
  readonly marks: Uint8Array
  readonly slots: Int32Array
  readonly prints: Int32Array
}

interface Table {
  readonly places: Int32Array
  spans: number
  /** Start of its newest span, and when the table that follows it was begun. */
  newestMs: number
  closedMs: number
}

export class SeenSpans {
  readonly #options: SeenSpansOptions
  readonly #placesMax: number
  /** Newest first. */
  #tables: Table[]
  #coveredSinceMs: number

  constructor(options: SeenSpansOptions) {
    this.#options = options
    this.#placesMax = options.placesMax ?? 1 << 23
    this.#tables = [newTable(options.placesMin ?? 1 << 20)]
    this.#coveredSinceMs = options.startedEmpty ? -Infinity : options.nowMs() + clockAheadMs
  }

  /** Every span that starts later and was stored since is known. */
  get coveredSinceMs(): number {
    return this.#coveredSinceMs
  }

  get bytes(): number {
    return this.#tables.reduce((sum, { places }) => sum + places.byteLength, 0)
  }

  /** Marks the spans in [from, to) and remembers them; their hashes are left in `hashes`. */
  mark(spans: SpanIdentities, from: number, to: number, out: Marked): void {
    for (let piece = from; piece < to; piece += pieceRows)
      this.#markPiece(spans, piece, Math.min(to, piece + pieceRows), out)
  }

  #markPiece(spans: SpanIdentities, from: number, to: number, out: Marked): void {
    hashSpans(spans, from, to, out)
    for (const { places } of this.#tables) touched[0] = touch(places, out.slots, from, to)
    for (let row = from; row < to; row++) {
      const startMs = startMsAt(spans, row)
      const isSeen = this.#isSeen(out.slots[row]!, out.prints[row]!, startMs)
      out.marks[row] = isSeen ? marks.seen : startMs < this.#coveredSinceMs ? marks.uncovered : marks.new
    }
  }

  /** Forgets every span: from now on the store is asked for those that start earlier. */
  forget(): void {
    if (this.#tables.length === 1 && this.#tables[0]!.spans === 0) return
    for (const table of this.#tables) this.#uncover(table, this.#options.nowMs())
    this.#tables = [newTable(this.#options.placesMin ?? 1 << 20)]
  }

  #isSeen(slot: number, print: number, startMs: number): boolean {
    const tables = this.#tables
    for (let i = 1; i < tables.length; i++) {
      const { places } = tables[i]!
      const place = placeOf(places, slot, print)
      if (place < 0 || places[place] === print) return true
    }
    const newest = tables[0]!
    const { places } = newest
    const place = placeOf(places, slot, print)
    if (place < 0 || places[place] === print) return true
    places[place] = print
    if (startMs > newest.newestMs) newest.newestMs = startMs
    if (++newest.spans > places.length * load) this.#beginTable()
    return false
  }

  #beginTable(): void {
    const full = this.#tables[0]!
    full.closedMs = this.#options.nowMs()
    const next = newTable(Math.min(full.places.length * growth, this.#placesMax / 2))
    this.#tables.unshift(next)
    let places = this.#tables.reduce((sum, table) => sum + table.places.length, 0)
    while (places > this.#placesMax) {
      const oldest = this.#tables.pop()!
      places -= oldest.places.length
      this.#uncover(oldest, oldest.closedMs)
    }
  }

  /** A span that starts after the table was closed came before its time; the clock of its sender is ahead. */
  #uncover({ newestMs }: Table, closedMs: number): void {
    this.#coveredSinceMs = Math.max(this.#coveredSinceMs, Math.min(newestMs, closedMs) + 1)
  }
}

function newTable(places: number): Table {
  return { places: new Int32Array(places), spans: 0, newestMs: -Infinity, closedMs: Infinity }
}

/** Keeps the reads from being optimised away. */
const touched = new Int32Array(1)

/**
 * Reads the places of all rows, so that they are in the cache when they are looked at: these reads do not wait for each
 * other, and looking takes a third of the time.
 */
function touch(places: Int32Array, slots: Int32Array, from: number, to: number): number {
  const mask = places.length - 1
  let sum = 0
  for (let row = from; row < to; row++) sum ^= places[slots[row]! & mask]!
  return sum
}

/** Where the span is, or would be; -1 when the search takes too long. */
function placeOf(places: Int32Array, slot: number, print: number): number {
  const mask = places.length - 1
  let place = slot & mask
  for (let step = 0; step < stepsMax; step++) {
    const found = places[place]!
    if (found === print || found === 0) return place
    place = (place + 1) & mask
  }
  return -1
}
