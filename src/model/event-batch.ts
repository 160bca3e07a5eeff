/**
 * Events (log records and similar) of one request as columns; the counterpart of `span-batch.ts`, which explains the
 * layout.
 */
import { wider } from '../base/wider.ts'
import { AttributeColumnsBuilder, attributeBytes, type AttributeColumns, type TextSink } from './attribute-columns.ts'
import { Arena } from './arena.ts'
import { ColumnPack } from './column-pack.ts'
import { Dictionary, noText, type DictionaryColumn } from './dictionary.ts'
import type { Resource, Scope } from './resource.ts'
import { grownCapacity, textBytes } from './span-batch.ts'
import { setWords } from './words.ts'

/** How the body is kept: nothing, text as it came, or OTLP JSON of an AnyValue that is not a string. */
export const bodyTypes = { empty: 0, string: 1, json: 2 } as const
export type BodyType = (typeof bodyTypes)[keyof typeof bodyTypes]

export interface EventBatch {
  readonly signal: 'events'
  readonly rows: number
  readonly arena: Uint8Array
  readonly texts: readonly string[]
  readonly dictionary: DictionaryColumn
  readonly resources: readonly Resource[]
  readonly scopes: readonly Scope[]
  /** What brought the events: otlp, forward, syslog, … */
  readonly protocol: string
  /**
   * Nanoseconds since the epoch. `times` is never 0: a record without a time gets its observed time, or else the time
   * of receipt.
   */
  readonly times: BigInt64Array
  /** As sent; 0 when the sender gave none. With `timeGiven` 0 the record's own time was absent. */
  readonly observedTimes: BigInt64Array
  readonly timeGiven: Uint8Array
  /** 16 and 8 bytes a row, all zero when the event belongs to no trace or span. */
  readonly traceIds: Uint8Array
  readonly spanIds: Uint8Array
  readonly severityNumbers: Uint8Array
  /** Dictionary numbers, or `noText`. `types` is the OTLP event name; '' for a plain log record. */
  readonly severityTexts: Uint32Array
  readonly types: Uint32Array
  readonly resourceIndexes: Uint32Array
  readonly scopeIndexes: Uint32Array
  readonly flags: Uint32Array
  readonly droppedAttributes: Uint32Array
  readonly bodyTypes: Uint8Array
  /** Start and length in the arena, two entries a row. */
  readonly bodies: Uint32Array
  readonly attributes: AttributeColumns
}

/** Bytes per row, without its attributes, and the number of columns. */
const rowBytes = 8 * 3 + 16 + 8 + 1 * 3 + 4 * 6
const columnCount = 21

/** Used like `SpanBatchBuilder`. */
export class EventBatchBuilder implements TextSink {
  rows = 0
  capacity = 256
  textLength = 0
  protocol = 'otlp'
  arena = new Arena()
  texts: string[] = []
  dictionary = new Dictionary()
  resources: Resource[] = []
  scopes: Scope[] = []
  attributes = new AttributeColumnsBuilder()
  timeWords = new Uint32Array(2 * 256)
  observedWords = new Uint32Array(2 * 256)
  timeGiven = new Uint8Array(256)
  traceIds = new Uint8Array(16 * 256)
  spanIds = new Uint8Array(8 * 256)
  severityNumbers = new Uint8Array(256)
  severityTexts = new Uint32Array(256)
  types = new Uint32Array(256)
  resourceIndexes = new Uint32Array(256)
  scopeIndexes = new Uint32Array(256)
  flags = new Uint32Array(256)
  droppedAttributes = new Uint32Array(256)
  bodyTypes = new Uint8Array(256)
  bodies = new Uint32Array(2 * 256)

  reset(protocol: string, body?: Uint8Array): void {
    this.rows = 0
    this.protocol = protocol
    this.arena = new Arena(body)
    this.texts = []
    this.dictionary.clear()
    this.resources = []
    this.scopes = []
    this.attributes.count = 0
  }

  /** As in `SpanBatchBuilder`. */
  get isLarge(): boolean {
    return this.capacity > 1 << 16 || this.attributes.keys.length > 1 << 20
  }

