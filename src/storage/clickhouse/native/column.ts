/**
 * Columns of a Native block (varint lengths, little-endian numbers; grammar above `writeBlock`). A column collects values row by row and writes, in the format's order, its prefix and its body.
 * Columns are reset and reused: their buffers grow to the size of a block once.
 */
import { Turn } from '../../../base/turn.ts'
import { wider } from '../../../base/wider.ts'
import { ByteWriter } from './byte-writer.ts'
import { KeyDictionary } from './key-dictionary.ts'

export interface Column {
  /** The engine's type, as it stands in the block and in the structure of `file()`. */
  readonly type: string
  readonly rows: number
  reset(): void
  /** Drops every row whose byte in `kept` is 0. */
  retain(kept: Uint8Array): void
  writePrefix(out: ByteWriter): void
  writeBody(out: ByteWriter): void
}

/** Numbers and FixedString: values of `width` bytes one after another. */
export class FixedColumn implements Column {
  readonly type: string
  readonly width: number
  readonly values = new ByteWriter()

  constructor(type: string, width: number) {
    this.type = type
    this.width = width
  }

  get rows(): number {
    return this.values.length / this.width
  }

  reset(): void {
    this.values.length = 0
  }

  /** All rows of a batch at once: any typed array of `width`-byte little-endian values. */
  addAll(source: ArrayBufferView): void {
    this.values.raw(new Uint8Array(source.buffer, source.byteOffset, source.byteLength), 0, source.byteLength)
  }

  addByte(value: number): void {
    this.values.reserve(1)
    this.values.bytes[this.values.length++] = value
  }

  addUint32(value: number): void {
    this.values.reserve(4)
    const { bytes } = this.values
    const at = this.values.length
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.values.length = at + 4
  }

  /** A 64-bit value in two words. */
  addWords(low: number, high: number): void {
    this.addUint32(low)
    this.addUint32(high)
  }

  retain(kept: Uint8Array): void {
    const { bytes } = this.values
    const { rows, width } = this
    let end = 0
    for (let row = 0; row < rows; row++) {
      if (kept[row] === 0) continue
      bytes.copyWithin(end, row * width, (row + 1) * width)
      end += width
    }
    this.values.length = end
  }

  writePrefix(): void {}

  writeBody(out: ByteWriter): void {
    out.raw(this.values.bytes, 0, this.values.length)
  }
}

/** String: `str` a row. */
export class StringColumn implements Column {
  readonly type = 'String'
  readonly values = new ByteWriter()
  rows = 0

  reset(): void {
    this.values.length = 0
    this.rows = 0
  }

  add(bytes: Uint8Array, start: number, length: number): void {
    this.values.slice(bytes, start, length)
    this.rows++
  }

  addText(text: string): void {
    this.values.text(text)
    this.rows++
  }

  /** Empty strings up to the row, so that sparse columns are filled as their values come. */
  fillTo(row: number): void {
    if (this.rows >= row) return
    this.values.zeros(row - this.rows)
    this.rows = row
  }

  retain(kept: Uint8Array): void {
    const { bytes } = this.values
    const { rows } = this
    let [at, end, left] = [0, 0, 0]
    for (let row = 0; row < rows; row++) {
      const next = afterText(bytes, at)
      if (kept[row] !== 0) {
        bytes.copyWithin(end, at, next)
        end += next - at
        left++
      }
      at = next
    }
    this.values.length = end
    this.rows = left
  }

  writePrefix(): void {}

  writeBody(out: ByteWriter): void {
    out.raw(this.values.bytes, 0, this.values.length)
  }
}

/** End of the `str` that begins at `at`. */
function afterText(bytes: Uint8Array, at: number): number {
  let [length, shift, next] = [0, 0, at]
  for (; bytes[next]! >= 0x80; shift += 7) length |= (bytes[next++]! & 0x7f) << shift
  length |= bytes[next++]! << shift
  return next + length
}

/** LowCardinality(String): a dictionary and an index a row. */
export class LowCardinalityColumn implements Column {
  readonly type = 'LowCardinality(String)'
  readonly keys = new KeyDictionary()
  indexes = new Uint32Array(1024)
  rows = 0

  reset(): void {
    this.keys.reset()
    this.rows = 0
  }

