/**
 * Where the newest spans are in the log, by trace: a ring of spans in order of arrival, 16 bytes each. Each is linked
 * to the span before it in the same trace. docs/adr/0015-fresh-traces-from-the-log.md says when the answer is the whole
 * trace.
 */
import type { Position } from '../../model/log.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { dedicatedAttributes } from '../dedicated.ts'
import type { IndexedCondition } from './indexed-condition.ts'
import { RunRing, type Origin } from './run-ring.ts'
import { TraceTable } from './trace-table.ts'
import { ValueIndex } from './value-index.ts'

export interface PlacedSpan extends Origin {
  readonly position: Position
  /** When its record was handed over. */
  readonly atMs: number
  /** Byte range of the Span message in the record's body. */
  readonly start: number
  readonly end: number
}

export interface Arrival {
  readonly position: Position
  /** Not before that of the previous record. */
  readonly atMs: number
  /** Whether single spans can be read out of the record. */
  readonly readable: boolean
}

const capacityMin = 1024
const valueKeys = dedicatedAttributes.filter(({ type }) => type === 'text').map(({ key }) => key)

export class SpanIndex {
  readonly #spansMax: number
  readonly #runsMax: number
  readonly #values: ValueIndex
  #runs = new RunRing()
  #traces = new TraceTable()
  /** Spans are numbered as they arrive; span n is at n modulo the capacity, a power of two. */
  #entries = new Uint32Array(0)
  #starts = new Uint32Array(0)
  #ends = new Uint32Array(0)
  #previous = new Uint32Array(0)
  /** Numbers of the oldest span held and of the next to come. */
  #oldest = 0
  #next = 0
  #coveredSinceMs: number

  /**
   * `coveredSinceMs` is -Infinity when everything stored passed through here. `valuesCoveredSinceMs` is later than it
   * when stored spans began more than the skew of clocks after it.
   */
  constructor(spansMax: number, coveredSinceMs: number, valuesCoveredSinceMs = coveredSinceMs) {
    this.#spansMax = spansMax
    // A quarter, because a run takes more memory than a span.
    this.#runsMax = Math.max(64, Math.ceil(spansMax / 4))
    this.#coveredSinceMs = coveredSinceMs
    // Twice what the usual load needs: at least half of its values repeat within their trace.
    this.#values = new ValueIndex(valueKeys, spansMax, valuesCoveredSinceMs)
  }

  get spans(): number {
    return this.#next - this.#oldest
  }

  get bytes(): number {
    return this.#entries.length * 16 + this.#runs.bytes + this.#traces.bytes + this.#values.bytes
  }

  /** Every span handed over after this time is here, or its trace is known to be incomplete. */
  get coveredSinceMs(): number {
    return this.#coveredSinceMs
  }

