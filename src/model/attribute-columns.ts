/**
 * Attributes of many rows as columns: row r owns entries [ends[r-1], ends[r]). Values stay bytes in the batch's arena.
 *
 * | type | a | b |
 * |---|---|---|
 * | string | start in the arena | length |
 * | int | low 32 bits | high 32 bits (two's complement) |
 * | double | low 32 bits of the IEEE 754 value | high 32 bits |
 * | bool | 0 or 1 | - |
 * | other (array, map, bytes, empty) | index into the batch's `texts`: OTLP JSON of the AnyValue | - |
 */
import { InputError } from '../base/errors.ts'
import { wider } from '../base/wider.ts'
import type { AttributeValue } from './attributes.ts'
import { toAnyValueJson } from './attributes.ts'
import type { ColumnPack } from './column-pack.ts'
import { highWord, lowWord } from './words.ts'

/**
 * The maximum number of attributes in one batch, about 70 MB of columns; a 64 MiB body of 16-byte attributes just fits.
 */
export const attributesMax = 1 << 22

export const valueTypes = { string: 1, int: 2, double: 3, bool: 4, other: 5 } as const
export type ValueType = (typeof valueTypes)[keyof typeof valueTypes]

export interface AttributeColumns {
  readonly ends: Uint32Array
  /** Number of the key in the batch's dictionary. */
  readonly keys: Uint32Array
  readonly types: Uint8Array
  readonly a: Uint32Array
  readonly b: Uint32Array
}

/** Where a builder puts bytes and rare texts that are not in the received body. */
export interface TextSink {
  /** Appends UTF-8 text to the arena and returns its start; its length is `textLength` afterwards. */
  appendText(text: string): number
  textLength: number
  readonly texts: string[]
}

/** Bytes per row in `ends`, and per entry in the other columns. */
const endBytes = 4
const entryBytes = 4 * 3 + 1

export function attributeBytes(columns: AttributeColumns): number {
  return columns.ends.length * endBytes + columns.keys.length * entryBytes
}

const scratch = new DataView(new ArrayBuffer(8))

export class AttributeColumnsBuilder {
  /** Entries so far, over all rows. */
  count = 0
  ends = new Uint32Array(64)
  keys = new Uint32Array(512)
  types = new Uint8Array(512)
  a = new Uint32Array(512)
  b = new Uint32Array(512)

  add(key: number, type: ValueType, a: number, b: number): void {
    const at = this.count
    if (at === this.keys.length) this.#growEntries()
    this.keys[at] = key
    this.types[at] = type
    this.a[at] = a
    this.b[at] = b
    this.count = at + 1
  }

  /** Adds a value that is already a JavaScript object: for decoders of text formats, not for OTLP protobuf. */
  addValue(key: number, value: AttributeValue, sink: TextSink): void {
    switch (value.type) {
      case 'string': {
        const start = sink.appendText(value.value)
        return this.add(key, valueTypes.string, start, sink.textLength)
      }
      case 'int':
        return this.add(key, valueTypes.int, lowWord(value.value), highWord(value.value))
      case 'double':
        scratch.setFloat64(0, value.value, true)
        return this.add(key, valueTypes.double, scratch.getUint32(0, true), scratch.getUint32(4, true))
      case 'bool':
        return this.add(key, valueTypes.bool, value.value ? 1 : 0, 0)
      default:
        return this.add(key, valueTypes.other, sink.texts.push(JSON.stringify(toAnyValueJson(value))) - 1, 0)
    }
  }

  endRow(row: number): void {
    if (row >= this.ends.length) this.ends = wider(this.ends)
    this.ends[row] = this.count
  }

  /** Bytes that `finish` needs. */
  packedBytes(rows: number): number {
    return rows * endBytes + this.count * entryBytes
  }

  /** Exact copies; the builder can be reset and used again. */
  finish(rows: number, pack: ColumnPack): AttributeColumns {
    return {
      ends: pack.words(this.ends, rows),
      keys: pack.words(this.keys, this.count),
      types: pack.bytes(this.types, this.count),
      a: pack.words(this.a, this.count),
      b: pack.words(this.b, this.count),
    }
  }

  #growEntries(): void {
    if (this.keys.length * 2 > attributesMax) {
      throw new InputError(
        'too_large',
        `cannot take a request of more than ${attributesMax} attributes; send smaller batches`,
      )
    }
    this.keys = wider(this.keys)
    this.a = wider(this.a)
    this.b = wider(this.b)
    this.types = wider(this.types)
  }
}
