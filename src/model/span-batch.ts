/**
 * Spans of one request as columns: what every receiver decodes into and the writer turns into store blocks.
 * There is no object per span; text stays bytes in the arena (for OTLP protobuf the arena is the request body itself).
 * A batch is immutable once finished; nobody may write to its arena afterwards.
 */
import { InputError } from '../base/errors.ts'
import { wider } from '../base/wider.ts'
import { AttributeColumnsBuilder, attributeBytes, type AttributeColumns, type TextSink } from './attribute-columns.ts'
import { Arena } from './arena.ts'
import { ColumnPack } from './column-pack.ts'
import { Dictionary, noText, type DictionaryColumn } from './dictionary.ts'
import type { Resource, Scope } from './resource.ts'
import { setWords } from './words.ts'

/** OTLP `Span.SpanKind`. */
export const spanKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
/** OTLP `Status.StatusCode`. */
export const statusCodes = ['unset', 'ok', 'error'] as const

/**
 * The maximum number of rows in one batch, about 100 MB of columns: a body of 64 MiB has fewer unless it is malicious.
 */
export const rowsMax = 1 << 20

/** The capacity after the next growth; a request with more rows than a batch may have is refused. */
export function grownCapacity(capacity: number): number {
  if (capacity >= rowsMax) {
    throw new InputError('too_large', `cannot take a request of more than ${rowsMax} rows; send smaller batches`)
  }
  return capacity * 2
}

export interface SpanEvent {
  readonly timeUnixNano: bigint
  readonly name: string
  /** Typed JSON, '' when none. */
  readonly attributes: string
  readonly droppedAttributesCount: number
}

export interface SpanLink {
  /** 16 and 8 bytes; all zero in a link to something that carried no context. */
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly traceState: string
  /** Typed JSON, '' when none. */
  readonly attributes: string
  readonly droppedAttributesCount: number
  readonly flags: number
}

export interface RowRanges {
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

export interface SpanBatch {
  readonly signal: 'spans'
  readonly rows: number
  readonly arena: Uint8Array
  readonly texts: readonly string[]
  readonly dictionary: DictionaryColumn
  readonly resources: readonly Resource[]
  readonly scopes: readonly Scope[]
  /** 16, 8 and 8 bytes a row; parent all zero for a root. */
  readonly traceIds: Uint8Array
  readonly spanIds: Uint8Array
  readonly parentSpanIds: Uint8Array
  /** Nanoseconds since the epoch, and end minus start (negative when the sender's clock went back). */
  readonly startTimes: BigInt64Array
  readonly durations: BigInt64Array
  readonly kinds: Uint8Array
  readonly statuses: Uint8Array
  /** Dictionary numbers, or `noText`. */
  readonly names: Uint32Array
  /** Indexes into `resources` and `scopes`. */
  readonly resourceIndexes: Uint32Array
  readonly scopeIndexes: Uint32Array
  readonly flags: Uint32Array
  readonly droppedAttributes: Uint32Array
  readonly droppedEvents: Uint32Array
  readonly droppedLinks: Uint32Array
  /** Start and length in the arena, two entries a row. */
  readonly traceStates: Uint32Array
  readonly statusMessages: Uint32Array
  readonly attributes: AttributeColumns
  /** Where each row is in the body it was decoded from, [start, end); only from decoders that read bodies in place. */
  readonly ranges?: RowRanges
  /** Row -> events and links of that row; only rows that have some. */
  readonly events: ReadonlyMap<number, readonly SpanEvent[]>
  readonly links: ReadonlyMap<number, readonly SpanLink[]>
}

/** Bytes per row, without its attributes, and the number of columns. */
const rowBytes = 16 + 8 * 4 + 1 * 2 + 4 * 7 + 8 * 3
const columnCount = 24

/**
 * Fills a batch row by row: write the public columns at `rows`, add attributes, then `endRow()`; `dropRow()` forgets
 * what the row added. One builder can serve many requests (`reset`), as decoding is synchronous.
 */
export class SpanBatchBuilder implements TextSink {
  rows = 0
  capacity = 256
  textLength = 0
  arena = new Arena()
  texts: string[] = []
  dictionary = new Dictionary()
  resources: Resource[] = []
  scopes: Scope[] = []
  attributes = new AttributeColumnsBuilder()
  events = new Map<number, SpanEvent[]>()
  links = new Map<number, SpanLink[]>()
  traceIds = new Uint8Array(16 * 256)
  spanIds = new Uint8Array(8 * 256)
  parentSpanIds = new Uint8Array(8 * 256)
  /** Low and high words, as decoders read them. */
  startWords = new Uint32Array(2 * 256)
  durationWords = new Uint32Array(2 * 256)
  kinds = new Uint8Array(256)
  statuses = new Uint8Array(256)
  names = new Uint32Array(256)
  resourceIndexes = new Uint32Array(256)
  scopeIndexes = new Uint32Array(256)
  flags = new Uint32Array(256)
  droppedAttributes = new Uint32Array(256)
  droppedEvents = new Uint32Array(256)
  droppedLinks = new Uint32Array(256)
  traceStates = new Uint32Array(2 * 256)
  statusMessages = new Uint32Array(2 * 256)
  /** Whether the decoder says where rows are in the body, in the two columns below. */
  hasRanges = false
  rangeStarts = new Uint32Array(256)
  rangeEnds = new Uint32Array(256)

