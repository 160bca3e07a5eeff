/**
 * Native blocks as the engine writes them -> columns (the grammar is that of column.ts; ClickHouse, NativeWriter.cpp):
 *
 *     answer = block…
 *     block  = columns:varint rows:varint column…
 *     column = name:str type:str prefix body      nothing after the type when the block has no rows
 *
 * Texts are views of the answer; numbers are copied, as typed arrays want them aligned.
 */
import { assert } from '../../../base/errors.ts'
import type { CodedColumn, MapColumn, TextColumn } from '../../../model/row-block.ts'

export interface NativeBlock {
  readonly rows: number
  readonly columns: ReadonlyMap<string, NativeColumn>
}

/** Numbers and FixedString are their bytes. */
export type NativeColumn = Uint8Array | TextColumn | CodedColumn | MapColumn<TextColumn | Uint8Array>

export function* readNativeBlocks(bytes: Uint8Array): Generator<NativeBlock> {
  const reader = new BlockReader(bytes)
  while (!reader.isAtEnd) {
    const block = reader.block()
    if (block.rows > 0) yield block
  }
}

const widths: Readonly<Record<string, number>> = {
  'FixedString(16)': 16,
  'FixedString(8)': 8,
  Bool: 1,
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  Int64: 8,
  'DateTime64(9)': 8,
  Float64: 8,
}

const coded = 'LowCardinality(String)'

class BlockReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    // Not as a Buffer: its `slice` copies nothing.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  block(): NativeBlock {
    const count = this.#varint()
    const rows = this.#varint()
    const columns = new Map<string, NativeColumn>()
    for (let i = 0; i < count; i++) {
      const name = this.#text()
      const type = this.#text()
      if (rows > 0) columns.set(name, this.#column(type, rows))
    }
    return { rows, columns }
  }

  #column(type: string, rows: number): NativeColumn {
    if (type === 'String') return this.#texts(rows)
    if (type === coded) {
      this.#prefix()
      return this.#coded(rows)
    }
    if (type.startsWith(`Map(${coded}, `)) return this.#map(type.slice(`Map(${coded}, `.length, -1), rows)
    return this.#fixed(type, rows)
  }

  #fixed(type: string, rows: number): Uint8Array {
    const width = widths[type]
    assert(width !== undefined, `type ${type} cannot be read from a block`)
    const start = this.#at
    this.#at += width * rows
    assert(this.#at <= this.#bytes.length, 'a block of the engine ends too early')
    return this.#bytes.subarray(start, this.#at)
  }

  #texts(rows: number): TextColumn {
    const bytes = this.#bytes
    const starts = new Uint32Array(rows)
    const ends = new Uint32Array(rows)
    let at = this.#at
    for (let row = 0; row < rows; row++) {
      let length = bytes[at++]!
      if (length >= 0x80) {
        this.#at = at - 1
        length = this.#varint()
        at = this.#at
      }
      starts[row] = at
      ends[row] = at += length
    }
    assert(at <= bytes.length, 'a block of the engine ends too early')
    this.#at = at
    return { bytes, starts, ends }
  }

  /** The version of the dictionary's form. */
  #prefix(): void {
    const version = this.#uint64()
    assert(version === 1, `dictionaries of form ${version} cannot be read`)
  }

  #coded(rows: number): CodedColumn {
    if (rows === 0) return { texts: this.#texts(0), codes: new Uint8Array(0) }
    const flags = this.#uint64()
    const texts = this.#texts(this.#uint64())
    const values = this.#uint64()
    assert(values === rows, 'a dictionary column of the engine has another number of rows')
    const indexType = flags & 0xff
    const type = (['UInt8', 'UInt16', 'UInt32'] as const)[indexType]
    assert(type !== undefined, `dictionary indexes of kind ${indexType} cannot be read`)
    const codes = this.#fixed(type, rows)
    return { texts, codes: indexType === 0 ? codes : indexType === 1 ? uint16Of(codes) : uint32Of(codes) }
  }

  #map(valueType: string, rows: number): MapColumn<TextColumn | Uint8Array> {
    this.#prefix()
    const ends = new Uint32Array(rows)
    for (let row = 0; row < rows; row++) ends[row] = this.#uint64()
    const count = rows === 0 ? 0 : ends[rows - 1]!
    const keys = this.#coded(count)
    return { ends, keys, values: valueType === 'String' ? this.#texts(count) : this.#fixed(valueType, count) }
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++]
      assert(byte !== undefined, 'a block of the engine ends too early')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  #uint64(): number {
    const value = this.#view.getUint32(this.#at, true) + this.#view.getUint32(this.#at + 4, true) * 2 ** 32
    this.#at += 8
    return value
  }

  #text(): string {
    const length = this.#varint()
    const start = this.#at
    this.#at += length
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString()
  }
}

export function uint16Of(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer)
}

export function uint32Of(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer)
}

export function int64Of(bytes: Uint8Array): BigInt64Array {
  return new BigInt64Array(bytes.slice().buffer)
}

export function float64Of(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.slice().buffer)
}
