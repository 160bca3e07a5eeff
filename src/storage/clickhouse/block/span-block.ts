/** Span batches -> one Native block of table `spans`; reused from block to block. */
import { noText } from '../../../model/dictionary.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import type { Resource, Scope } from '../../../model/resource.ts'
import { dedicatedAttributes } from '../../dedicated.ts'
import type { KeyNotes } from '../../key-kinds.ts'
import { AttributeBlock } from './attribute-block.ts'
import { FixedColumn, LowCardinalityColumn, StringColumn, type Column } from '../native/column.ts'
import type { SpanIdentities } from '../once/span-identities.ts'
import { printEvents, printLinks, printRest } from './span-lists.ts'
import { wordsOf, type TraceSpans } from './trace-spans.ts'

/** Columns that most spans leave empty: the bit of each in `present`. A read of one trace skips those it does not need. */
export const presentColumns: readonly string[] = [
  ...dedicatedAttributes.map(({ column }) => column),
  'attributes_string',
  'attributes_number',
  'attributes_other',
  'events',
  'links',
  'rest',
]

function presentBit(column: string): number {
  return 1 << presentColumns.indexOf(column)
}

export class SpanBlock {
  rows = 0
  readonly #traceId = new FixedColumn('FixedString(16)', 16)
  readonly #spanId = new FixedColumn('FixedString(8)', 8)
  readonly #parentSpanId = new FixedColumn('FixedString(8)', 8)
  readonly #flags = new FixedColumn('UInt32', 4)
  readonly #service = new LowCardinalityColumn()
  readonly #name = new LowCardinalityColumn()
  readonly #kind = new FixedColumn('UInt8', 1)
  readonly #startTime = new FixedColumn('DateTime64(9)', 8)
  readonly #duration = new FixedColumn('Int64', 8)
  readonly #status = new FixedColumn('UInt8', 1)
  readonly #statusMessage = new LowCardinalityColumn()
  readonly #resource = new LowCardinalityColumn()
  readonly #scope = new LowCardinalityColumn()
  readonly #notes: KeyNotes
  readonly #attributes: AttributeBlock
  readonly #events = new StringColumn()
  readonly #links = new StringColumn()
  readonly #rest = new StringColumn()
  /** Numbers that resources and scopes have in this block's dictionaries. */
  readonly #resourceKeys = new Map<Resource, { resource: number; service: number }>()
  readonly #scopeKeys = new Map<Scope, number>()

  /** In the order of the table's columns. */
  readonly columns: readonly (readonly [string, Column])[]