  /** `body` becomes the arena when the format's texts can be referred to in place; else the arena starts empty. */
  reset(body?: Uint8Array): void {
    this.rows = 0
    this.arena = new Arena(body)
    this.texts = []
    this.dictionary.clear()
    this.resources = []
    this.scopes = []
    this.attributes.count = 0
    this.hasRanges = false
    this.events = new Map()
    this.links = new Map()
  }

  /** Whether it has grown past 64 Ki rows or a million attributes, some 25 MB: it is then better replaced than kept. */
  get isLarge(): boolean {
    return this.capacity > 1 << 16 || this.attributes.keys.length > 1 << 20
  }

  /** Makes room for the next row and sets its optional columns to their defaults. */
  beginRow(): number {
    const row = this.rows
    if (row === this.capacity) this.#grow()
    this.parentSpanIds.fill(0, row * 8, row * 8 + 8)
    this.startWords[row * 2] = this.startWords[row * 2 + 1] = 0
    this.durationWords[row * 2] = this.durationWords[row * 2 + 1] = 0
    this.kinds[row] = this.statuses[row] = 0
    this.names[row] = noText
    this.flags[row] = this.droppedAttributes[row] = this.droppedEvents[row] = this.droppedLinks[row] = 0
    this.traceStates[row * 2 + 1] = this.statusMessages[row * 2 + 1] = 0
    return row
  }

  endRow(): void {
    this.attributes.endRow(this.rows)
    this.rows++
  }

  dropRow(): void {
    this.attributes.count = this.rows === 0 ? 0 : this.attributes.ends[this.rows - 1]!
    this.events.delete(this.rows)
    this.links.delete(this.rows)
  }

  /** Forgets the rows from `rows` on. */
  truncate(rows: number): void {
    for (let row = rows; row < this.rows; row++) {
      this.events.delete(row)
      this.links.delete(row)
    }
    this.rows = rows
    this.attributes.count = rows === 0 ? 0 : this.attributes.ends[rows - 1]!
  }

  setTimes(row: number, startNs: bigint, endNs: bigint): void {
    setWords(this.startWords, row, startNs)
    setWords(this.durationWords, row, endNs - startNs)
  }

  appendText(text: string): number {
    const start = this.arena.appendText(text)
    this.textLength = this.arena.length - start
    return start
  }

  /** Dictionary number of a text that is not in the arena yet. */
  internText(text: string): number {
    const start = this.arena.appendText(text)
    const before = this.dictionary.count
    const entry = this.dictionary.intern(this.arena.bytes, start, this.arena.length)
    if (this.dictionary.count === before) this.arena.length = start
    return entry
  }

  finish(): SpanBatch {
    const n = this.rows
    const rest = this.dictionary.count * 8 + this.attributes.packedBytes(n)
    const pack = new ColumnPack(n * rowBytes + rest, columnCount)
    return {
      signal: 'spans',
      rows: n,
      arena: this.arena.bytes,
      texts: this.texts,
      dictionary: {
        starts: pack.words(this.dictionary.starts, this.dictionary.count),
        lengths: pack.words(this.dictionary.lengths, this.dictionary.count),
      },
      resources: this.resources,
      scopes: this.scopes,
      traceIds: pack.bytes(this.traceIds, n * 16),
      spanIds: pack.bytes(this.spanIds, n * 8),
      parentSpanIds: pack.bytes(this.parentSpanIds, n * 8),
      startTimes: pack.nanos(this.startWords, n),
      durations: pack.nanos(this.durationWords, n),
      kinds: pack.bytes(this.kinds, n),
      statuses: pack.bytes(this.statuses, n),
      names: pack.words(this.names, n),
      resourceIndexes: pack.words(this.resourceIndexes, n),
      scopeIndexes: pack.words(this.scopeIndexes, n),
      flags: pack.words(this.flags, n),
      droppedAttributes: pack.words(this.droppedAttributes, n),
      droppedEvents: pack.words(this.droppedEvents, n),
      droppedLinks: pack.words(this.droppedLinks, n),
      traceStates: pack.words(this.traceStates, n * 2),
      statusMessages: pack.words(this.statusMessages, n * 2),
      attributes: this.attributes.finish(n, pack),
      ...(this.hasRanges
        ? { ranges: { starts: pack.words(this.rangeStarts, n), ends: pack.words(this.rangeEnds, n) } }
        : {}),
      events: this.events,
      links: this.links,
    }
  }

  #grow(): void {
    this.capacity = grownCapacity(this.capacity)
    this.traceIds = wider(this.traceIds)
    this.spanIds = wider(this.spanIds)
    this.parentSpanIds = wider(this.parentSpanIds)
    this.kinds = wider(this.kinds)
    this.statuses = wider(this.statuses)
    this.startWords = wider(this.startWords)
    this.durationWords = wider(this.durationWords)
    this.names = wider(this.names)
    this.resourceIndexes = wider(this.resourceIndexes)
    this.scopeIndexes = wider(this.scopeIndexes)
    this.flags = wider(this.flags)
    this.droppedAttributes = wider(this.droppedAttributes)
    this.droppedEvents = wider(this.droppedEvents)
    this.droppedLinks = wider(this.droppedLinks)
    this.traceStates = wider(this.traceStates)
    this.statusMessages = wider(this.statusMessages)
    this.rangeStarts = wider(this.rangeStarts)
    this.rangeEnds = wider(this.rangeEnds)
  }
}

/** The assumed size of a text in `texts`: most are short lists and maps. */
export const textBytes = 64

/** Bytes of memory a batch holds, for the bound on batches in flight. */
export function spanBatchBytes(batch: SpanBatch): number {
  return batch.arena.length + batch.rows * rowBytes + attributeBytes(batch.attributes) + batch.texts.length * textBytes
}
