/**
 * Attribute columns of a block: a column for each dedicated attribute and three maps. Every type survives:
 * - `attributes_string`: strings.
 * - `attributes_number`: whole numbers up to 2^53 in size are ints, all others finite are doubles; one map, so that a
 *   search for 42 need not know which the sender chose.
 * - `attributes_other`: typed JSON (model/attributes.ts) of everything else: booleans, doubles that are whole numbers
 *   (`1.0`), larger ints, NaN and infinities, arrays, maps, bytes, empty values.
 * There are few maps because the cost of reading one trace grows with the number of streams: each map is four files.
 * Keys are examined once for each batch; after that a row costs one array access for each attribute.
 */
import { wider } from '../../../base/wider.ts'
import { valueTypes, type AttributeColumns } from '../../../model/attribute-columns.ts'
import type { DictionaryColumn } from '../../../model/dictionary.ts'
import { entryText } from '../../../model/span-row-reader.ts'
import type { DedicatedAttribute } from '../../dedicated.ts'
import { isOdd, type KeyNotes } from '../../key-kinds.ts'
import { numberOf, otherText } from '../../stored-value.ts'
import { FixedColumn, LowCardinalityColumn, NestedColumn, StringColumn, type Column } from '../native/column.ts'

export interface AttributeBatch {
  readonly rows: number
  readonly arena: Uint8Array
  readonly texts: readonly string[]
  readonly dictionary: DictionaryColumn
  readonly attributes: AttributeColumns
}

type DedicatedColumn = LowCardinalityColumn | StringColumn | FixedColumn

interface MapColumn {
  readonly keys: LowCardinalityColumn
  readonly values: StringColumn | FixedColumn
  readonly column: NestedColumn
}

function mapOf(valueType: string, values: StringColumn | FixedColumn): MapColumn {
  const keys = new LowCardinalityColumn()
  return { keys, values, column: new NestedColumn(`Map(LowCardinality(String), ${valueType})`, [keys, values]) }
}

export class AttributeBlock {
  readonly #strings = mapOf('String', new StringColumn())
  readonly #numbers = mapOf('Float64', new FixedColumn('Float64', 8))
  readonly #others = mapOf('String', new StringColumn())
  readonly #maps = [this.#strings, this.#numbers, this.#others] as const
  readonly #dedicated: readonly DedicatedAttribute[]
  readonly #dedicatedColumns: readonly DedicatedColumn[]
  readonly #slots: ReadonlyMap<string, number>
  readonly #notes: KeyNotes
  #rows = 0
  /** For each row a bit for each of `columns()` that holds something, in that order. */
  present = new Uint32Array(1024)
  /** Bits of a row whose first attributes came in earlier slices (batch-slices.ts). */
  #begun = 0
  /** The plan of the last large dictionary. Weak, because a block keeps nothing of a batch. */
  #largePlan: { readonly dictionary: WeakRef<DictionaryColumn>; readonly plan: KeyPlan } | undefined
  /** Dedicated keys with a value that had to go into the maps, since the block began. */
  readonly irregular = new Set<string>()

