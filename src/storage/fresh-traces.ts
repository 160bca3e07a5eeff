/**
 * Reads traces straight from the log while they are fresh, by id or by the value of an attribute with many values. They
 * are there as soon as their spans are acknowledged, whatever the store is doing, and cost less than a query over the
 * store's columns. An answer is complete or not given (docs/adr/0015-fresh-traces-from-the-log.md,
 * docs/adr/0016-fresh-search-by-value.md).
 */
import type { Log, Position, RecordHeader } from '../model/log.ts'
import { Turn } from '../base/turn.ts'
import { isLarge, slicesOf } from '../model/batch-slices.ts'
import type { SpanBatch } from '../model/span-batch.ts'
import type { SpanQuery } from '../model/query.ts'
import { spanRowsOf } from '../model/span-row-reader.ts'
import type { SpanRow } from '../model/span-row.ts'
import { withoutRepeats } from '../model/trace/repeated-spans.ts'
import type { StoredBatch } from './batch-queue.ts'
import type { TracePage, TraceSearch } from '../model/trace-search.ts'
import { ArrivalClock } from './fresh/arrival-clock.ts'
import { clockSkewMaxMs, isCovered, isWhole } from './fresh/coverage.ts'
import { foundTraces, type CandidateSpan } from './fresh/found-traces.ts'
import { indexedConditions } from './fresh/indexed-condition.ts'
import { readSpans, type DecodeSpans } from './fresh/log-spans.ts'
import { repeatedRows } from './fresh/repeated-rows.ts'
import { SpanIndex, type PlacedSpan } from './fresh/span-index.ts'
import { pageOf } from './fresh/trace-page.ts'

export interface FreshTracesOptions {
  readonly log: Log
  /** The codec whose spans can be read one by one out of an uncompressed body. */
  readonly codec: string
  /** Throws when the bytes are not such spans. */
  readonly decode: DecodeSpans
  /** The maximum number of spans that are remembered. */
  readonly spansMax: number
  /** Whether store and log held no span when this process began. */
  readonly startedEmpty: boolean
  /** End of the newest span that was in the store at the start. */
  readonly storedUntilMs?: number
  readonly clock?: ArrivalClock
  readonly onProblem: (message: string, error: unknown) => void
}

/** The store reads larger traces at less cost than the event loop here. */
const answerSpansMax = 50_000
/**
 * The maximum number of spans a search reads: some 20 ms of the event loop, as long as the engine would take outside
 * it.
 */
const searchSpansMax = 5000
const searchTracesMax = 64
/** Pause between checks of what the log still keeps. */
const trimEveryMs = 1000

export class FreshTraces {
  readonly #options: FreshTracesOptions
  readonly #clock: ArrivalClock
  readonly #index: SpanIndex
  #setAtMs = -Infinity
  #trimmedAtMs = -Infinity
  /** Traces, and pages of searches, that were answered from here. */
  answers = 0
  searches = 0

  constructor(options: FreshTracesOptions) {
    this.#options = options
    this.#clock = options.clock ?? new ArrivalClock()
    const sinceMs = options.startedEmpty ? -Infinity : this.#clock.read().atMs
    const valuesSinceMs = Math.max(sinceMs, (options.storedUntilMs ?? -Infinity) - clockSkewMaxMs)
    this.#index = new SpanIndex(options.spansMax, sinceMs, valuesSinceMs)
  }