  /** Adds a row with a key that `keys` has numbered. */
  add(key: number): void {
    if (this.rows === this.indexes.length) this.#grow(this.rows + 1)
    this.indexes[this.rows++] = key
  }

  fillTo(row: number): void {
    if (this.rows >= row) return
    if (row > this.indexes.length) this.#grow(row)
    this.indexes.fill(0, this.rows, row)
    this.rows = row
  }

  /** The dictionary keeps keys that no row has any more: the engine takes them. */
  retain(kept: Uint8Array): void {
    let left = 0
    for (let row = 0; row < this.rows; row++) if (kept[row] !== 0) this.indexes[left++] = this.indexes[row]!
    this.rows = left
  }

  #grow(needed: number): void {
    this.indexes = wider(this.indexes, Math.max(needed, this.indexes.length * 2))
  }

  writePrefix(out: ByteWriter): void {
    out.uint64(1)
  }

  writeBody(out: ByteWriter): void {
    if (this.rows === 0) return
    const width = this.keys.count <= 0x100 ? 0 : this.keys.count <= 0x10000 ? 1 : 2
    out.uint64(width | (1 << 9) | (1 << 10))
    out.uint64(this.keys.count)
    this.keys.writeTo(out)
    out.uint64(this.rows)
    const bytes = this.rows << width
    out.reserve(bytes)
    const buffer = out.bytes
    let at = out.length
    for (let i = 0; i < this.rows; i++) {
      const index = this.indexes[i]!
      buffer[at++] = index
      if (width === 0) continue
      buffer[at++] = index >>> 8
      if (width === 1) continue
      buffer[at++] = index >>> 16
      buffer[at++] = index >>> 24
    }
    out.length = at
  }
}

/** Array and Map bodies: a cumulative end for each row, then the parts' bodies over all elements. */
export class NestedColumn implements Column {
  readonly type: string
  readonly parts: readonly Column[]
  readonly #ends = new FixedColumn('UInt64', 8)

  constructor(type: string, parts: readonly Column[]) {
    this.type = type
    this.parts = parts
  }

  get rows(): number {
    return this.#ends.rows
  }

  reset(): void {
    this.#ends.reset()
    for (const part of this.parts) part.reset()
  }

  /** Ends the row: all elements added to the parts since the last row are its own. */
  endRow(): void {
    this.#ends.addWords(this.parts[0]!.rows, 0)
  }

  /** Ends rows without elements up to `row`. */
  fillTo(row: number): void {
    while (this.#ends.rows < row) this.endRow()
  }

  retain(kept: Uint8Array): void {
    const ends = this.#ends.values.bytes
    const { rows } = this
    const keptElements = new Uint8Array(this.parts[0]!.rows)
    let [start, elements] = [0, 0]
    for (let row = 0; row < rows; row++) {
      const end = ends.readUInt32LE(row * 8)
      if (kept[row] !== 0) {
        keptElements.fill(1, start, end)
        elements += end - start
      }
      start = end
      ends.writeUInt32LE(elements, row * 8)
    }
    this.#ends.retain(kept)
    for (const part of this.parts) part.retain(keptElements)
  }

  writePrefix(out: ByteWriter): void {
    for (const part of this.parts) part.writePrefix(out)
  }

  writeBody(out: ByteWriter): void {
    this.#ends.writeBody(out)
    for (const part of this.parts) part.writeBody(out)
  }
}

/** One block of named columns, in turns of the event loop; every column must have `rows` rows. */
export async function writeBlock(
  columns: readonly (readonly [string, Column])[],
  rows: number,
  out: ByteWriter,
): Promise<void> {
  const turn = new Turn()
  out.varint(columns.length)
  out.varint(rows)
  for (const [name, column] of columns) {
    if (turn.isOver) await turn.next()
    if (column.rows !== rows) throw new Error(`assertion failed: column ${name} has ${column.rows} rows, not ${rows}`)
    out.text(name)
    out.text(column.type)
    column.writePrefix(out)
    column.writeBody(out)
  }
}

/** `name type, …` for the engine's `file(path, Native, 'structure')`. */
export function structureOf(columns: readonly (readonly [string, Column])[]): string {
  return columns.map(([name, column]) => `${name} ${column.type}`).join(', ')
}
