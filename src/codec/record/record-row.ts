/**
 * Turns the keys and values of a structured record into one row of events: values that `fields.ts` recognises go to
 * their column (body, time, severity, ids, resource, …), everything else stays an attribute with its type.
 * Decoders call `begin`, then `put` for each key in order, then `end`. No object is made per value, and a key is looked
 * up once per batch.
 */
import { highWord, lowWord } from '../../model/words.ts'
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import { valueTypes, type ValueType } from '../../model/attribute-columns.ts'
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { bodyTypes } from '../../model/event-batch.ts'
import type { Resource, Scope } from '../../model/resource.ts'
import { linkBytes } from '../context/row-context.ts'
import { utf8Text } from '../utf8.ts'
import {
  fieldNamed,
  isIdMap,
  nestedFieldNamed,
  resourceSlot,
  slotCount,
  slots,
  timeField,
  type Field,
} from './fields.ts'
import { RecordSource, type SourceDefaults } from './record-source.ts'
import { SlotValues, type ColumnValue } from './slot-values.ts'
import { instantOf } from './record-time.ts'
import { numberOfSeverity } from './severity.ts'
import { takeContext, takeSeverity, takeTime } from './take-slot.ts'

/** Ranks an object after every name whose value is a text message. */
const listRank = 100
/** Ranks a name after every other name with the same meaning. */
const behindRank = 200

const resourceMask = ((1 << slotCount) - 1) & ~((1 << resourceSlot) - 1)

export class RecordRow {
  readonly builder: EventBatchBuilder
  /** The recognised values of the row so far, by slot. */
  readonly values: SlotValues
  readonly #source: RecordSource
  /** By dictionary number; `null` is a plain attribute, a hole was not looked up yet. */
  #fields: (Field | null | undefined)[] = []
  readonly #keys = new Map<string, number>()
  /** Severity numbers by dictionary number of their text; -1 is no severity. */
  readonly severities: number[] = []
  emptyText = 0
  row = 0
  #hasTime = false

  constructor(builder: EventBatchBuilder) {
    this.builder = builder
    this.values = new SlotValues(builder)
    this.#source = new RecordSource(builder, this.values)
  }

  /** Call this after the builder's own reset: forgets everything of the previous batch. */
  reset(): void {
    this.#fields = []
    this.#keys.clear()
    this.severities.length = 0
    this.values.clear()
    this.emptyText = this.builder.dictionary.intern(this.builder.arena.bytes, 0, 0)
    this.#source.reset()
  }

  /** Defaults for rows that do not name their service or host, and what all rows share. */
  setDefaults(defaults: SourceDefaults): void {
    this.#source.setDefaults(defaults)
  }

  /** Until the next call every row has this resource and scope, whatever its keys are; `undefined` ends that. */
  setOrigin(resource: Resource | undefined, scope: Scope | undefined): void {
    this.#source.setOrigin(resource, scope)
  }