  beginRow(): number {
    const row = this.rows
    if (row === this.capacity) this.#grow()
    this.traceIds.fill(0, row * 16, row * 16 + 16)
    this.spanIds.fill(0, row * 8, row * 8 + 8)
    this.timeWords[row * 2] = this.timeWords[row * 2 + 1] = 0
    this.observedWords[row * 2] = this.observedWords[row * 2 + 1] = 0
    this.timeGiven[row] = 1
    this.severityNumbers[row] = this.bodyTypes[row] = 0
    this.flags[row] = this.droppedAttributes[row] = 0
    this.severityTexts[row] = this.types[row] = noText
    this.bodies[row * 2] = this.bodies[row * 2 + 1] = 0
    return row
  }

  endRow(): void {
    this.attributes.endRow(this.rows)
    this.rows++
  }

  dropRow(): void {
    this.attributes.count = this.rows === 0 ? 0 : this.attributes.ends[this.rows - 1]!
  }

  /** Forgets the rows from `rows` on. */
  truncate(rows: number): void {
    this.rows = rows
    this.attributes.count = rows === 0 ? 0 : this.attributes.ends[rows - 1]!
  }

  /** `timeNs` 0 means the sender gave none: the observed time is used instead, or else `receivedNs`. */
  setTimes(row: number, timeNs: bigint, observedNs: bigint, receivedNs: bigint): void {
    this.timeGiven[row] = timeNs === 0n ? 0 : 1
    setWords(this.timeWords, row, timeNs !== 0n ? timeNs : observedNs !== 0n ? observedNs : receivedNs)
    setWords(this.observedWords, row, observedNs)
  }

  setBody(row: number, type: BodyType, text: string): void {
    const start = this.appendText(text)
    this.bodyTypes[row] = type
    this.bodies[row * 2] = start
    this.bodies[row * 2 + 1] = this.textLength
  }

  appendText(text: string): number {
    const start = this.arena.appendText(text)
    this.textLength = this.arena.length - start
    return start
  }

  internText(text: string): number {
    const start = this.arena.appendText(text)
    const before = this.dictionary.count
    const entry = this.dictionary.intern(this.arena.bytes, start, this.arena.length)
    if (this.dictionary.count === before) this.arena.length = start
    return entry
  }

  finish(): EventBatch {
    const n = this.rows
    const rest = this.dictionary.count * 8 + this.attributes.packedBytes(n)
    const pack = new ColumnPack(n * rowBytes + rest, columnCount)
    return {
      signal: 'events',
      rows: n,
      arena: this.arena.bytes,
      texts: this.texts,
      dictionary: {
        starts: pack.words(this.dictionary.starts, this.dictionary.count),
        lengths: pack.words(this.dictionary.lengths, this.dictionary.count),
      },
      resources: this.resources,
      scopes: this.scopes,
      protocol: this.protocol,
      times: pack.nanos(this.timeWords, n),
      observedTimes: pack.nanos(this.observedWords, n),
      timeGiven: pack.bytes(this.timeGiven, n),
      traceIds: pack.bytes(this.traceIds, n * 16),
      spanIds: pack.bytes(this.spanIds, n * 8),
      severityNumbers: pack.bytes(this.severityNumbers, n),
      severityTexts: pack.words(this.severityTexts, n),
      types: pack.words(this.types, n),
      resourceIndexes: pack.words(this.resourceIndexes, n),
      scopeIndexes: pack.words(this.scopeIndexes, n),
      flags: pack.words(this.flags, n),
      droppedAttributes: pack.words(this.droppedAttributes, n),
      bodyTypes: pack.bytes(this.bodyTypes, n),
      bodies: pack.words(this.bodies, n * 2),
      attributes: this.attributes.finish(n, pack),
    }
  }

  #grow(): void {
    this.capacity = grownCapacity(this.capacity)
    this.traceIds = wider(this.traceIds)
    this.spanIds = wider(this.spanIds)
    this.timeGiven = wider(this.timeGiven)
    this.severityNumbers = wider(this.severityNumbers)
    this.bodyTypes = wider(this.bodyTypes)
    this.timeWords = wider(this.timeWords)
    this.observedWords = wider(this.observedWords)
    this.severityTexts = wider(this.severityTexts)
    this.types = wider(this.types)
    this.resourceIndexes = wider(this.resourceIndexes)
    this.scopeIndexes = wider(this.scopeIndexes)
    this.flags = wider(this.flags)
    this.droppedAttributes = wider(this.droppedAttributes)
    this.bodies = wider(this.bodies)
  }
}

/** Like `spanBatchBytes`. */
export function eventBatchBytes(batch: EventBatch): number {
  return batch.arena.length + batch.rows * rowBytes + attributeBytes(batch.attributes) + batch.texts.length * textBytes
}