  /** Every span that began more than the skew of clocks after this time can be found by its values. */
  get valuesCoveredSinceMs(): number {
    return Math.max(this.#coveredSinceMs, this.#values.coveredSinceMs)
  }

  add(batch: SpanBatch, { position, atMs, readable }: Arrival): void {
    const { rows } = batch
    if (rows > this.#spansMax) {
      this.clear()
      this.#values.leaveOut(batch, atMs)
      return this.uncover(atMs)
    }
    while (this.spans + rows > this.#spansMax) this.#dropOldestRun()
    this.#reserve(this.spans + rows)
    this.#addRuns(batch, { position, atMs, readable })
    this.#addSpans(batch, readable)
    this.#values.add(batch, { position, atMs, entries: this.#entries, first: this.#next })
    this.#next += rows
    while (this.#runs.size > this.#runsMax) this.#dropOldestRun()
    this.#dropValues()
  }

  /** The number of a trace, as long as one of its spans is here. */
  entryOf(traceId: Uint8Array): number | undefined {
    const entry = this.#traces.find(wordsOf(traceId), 0)
    return entry < 0 ? undefined : entry
  }

  /**
   * Numbers of the traces that may have a span which meets one of the conditions. The condition that leaves the fewest
   * traces is used. `undefined` when there are too many, or no condition can be looked up.
   */
  entriesWith(conditions: readonly IndexedCondition[], tracesMax: number): number[] | undefined {
    let fewest: ReadonlySet<number> | undefined
    for (const condition of conditions) {
      if (!this.#values.canFind(condition)) continue
      const found = this.#values.find(condition, tracesMax, (entry) => this.#traces.counts[entry]! > 0)
      if (found !== undefined && (fewest === undefined || found.size < fewest.size)) fewest = found
    }
    return fewest === undefined ? undefined : [...fewest]
  }

  idOf(entry: number): string {
    return this.#traces.idOf(entry)
  }

  /**
   * The spans of a trace in order of arrival; `undefined` when it is known to be incomplete, or has more than
   * `spansMax`.
   */
  spansOf(entry: number, spansMax: number): PlacedSpan[] | undefined {
    if (this.#traces.partial[entry] === 1 || this.#traces.counts[entry]! > spansMax) return undefined
    const found: PlacedSpan[] = []
    let low = this.#traces.newest[entry]!
    for (let left = this.#traces.counts[entry]!; left > 0; left--) {
      const slot = low & (this.#entries.length - 1)
      const number = this.#next - ((this.#next - low) >>> 0)
      const { position, atMs, origin } = this.#runs.runOf(number)
      found.push({ position, atMs, ...origin!, start: this.#starts[slot]!, end: this.#ends[slot]! })
      low = this.#previous[slot]!
    }
    return found.reverse()
  }

  /** Forgets the records before a position, oldest first. */
  dropBefore(position: Position): void {
    while (this.#runs.size > 0 && this.#runs.oldest.position < position) this.#dropOldestRun()
    if (this.spans === 0) this.clear()
    else this.#dropValues()
  }

  /** Forgets everything and frees its memory. */
  clear(): void {
    while (this.#runs.size > 0) this.#dropOldestRun()
    this.#values.clear()
    this.#runs = new RunRing()
    this.#traces = new TraceTable()
    this.#entries = this.#starts = this.#ends = this.#previous = new Uint32Array(0)
  }

  /** Notes that something up to this time may be missing. */
  uncover(atMs: number): void {
    if (atMs > this.#coveredSinceMs) this.#coveredSinceMs = atMs
  }

  #addRuns(batch: SpanBatch, { position, atMs, readable }: Arrival): void {
    const { rows, resourceIndexes, scopeIndexes } = batch
    if (!readable) {
      if (rows > 0) this.#runs.push(this.#next, { position, atMs, origin: undefined })
      return
    }
    for (let row = 0; row < rows;) {
      const resourceIndex = resourceIndexes[row]!
      const scopeIndex = scopeIndexes[row]!
      const origin = { resource: batch.resources[resourceIndex]!, scope: batch.scopes[scopeIndex]! }
      this.#runs.push(this.#next + row, { position, atMs, origin })
      for (row++; row < rows; row++) {
        if (resourceIndexes[row] !== resourceIndex || scopeIndexes[row] !== scopeIndex) break
      }
    }
  }

  #addSpans(batch: SpanBatch, readable: boolean): void {
    const traces = this.#traces
    const mask = this.#entries.length - 1
    const words = wordsOf(batch.traceIds)
    const entries = this.#entries
    const previous = this.#previous
    let entry = -1
    for (let row = 0, at = 0; row < batch.rows; row++, at += 4) {
      if (row === 0 || !sameId(words, at)) {
        entry = traces.take(words, at)
        if (!readable) traces.partial[entry] = 1
      }
      const number = this.#next + row
      const slot = number & mask
      entries[slot] = entry
      previous[slot] = traces.newest[entry]!
      traces.newest[entry] = number
      traces.counts[entry]!++
    }
    if (readable) this.#addRanges(batch)
  }

  #addRanges({ rows, ranges }: SpanBatch): void {
    const { starts, ends } = ranges!
    const from = this.#next & (this.#entries.length - 1)
    const untilWrap = Math.min(rows, this.#entries.length - from)
    this.#starts.set(starts.subarray(0, untilWrap), from)
    this.#starts.set(starts.subarray(untilWrap))
    this.#ends.set(ends.subarray(0, untilWrap), from)
    this.#ends.set(ends.subarray(untilWrap))
  }

  /** Traces that have other spans too are incomplete from then on. */
  #dropOldestRun(): void {
    const { atMs } = this.#runs.oldest
    const end = this.#runs.secondFirst ?? this.#next
    const traces = this.#traces
    const mask = this.#entries.length - 1
    for (; this.#oldest < end; this.#oldest++) {
      const entry = this.#entries[this.#oldest & mask]!
      if (--traces.counts[entry]! === 0) traces.remove(entry)
      else traces.partial[entry] = 1
    }
    this.#runs.shift()
    this.uncover(atMs)
  }

  /** Values outlive their spans until the record is forgotten as a whole. */
  #dropValues(): void {
    if (this.#runs.size > 0) this.#values.dropBefore(this.#runs.oldest.position)
  }

  #reserve(spans: number): void {
    if (spans <= this.#entries.length) return
    let capacity = Math.max(capacityMin, this.#entries.length)
    while (capacity < spans) capacity *= 2
    this.#entries = this.#grown(this.#entries, capacity)
    this.#starts = this.#grown(this.#starts, capacity)
    this.#ends = this.#grown(this.#ends, capacity)
    this.#previous = this.#grown(this.#previous, capacity)
  }

  /** Copied in pieces that wrap around neither in the old column nor in the new one. */
  #grown(column: Uint32Array<ArrayBuffer>, capacity: number): Uint32Array<ArrayBuffer> {
    const wider = new Uint32Array(capacity)
    for (let n = this.#oldest; n < this.#next;) {
      const from = n & (column.length - 1)
      const to = n & (capacity - 1)
      const count = Math.min(this.#next - n, column.length - from, capacity - to)
      wider.set(column.subarray(from, from + count), to)
      n += count
    }
    return wider
  }
}

/** Whether the id at `at` equals the one before it. */
function sameId(words: Uint32Array, at: number): boolean {
  return (
    words[at] === words[at - 4] &&
    words[at + 1] === words[at - 3] &&
    words[at + 2] === words[at - 2] &&
    words[at + 3] === words[at - 1]
  )
}

function wordsOf(ids: Uint8Array): Uint32Array {
  const aligned = ids.byteOffset % 4 === 0 ? ids : ids.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2)
}
