/** Event batches -> one Native block of table `events`; the counterpart of span-block.ts. */
import type { EventBatch } from '../../../model/event-batch.ts'
import { noText } from '../../../model/dictionary.ts'
import { bodyTypes } from '../../../model/event-batch.ts'
import type { KeyNotes } from '../../key-kinds.ts'
import { AttributeBlock } from './attribute-block.ts'
import { FixedColumn, LowCardinalityColumn, StringColumn, type Column } from '../native/column.ts'

export class EventBlock {
  rows = 0
  readonly #time = new FixedColumn('DateTime64(9)', 8)
  readonly #observedTime = new FixedColumn('DateTime64(9)', 8)
  readonly #timeGiven = new FixedColumn('Bool', 1)
  readonly #traceId = new FixedColumn('FixedString(16)', 16)
  readonly #spanId = new FixedColumn('FixedString(8)', 8)
  readonly #flags = new FixedColumn('UInt32', 4)
  readonly #severityNumber = new FixedColumn('UInt8', 1)
  readonly #severityText = new LowCardinalityColumn()
  readonly #type = new LowCardinalityColumn()
  readonly #protocol = new LowCardinalityColumn()
  readonly #service = new LowCardinalityColumn()
  readonly #body = new StringColumn()
  readonly #bodyType = new FixedColumn('UInt8', 1)
  readonly #resource = new LowCardinalityColumn()
  readonly #scope = new LowCardinalityColumn()
  readonly #notes: KeyNotes
  readonly #attributes: AttributeBlock
  readonly #dropped = new FixedColumn('UInt32', 4)

  /** In the order of the table's columns. */
  readonly columns: readonly (readonly [string, Column])[]

  constructor(notes: KeyNotes) {
    this.#notes = notes
    this.#attributes = new AttributeBlock([], notes)
    this.columns = [
      ['time', this.#time],
      ['observed_time', this.#observedTime],
      ['time_given', this.#timeGiven],
      ['trace_id', this.#traceId],
      ['span_id', this.#spanId],
      ['flags', this.#flags],
      ['severity_number', this.#severityNumber],
      ['severity_text', this.#severityText],
      ['type', this.#type],
      ['protocol', this.#protocol],
      ['service_name', this.#service],
      ['body', this.#body],
      ['body_type', this.#bodyType],
      ['resource', this.#resource],
      ['scope', this.#scope],
      ...this.#attributes.columns(),
      ['dropped_attributes_count', this.#dropped],
    ]
  }

  reset(): void {
    this.rows = 0
    this.#attributes.reset()
    for (const [, column] of this.columns) column.reset()
  }

  add(batch: EventBatch): void {
    this.#time.addAll(batch.times)
    this.#observedTime.addAll(batch.observedTimes)
    this.#timeGiven.addAll(batch.timeGiven)
    this.#traceId.addAll(batch.traceIds)
    this.#spanId.addAll(batch.spanIds)
    this.#flags.addAll(batch.flags)
    this.#severityNumber.addAll(batch.severityNumbers)
    this.#bodyType.addAll(batch.bodyTypes)
    if (batch.bodyTypes.includes(bodyTypes.json)) this.#notes.add('bodyMaps', '')
    this.#dropped.addAll(batch.droppedAttributes)
    this.#addTexts(batch)
    this.#addOrigins(batch)
    this.#attributes.add(batch)
    this.rows += batch.rows
  }

  #addTexts(batch: EventBatch): void {
    const { starts, lengths } = batch.dictionary
    const protocol = this.#protocol.keys.internText(batch.protocol)
    const add = (column: LowCardinalityColumn, entry: number): void =>
      column.add(entry === noText ? 0 : column.keys.intern(batch.arena, starts[entry]!, lengths[entry]!))
    for (let i = 0; i < batch.rows; i++) {
      this.#protocol.add(protocol)
      add(this.#severityText, batch.severityTexts[i]!)
      add(this.#type, batch.types[i]!)
      this.#body.add(batch.arena, batch.bodies[i * 2]!, batch.bodies[i * 2 + 1]!)
    }
  }

  #addOrigins(batch: EventBatch): void {
    for (const { attributes } of batch.resources) this.#notes.addAll(attributes)
    for (const scope of batch.scopes) this.#notes.addScope(scope)
    const resources = batch.resources.map((resource) => ({
      resource: this.#resource.keys.internText(resource.json),
      service: this.#service.keys.internText(resource.serviceName),
    }))
    const scopes = batch.scopes.map((scope) => this.#scope.keys.internText(scope.json))
    for (let i = 0; i < batch.rows; i++) {
      const keys = resources[batch.resourceIndexes[i]!]!
      this.#resource.add(keys.resource)
      this.#service.add(keys.service)
      this.#scope.add(scopes[batch.scopeIndexes[i]!]!)
    }
  }
}