  /** Number of a key that is not in the arena. */
  keyOf(name: string): number {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = this.builder.internText(name)
      this.#keys.set(name, key)
    }
    return key
  }

  begin(): void {
    const { builder } = this
    this.values.clear()
    const row = builder.beginRow()
    this.row = row
    builder.severityTexts[row] = builder.types[row] = this.emptyText
    this.#hasTime = false
  }

  /** Sets a time that is not from the record's keys; then its time keys stay attributes. Nanoseconds in two words. */
  setTimeWords(low: number, high: number): void {
    this.builder.timeWords[this.row * 2] = low
    this.builder.timeWords[this.row * 2 + 1] = high
    this.#hasTime = true
  }

  setTime(nanos: bigint): void {
    this.setTimeWords(lowWord(nanos), highWord(nanos))
  }

  /** A value in column form, see `attribute-columns.ts`. */
  put(key: number, type: ValueType, a: number, b: number): void {
    let field = this.#fields[key]
    if (field === undefined) field = this.#lookUp(key)
    if (field !== null && type !== valueTypes.other) this.values.offer(field, { key, type, a, b })
    else if (field?.slot === slots.body && this.#isList(a)) this.#offerList(field, { key, type, a, b })
    else this.builder.attributes.add(key, type, a, b)
  }

  /** A message may be an object, as Python's `logging` and many JavaScript loggers allow; a text takes precedence. */
  #offerList(field: Field, value: ColumnValue): void {
    this.values.offer({ ...field, rank: field.rank + listRank }, value)
  }

  /** Whether the value is an array or a map. */
  #isList(a: number): boolean {
    return /^\{"(kvlist|array)Value"/.test(this.builder.texts[a]!)
  }

  /** As `put`, for names and values that are not in the arena yet. */
  putValue(name: string, value: AttributeValue): void {
    this.putKeyed(this.keyOf(name), value)
  }

  putKeyed(key: number, value: AttributeValue): void {
    const { attributes } = this.builder
    attributes.addValue(key, value, this.builder)
    const at = --attributes.count
    this.put(key, attributes.types[at] as ValueType, attributes.a[at]!, attributes.b[at]!)
  }

  putText(name: string, value: string): void {
    this.putValue(name, { type: 'string', value })
  }

  /** As `putValue`, but any other name with the same meaning takes precedence; then this one stays an attribute. */
  putBehind(name: string, value: AttributeValue): void {
    const key = this.keyOf(name)
    const field = this.#fields[key] === undefined ? this.#lookUp(key) : this.#fields[key]
    const isSimple = value.type === 'string' || value.type === 'int' || value.type === 'double'
    if (!field || !isSimple) return this.putAttribute(name, value)
    this.#offer({ ...field, rank: field.rank + behindRank }, key, value)
  }

  /** Always an attribute, whatever its name means elsewhere. */
  putAttribute(name: string, value: AttributeValue): void {
    this.builder.attributes.addValue(this.keyOf(name), value, this.builder)
  }

  /** A map that was put as an attribute may also contain values for the row's columns: in headers, in pod metadata. */
  lookInto(key: number, map: AttributeValue): void {
    if (map.type === 'map') this.#lookInto(key, this.#keyText(key).toLowerCase(), map.value)
  }

  #lookInto(key: number, parent: string, entries: readonly Attribute[]): void {
    if (parent === 'instant') return this.#offerNested(timeField, instantOf(entries))
    for (const { key: name, value: given } of entries) {
      // Requests are logged with their headers, and a header may be a list of one.
      if (given.type === 'map' && parent !== 'headers') {
        const inner = name.toLowerCase()
        if (inner === 'headers' || (isIdMap(inner) && !isIdMap(parent))) this.#lookInto(key, inner, given.value)
      }
      const value = given.type === 'array' && given.value.length === 1 ? given.value[0]! : given
      if (value.type === 'string' || value.type === 'int') this.#offerNested(nestedFieldNamed(parent, name), value)
    }
  }

  /** Key -1: the value is already kept in its map. */
  #offerNested(field: Field | undefined, value: AttributeValue | undefined): void {
    if (field !== undefined && value !== undefined) this.#offer(field, -1, value)
  }

  #offer(field: Field, key: number, value: AttributeValue): void {
    const { attributes } = this.builder
    attributes.addValue(Math.max(0, key), value, this.builder)
    const at = --attributes.count
    const [type, a, b] = [attributes.types[at] as ValueType, attributes.a[at]!, attributes.b[at]!]
    this.values.offer(field, { key, type, a, b })
  }

  setBody(text: string): void {
    this.builder.setBody(this.row, bodyTypes.string, text)
  }

  setType(text: string): void {
    this.builder.types[this.row] = this.keyOf(text)
  }

  /** With 0, the number follows from the text. */
  setSeverity(number: number, text: string): void {
    this.builder.severityNumbers[this.row] = number === 0 ? numberOfSeverity(text) : number
    this.builder.severityTexts[this.row] = this.keyOf(text)
  }

  /** Completes the row. A record without a time gets the time of receipt, which is also its observed time. */
  end(receivedAtMs: number): void {
    const { builder, values, row } = this
    if (values.has(slots.body)) this.#takeBody()
    if (this.#hasTime) values.spill(slots.time)
    else {
      const nanos = values.has(slots.time) ? takeTime(values) : 0n
      builder.setTimes(row, nanos, nanos === 0n ? BigInt(Math.round(receivedAtMs)) * 1_000_000n : 0n, 0n)
    }
    if ((values.present & ~resourceMask) !== 0) this.#takeRest()
    if (builder.bodyTypes[row] === bodyTypes.string && !this.#linked()) {
      linkBytes(builder, row, builder.bodies[row * 2]!, builder.bodies[row * 2 + 1]!)
    }
    this.#source.assign(row)
    builder.endRow()
  }

  /** For a complete row whose body text was set later: links it to the trace that the text names, if any. */
  linkBody(row: number): void {
    this.row = row
    const { bodies } = this.builder
    if (!this.#linked()) linkBytes(this.builder, row, bodies[row * 2]!, bodies[row * 2 + 1]!)
  }

  /** Removes attributes of simple types with the given names from the row that is being read, and returns them. */
  takeAttributes(names: readonly string[]): Attribute[] {
    const { attributes } = this.builder
    const keys = new Map(names.map((name) => [this.keyOf(name), name]))
    const taken: Attribute[] = []
    const first = this.row === 0 ? 0 : attributes.ends[this.row - 1]!
    let kept = first
    for (let at = first; at < attributes.count; at++) {
      const [key, type, a, b] = [attributes.keys[at]!, attributes.types[at]!, attributes.a[at]!, attributes.b[at]!]
      const name = type === valueTypes.other ? undefined : keys.get(key)
      if (name !== undefined) taken.push({ key: name, value: this.values.valueOf(type as ValueType, a, b) })
      else {
        attributes.keys[kept] = key
        attributes.types[kept] = type
        attributes.a[kept] = a
        attributes.b[kept++] = b
      }
    }
    attributes.count = kept
    return taken
  }

  drop(): void {
    this.values.clear()
    this.builder.dropRow()
  }

  #takeBody(): void {
    const { builder, values, row } = this
    if (builder.bodyTypes[row] !== bodyTypes.empty) return values.spill(slots.body)
    const { type, a, b } = values.take(slots.body)
    if (type === valueTypes.string) {
      builder.bodyTypes[row] = bodyTypes.string
      builder.bodies[row * 2] = a
      builder.bodies[row * 2 + 1] = b
    } else if (type === valueTypes.other) builder.setBody(row, bodyTypes.json, builder.texts[a]!)
    else builder.setBody(row, bodyTypes.json, values.json(type, a, b))
  }

  #takeRest(): void {
    const { builder, values, row } = this
    if (values.has(slots.type)) {
      if (values.type(slots.type) !== valueTypes.string) values.spill(slots.type)
      else {
        const { a, b } = values.take(slots.type)
        builder.types[row] = builder.dictionary.intern(builder.arena.bytes, a, a + b)
      }
    }
    takeSeverity(this)
    takeContext(this)
  }

  #linked(): boolean {
    const { traceIds } = this.builder
    for (let i = this.row * 16, end = i + 16; i < end; i++) if (traceIds[i] !== 0) return true
    return false
  }

  #lookUp(key: number): Field | null {
    const field = fieldNamed(this.#keyText(key)) ?? null
    this.#fields[key] = field
    return field
  }

  #keyText(key: number): string {
    const { dictionary, arena } = this.builder
    const start = dictionary.starts[key]!
    return utf8Text(arena.bytes, start, start + dictionary.lengths[key]!)
  }
}