  constructor(dedicated: readonly DedicatedAttribute[], notes: KeyNotes) {
    this.#notes = notes
    this.#dedicated = dedicated
    this.#dedicatedColumns = dedicated.map(({ type }) =>
      type === 'keyword'
        ? new LowCardinalityColumn()
        : type === 'text'
          ? new StringColumn()
          : new FixedColumn('UInt16', 2),
    )
    this.#slots = new Map(dedicated.map(({ key }, slot) => [key, slot]))
  }

  columns(): (readonly [string, Column])[] {
    return [
      ...this.#dedicated.map(({ column }, i) => [column, this.#dedicatedColumns[i]!] as const),
      ['attributes_string', this.#strings.column],
      ['attributes_number', this.#numbers.column],
      ['attributes_other', this.#others.column],
    ]
  }

  reset(): void {
    this.#rows = this.#begun = 0
    this.#largePlan = undefined
    this.irregular.clear()
    for (const [, column] of this.columns()) column.reset()
  }

  /** Drops every row whose byte in `kept` is 0. */
  retain(kept: Uint8Array): void {
    let left = 0
    for (let row = 0; row < this.#rows; row++) if (kept[row] !== 0) this.present[left++] = this.present[row]!
    this.#rows = left
    for (const [, column] of this.columns()) column.retain(kept)
  }

  add(batch: AttributeBatch): void {
    const { ends, keys, types } = batch.attributes
    const plan = this.#planOf(batch.dictionary)
    const mapsAt = this.#dedicated.length
    let entry = 0
    let present = this.#begun
    // A batch without rows is a slice that begins the attributes of the next row.
    const isBeginning = batch.rows === 0
    const rows = isBeginning ? 1 : batch.rows
    if (this.#rows + batch.rows > this.present.length) this.#growPresent(this.#rows + batch.rows)
    for (let i = 0; i < rows; i++) {
      const row = this.#rows
      for (const end = isBeginning ? keys.length : ends[i]!; entry < end; entry++) {
        const key = keys[entry]!
        if (plan.slots[key] === unplanned) plan.slots[key] = this.#slotOf(batch, key)
        const slot = plan.slots[key]!
        if (slot >= 0 && this.#addDedicated(slot, row, batch, entry)) present |= 1 << slot
        else {
          if (slot >= 0) this.irregular.add(this.#dedicated[slot]!.key)
          present |= 1 << (mapsAt + this.#addToMap(types[entry]!, batch, entry, plan))
        }
      }
      if (isBeginning) break
      this.present[row] = present
      this.#rows++
      present = 0
      for (const map of this.#maps) map.column.endRow()
    }
    this.#begun = present
    if (isBeginning) return
    this.#fillDedicated()
  }

  /** The slices of a large batch share one plan: with a million keys it takes longer to make than to use. */
  #planOf(dictionary: DictionaryColumn): KeyPlan {
    const keys = dictionary.starts.length
    if (keys < largeDictionary) return new KeyPlan(keys)
    if (this.#largePlan?.dictionary.deref() !== dictionary)
      this.#largePlan = { dictionary: new WeakRef(dictionary), plan: new KeyPlan(keys) }
    return this.#largePlan.plan
  }

  #growPresent(rows: number): void {
    this.present = wider(this.present, Math.max(rows, this.present.length * 2))
  }

  #slotOf(batch: AttributeBatch, key: number): number {
    const start = batch.dictionary.starts[key]!
    const length = batch.dictionary.lengths[key]!
    const bytes = Buffer.from(batch.arena.buffer, batch.arena.byteOffset + start, length)
    const text = bytes.toString('latin1')
    if (isOdd(text)) this.#notes.add('odd', bytes.toString('utf8'))
    return this.#slots.get(text) ?? -1
  }

  /** False when the value does not fit the column: wrong type, empty, or the row has one already. */
  #addDedicated(slot: number, row: number, batch: AttributeBatch, entry: number): boolean {
    const { types, a, b } = batch.attributes
    const column = this.#dedicatedColumns[slot]!
    if (column.rows > row) return false
    if (column instanceof FixedColumn) {
      const value = a[entry]!
      if (types[entry] !== valueTypes.int || b[entry] !== 0 || value === 0 || value > 0xffff) return false
      column.values.zeros((row - column.rows) * 2)
      column.addByte(value & 0xff)
      column.addByte(value >>> 8)
      return true
    }
    if (types[entry] !== valueTypes.string || b[entry] === 0) return false
    column.fillTo(row)
    if (column instanceof StringColumn) column.add(batch.arena, a[entry]!, b[entry]!)
    else column.add(column.keys.intern(batch.arena, a[entry]!, b[entry]!))
    return true
  }

  /** Returns the map's place among the three. */
  #addToMap(type: number, batch: AttributeBatch, entry: number, plan: KeyPlan): number {
    const { keys, a, b } = batch.attributes
    const low = a[entry]!
    const high = b[entry]!
    const key = keys[entry]!
    if (type === valueTypes.string) {
      this.#strings.keys.add(plan.keyOf(0, this.#strings.keys, batch, key))
      ;(this.#strings.values as StringColumn).add(batch.arena, low, high)
      return 0
    }
    const number = numberOf(type, low, high)
    if (number !== undefined) {
      this.#numbers.keys.add(plan.keyOf(1, this.#numbers.keys, batch, key))
      words.setFloat64(0, number, true)
      ;(this.#numbers.values as FixedColumn).addWords(words.getUint32(0, true), words.getUint32(4, true))
      return 1
    }
    if (type === valueTypes.other) this.#notes.addNested(entryText(batch, key), batch.texts[low]!)
    this.#others.keys.add(plan.keyOf(2, this.#others.keys, batch, key))
    ;(this.#others.values as StringColumn).addText(otherText(type, low, high, batch.texts))
    return 2
  }

  #fillDedicated(): void {
    for (const column of this.#dedicatedColumns) {
      if (column instanceof FixedColumn) column.values.zeros((this.#rows - column.rows) * 2)
      else column.fillTo(this.#rows)
    }
  }
}

const words = new DataView(new ArrayBuffer(8))

const unplanned = -2
/** Keys of a dictionary that only a large batch has. */
const largeDictionary = 1 << 14

/** For each key of one batch: its dedicated slot, and its number in each map's dictionary. */
class KeyPlan {
  readonly slots: Int32Array
  readonly #numbers: Int32Array[] = []
  readonly #size: number

  constructor(size: number) {
    this.#size = size
    this.slots = new Int32Array(size).fill(unplanned)
  }

  keyOf(map: number, column: LowCardinalityColumn, batch: AttributeBatch, key: number): number {
    const numbers = (this.#numbers[map] ??= new Int32Array(this.#size).fill(-1))
    const known = numbers[key]!
    if (known >= 0) return known
    const { starts, lengths } = batch.dictionary
    return (numbers[key] = column.keys.intern(batch.arena, starts[key]!, lengths[key]!))
  }
}