  /** Number of spans remembered, and the memory they take. */
  get size(): { spans: number; bytes: number } {
    return { spans: this.#index.spans, bytes: this.#index.bytes }
  }

  /**
   * Adds a record that was appended. Of the batch, only places in the log are kept. A large batch takes several turns
   * of the event loop. Until the promise resolves, its traces may lack spans, but no client was told yet that these are
   * stored.
   */
  offer(position: Position, batch: StoredBatch, { codec, encoding }: RecordHeader): void | Promise<void> {
    if (batch.signal !== 'spans') return
    const { atMs, wasSet } = this.#clock.read()
    if (wasSet) this.#setAtMs = atMs
    if (atMs - this.#trimmedAtMs > trimEveryMs) this.#forgetTrimmed(atMs)
    const isPlain = encoding === '' || encoding === 'identity'
    const readable = batch.ranges !== undefined && isPlain && codec === this.#options.codec
    if (!isLarge(batch)) this.#index.add(batch, { position, atMs, readable })
    else return this.#addInTurns(position, batch, readable)
  }

  async #addInTurns(position: Position, batch: SpanBatch, readable: boolean): Promise<void> {
    const turn = new Turn()
    for (const slice of slicesOf(batch, { wholeRows: true })) {
      if (turn.isOver) await turn.next()
      const { atMs, wasSet } = this.#clock.read()
      if (wasSet) this.#setAtMs = atMs
      this.#index.add(slice, { position, atMs, readable })
    }
  }

  /**
   * All spans of a trace in start order, each once, or `undefined` when only the store can tell. `traceId` is 32 hex
   * digits. Never rejects: when something fails here, the store can still answer.
   */
  async read(traceId: string): Promise<SpanRow[] | undefined> {
    const entry = this.#index.entryOf(Buffer.from(traceId, 'hex'))
    const spans = entry === undefined ? undefined : this.#index.spansOf(entry, answerSpansMax)
    if (spans === undefined) return undefined
    const coveredSinceMs = this.#coveredSince(this.#index.coveredSinceMs)
    return this.#answer(`read trace ${traceId}`, spans, (batch) => {
      const repeated = repeatedRows(batch)
      const rows = spanRowsOf(batch)
      if (rows.some((row) => row.traceId !== traceId)) throw new Error('the log holds other bytes than were written')
      const roots = rows.flatMap(({ parentSpanId, startTimeUnixNano }, row) =>
        parentSpanId === '' && !repeated.has(row) ? [{ startNs: startTimeUnixNano, atMs: spans[row]!.atMs }] : [],
      )
      if (!isWhole(roots, coveredSinceMs)) return undefined
      this.answers++
      return withoutRepeats(rows.filter((_, row) => !repeated.has(row)).sort(byStart))
    })
  }

  /**
   * The page that the store would give once it has everything, or `undefined` when only the store can tell. Never
   * rejects.
   */
  async search(search: TraceSearch): Promise<TracePage | undefined> {
    const { query } = search
    const spans = this.#candidates(query)
    if (spans === undefined) return undefined
    const coveredSinceMs = this.#coveredSince(this.#index.coveredSinceMs)
    return this.#answer('search', spans, (batch) => {
      const found = foundTraces(batch, spans, query, coveredSinceMs)
      if (found === undefined) return undefined
      this.searches++
      return pageOf(found, search)
    })
  }

  /** Frees memory when nothing arrives. */
  release(): void {
    this.#forgetTrimmed(this.#trimmedAtMs)
  }

  /** Forgets every span: from now on the store answers for them. */
  forget(): void {
    this.#index.dropBefore(this.#options.log.stats().nextPosition)
  }

  /** All spans of the traces that may match the query; `undefined` when there may be other such traces, or too many. */
  #candidates({ where, startNs }: SpanQuery): CandidateSpan[] | undefined {
    if (!isCovered(startNs, this.#coveredSince(this.#index.valuesCoveredSinceMs))) return undefined
    const entries = this.#index.entriesWith(indexedConditions(where), searchTracesMax)
    if (entries === undefined) return undefined
    const candidates: CandidateSpan[] = []
    for (const entry of entries) {
      const traceId = this.#index.idOf(entry)
      const spans = this.#index.spansOf(entry, searchSpansMax - candidates.length)
      if (spans === undefined) return undefined
      for (const span of spans) candidates.push({ ...span, traceId })
    }
    return candidates
  }

  /** The result of `answer` for the spans. The spans and the batch's rows are in the order of the log. */
  async #answer<Answer>(
    what: string,
    spans: PlacedSpan[],
    answer: (batch: SpanBatch) => Answer | undefined,
  ): Promise<Answer | undefined> {
    const { log, decode, onProblem } = this.#options
    try {
      const batch = await readSpans(log, decode, spans)
      if (batch === 'gone') this.#forgetTrimmed(this.#trimmedAtMs)
      return typeof batch === 'object' ? answer(batch) : undefined
    } catch (error) {
      onProblem(`cannot ${what} from the log, asking the store`, error)
      return undefined
    }
  }

  /** After the clock was set, earlier arrivals prove nothing about spans that may have been forgotten. */
  #coveredSince(coveredSinceMs: number): number {
    return coveredSinceMs === -Infinity ? coveredSinceMs : Math.max(coveredSinceMs, this.#setAtMs)
  }

  #forgetTrimmed(atMs: number): void {
    this.#trimmedAtMs = atMs
    this.#index.dropBefore(this.#options.log.stats().oldestPosition)
  }
}

function byStart(a: SpanRow, b: SpanRow): number {
  if (a.startTimeUnixNano !== b.startTimeUnixNano) return a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1
  return a.durationNano === b.durationNano ? 0 : a.durationNano > b.durationNano ? -1 : 1
}
