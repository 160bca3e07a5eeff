/** The recognised values of the row being read, in column form, by slot; see `fields.ts`. */
import { toAnyValueJson, type AttributeValue } from '../../model/attributes.ts'
import { valueTypes, type ValueType } from '../../model/attribute-columns.ts'
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { doubleOf, intOf } from '../../model/words.ts'
import { utf8Text } from '../utf8.ts'
import { slotCount, type Field } from './fields.ts'

export interface ColumnValue {
  /** Dictionary number of its key; -1 when it need not be kept as an attribute. */
  readonly key: number
  readonly type: ValueType
  readonly a: number
  readonly b: number
}

/**
 * What a slot can hold. Only the body's slot is offered arrays and maps (`RecordRow.put`), and their value is never
 * read.
 */
export type SlotValue = Extract<AttributeValue, { type: 'string' | 'int' | 'double' | 'bool' }>

export class SlotValues {
  /** Bit per slot. */
  present = 0
  readonly #builder: EventBatchBuilder
  readonly #keys = new Int32Array(slotCount)
  readonly #ranks = new Uint8Array(slotCount)
  readonly #types = new Uint8Array(slotCount)
  readonly #a = new Uint32Array(slotCount)
  readonly #b = new Uint32Array(slotCount)
  /** Name of the carrier in the carrier slot. */
  carrier = ''

  constructor(builder: EventBatchBuilder) {
    this.#builder = builder
  }

  clear(): void {
    this.present = 0
  }

  has(slot: number): boolean {
    return (this.present & (1 << slot)) !== 0
  }

  /** Keeps the better of this and the slot's value; the other becomes an attribute. */
  offer(field: Field, value: ColumnValue): void {
    const { slot, rank } = field
    if (this.has(slot)) {
      if (this.#ranks[slot]! <= rank) return this.#addAttribute(value)
      this.spill(slot)
    }
    this.present |= 1 << slot
    this.#ranks[slot] = rank
    this.#keys[slot] = value.key
    this.#types[slot] = value.type
    this.#a[slot] = value.a
    this.#b[slot] = value.b
    if (field.carrier !== '') this.carrier = field.carrier
  }

  type(slot: number): number {
    return this.#types[slot]!
  }

  /** Empties the slot. */
  take(slot: number): ColumnValue {
    this.present &= ~(1 << slot)
    return this.peek(slot)
  }

  peek(slot: number): ColumnValue {
    return { key: this.#keys[slot]!, type: this.#types[slot] as ValueType, a: this.#a[slot]!, b: this.#b[slot]! }
  }

  /** Empties the slot; its value, if any, becomes an attribute. */
  spill(slot: number): void {
    if (!this.has(slot)) return
    this.#addAttribute(this.take(slot))
  }

  #addAttribute({ key, type, a, b }: ColumnValue): void {
    if (key >= 0) this.#builder.attributes.add(key, type, a, b)
  }

  text(slot: number): string {
    const start = this.#a[slot]!
    return utf8Text(this.#builder.arena.bytes, start, start + this.#b[slot]!)
  }

  /** Whether both texts or numbers are the same, byte for byte. */
  same(slot: number, other: ColumnValue): boolean {
    const type = this.#types[slot]!
    const a = this.#a[slot]!
    const b = this.#b[slot]!
    if (type !== other.type || b !== other.b) return false
    if (type !== valueTypes.string || a === other.a) return a === other.a
    const { bytes } = this.#builder.arena
    for (let i = 0; i < b; i++) if (bytes[a + i] !== bytes[other.a + i]) return false
    return true
  }

  value(slot: number): SlotValue {
    return this.valueOf(this.#types[slot] as ValueType, this.#a[slot]!, this.#b[slot]!)
  }

  /** OTLP JSON of a value that is not `other`. */
  json(type: ValueType, a: number, b: number): string {
    return JSON.stringify(toAnyValueJson(this.valueOf(type, a, b)))
  }

  /** The value of a type that is not `other`. */
  valueOf(type: ValueType, a: number, b: number): SlotValue {
    switch (type) {
      case valueTypes.int:
        return { type: 'int', value: intOf(a, b) }
      case valueTypes.double:
        return { type: 'double', value: doubleOf(a, b) }
      case valueTypes.bool:
        return { type: 'bool', value: a !== 0 }
      default:
        return { type: 'string', value: utf8Text(this.#builder.arena.bytes, a, a + b) }
    }
  }
}