  constructor(notes: KeyNotes) {
    this.#notes = notes
    this.#attributes = new AttributeBlock(dedicatedAttributes, notes)
    this.columns = [
      ['trace_id', this.#traceId],
      ['span_id', this.#spanId],
      ['parent_span_id', this.#parentSpanId],
      ['flags', this.#flags],
      ['service_name', this.#service],
      ['name', this.#name],
      ['kind', this.#kind],
      ['start_time', this.#startTime],
      ['duration', this.#duration],
      ['status_code', this.#status],
      ['status_message', this.#statusMessage],
      ['resource', this.#resource],
      ['scope', this.#scope],
      ...this.#attributes.columns(),
      ['events', this.#events],
      ['links', this.#links],
      ['rest', this.#rest],
    ]
  }

  reset(): void {
    this.rows = 0
    this.#resourceKeys.clear()
    this.#scopeKeys.clear()
    this.#attributes.reset()
    for (const [, column] of this.columns) column.reset()
  }

  /** Drops every row whose byte in `kept` is 0. */
  retain(kept: Uint8Array): void {
    this.#attributes.retain(kept)
    const ofAttributes = new Set(this.#attributes.columns().map(([, column]) => column))
    for (const [, column] of this.columns) if (!ofAttributes.has(column)) column.retain(kept)
    this.rows = this.#kind.rows
  }

  /** Its rows for `traces` and for the search for repeats; valid until rows are added or dropped. */
  get spans(): TraceSpans & SpanIdentities {
    return {
      rows: this.rows,
      traceIds: wordsOf(this.#traceId.values.view()),
      spanIds: wordsOf(this.#spanId.values.view()),
      parentSpanIds: wordsOf(this.#parentSpanId.values.view()),
      starts: wordsOf(this.#startTime.values.view()),
      durations: wordsOf(this.#duration.values.view()),
      kinds: this.#kind.values.bytes,
      statuses: this.#status.values.bytes,
      nameAt: textsOf(this.#name),
      serviceAt: textsOf(this.#service),
      presentAt: (row) => this.presentAt(row),
    }
  }

  add(batch: SpanBatch): void {
    this.#traceId.addAll(batch.traceIds)
    this.#spanId.addAll(batch.spanIds)
    this.#parentSpanId.addAll(batch.parentSpanIds)
    this.#flags.addAll(batch.flags)
    this.#kind.addAll(batch.kinds)
    this.#startTime.addAll(batch.startTimes)
    this.#duration.addAll(batch.durations)
    this.#status.addAll(batch.statuses)
    this.#addNames(batch)
    this.#addOrigins(batch)
    addRefs(this.#statusMessage, batch.arena, batch.statusMessages, batch.rows)
    this.#attributes.add(batch)
    this.#addLists(batch)
    this.rows += batch.rows
    for (const column of [this.#events, this.#links, this.#rest]) column.fillTo(this.rows)
  }

  /** Dedicated keys with a value that had to go into the maps. */
  get irregularKeys(): ReadonlySet<string> {
    return this.#attributes.irregular
  }

  /** Bits of the columns that hold something in any row. */
  get presentAnywhere(): number {
    let bits = 0
    for (let row = 0; row < this.rows; row++) bits |= this.#attributes.present[row]!
    return bits
  }

  /** Bits of the row's columns that hold something; see `presentColumns`. */
  presentAt(row: number): number {
    return this.#attributes.present[row]!
  }

  #addLists(batch: SpanBatch): void {
    const bits = this.#attributes.present
    for (const [row, events] of batch.events) {
      this.#events.fillTo(this.rows + row)
      this.#events.addText(printEvents(events))
      for (const { attributes } of events) this.#notes.addTyped('event', attributes)
      bits[this.rows + row]! |= presentBit('events')
    }
    for (const [row, links] of batch.links) {
      this.#links.fillTo(this.rows + row)
      this.#links.addText(printLinks(links))
      for (const { attributes } of links) this.#notes.addTyped('link', attributes)
      bits[this.rows + row]! |= presentBit('links')
    }
    for (let row = 0; row < batch.rows; row++) {
      const rest = printRest(batch, row)
      if (rest === '') continue
      this.#rest.fillTo(this.rows + row)
      this.#rest.addText(rest)
      bits[this.rows + row]! |= presentBit('rest')
    }
  }

  #addNames(batch: SpanBatch): void {
    const { starts, lengths } = batch.dictionary
    const numbers = new Int32Array(starts.length).fill(-1)
    for (let i = 0; i < batch.rows; i++) {
      const name = batch.names[i]!
      if (name === noText) {
        this.#name.add(0)
        continue
      }
      if (numbers[name] === -1) numbers[name] = this.#name.keys.intern(batch.arena, starts[name]!, lengths[name]!)
      this.#name.add(numbers[name]!)
    }
  }

  #addOrigins(batch: SpanBatch): void {
    const resources = batch.resources.map((resource) => this.#resourceKey(resource))
    const scopes = batch.scopes.map((scope) => this.#scopeKey(scope))
    for (let i = 0; i < batch.rows; i++) {
      const keys = resources[batch.resourceIndexes[i]!]!
      this.#resource.add(keys.resource)
      this.#service.add(keys.service)
      this.#scope.add(scopes[batch.scopeIndexes[i]!]!)
    }
  }

  #resourceKey(resource: Resource): { resource: number; service: number } {
    let keys = this.#resourceKeys.get(resource)
    if (keys === undefined) {
      this.#notes.addAll(resource.attributes)
      keys = {
        resource: this.#resource.keys.internText(resource.json),
        service: this.#service.keys.internText(resource.serviceName),
      }
      this.#resourceKeys.set(resource, keys)
    }
    return keys
  }

  #scopeKey(scope: Scope): number {
    let key = this.#scopeKeys.get(scope)
    if (key === undefined) {
      this.#notes.addScope(scope)
      this.#scopeKeys.set(scope, (key = this.#scope.keys.internText(scope.json)))
    }
    return key
  }
}

function textsOf(column: LowCardinalityColumn): (row: number) => string {
  const texts: string[] = []
  return (row) => {
    const key = column.indexes[row]!
    return (texts[key] ??= column.keys.textOf(key))
  }
}

function addRefs(column: LowCardinalityColumn, arena: Uint8Array, refs: Uint32Array, rows: number): void {
  for (let i = 0; i < rows; i++) {
    const length = refs[i * 2 + 1]!
    column.add(length === 0 ? 0 : column.keys.intern(arena, refs[i * 2]!, length))
  }
}
