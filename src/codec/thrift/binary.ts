/**
 * Thrift binary protocol (thrift doc/specs/thrift-binary-protocol.md), numbers big-endian:
 *   message = i32(0x8001 << 16 | type) text(name) i32(sequence)      strict
 *           | text(name) i8(type) i32(sequence)                      old: its first bit is 0
 *   field = i8(type) i16(id) value · stop = i8(0)
 *   text = i32(length) bytes · list, set = i8(element type) i32(size) elements
 *   map = i8(key type) i8(value type) i32(size) pairs · bool = i8
 */
import { utf8Text } from '../utf8.ts'
import { checkSize, enter, fail, need, thriftTypes, type ThriftMessage, type ThriftReader } from './reader.ts'

export class ThriftBinaryReader implements ThriftReader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
  depth = 0
  fieldId = 0
  elementType = 0
  size = 0
  low = 0
  high = 0
  textStart = 0
  textEnd = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  messageBegin(): ThriftMessage {
    const first = this.i32()
    if (first < 0) {
      if (first >>> 16 !== 0x8001) fail(this, `version 0x${(first >>> 16).toString(16)} is not 0x8001`)
      this.text()
      const name = utf8Text(this.bytes, this.textStart, this.textEnd)
      this.i32()
      return { name, type: first & 0xff }
    }
    this.at -= 4
    this.text()
    const name = utf8Text(this.bytes, this.textStart, this.textEnd)
    const type = this.#byte()
    this.i32()
    return { name, type }
  }

  structBegin(): void {
    enter(this)
  }

  fieldBegin(): number {
    const type = this.#byte()
    if (type === thriftTypes.stop) {
      this.depth--
      return type
    }
    need(this, 2)
    this.fieldId = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!
    this.at += 2
    return type
  }

  listBegin(): void {
    this.elementType = this.#byte()
    this.size = this.i32()
    checkSize(this, this.size)
  }

  mapBegin(): { keyType: number; valueType: number; size: number } {
    const keyType = this.#byte()
    const valueType = this.#byte()
    const size = this.i32()
    checkSize(this, size)
    return { keyType, valueType, size }
  }

  bool(): boolean {
    return this.#byte() !== 0
  }

  i32(): number {
    need(this, 4)
    const { bytes, at } = this
    this.at = at + 4
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  i16(): number {
    need(this, 2)
    const value = ((this.bytes[this.at]! << 24) >> 16) | this.bytes[this.at + 1]!
    this.at += 2
    return value
  }

  i64(): void {
    this.high = this.i32() >>> 0
    this.low = this.i32() >>> 0
  }

  double(): void {
    this.i64()
  }

  text(): void {
    const length = this.i32()
    if (length < 0) fail(this, `text of ${length} bytes`)
    need(this, length)
    this.textStart = this.at
    this.at += length
    this.textEnd = this.at
  }

  skipNumber(type: number): void {
    const width = widths[type]
    if (width === undefined) fail(this, `type ${type}`)
    need(this, width)
    this.at += width
  }

  #byte(): number {
    need(this, 1)
    return this.bytes[this.at++]!
  }
}

const widths: Readonly<Record<number, number>> = {
  [thriftTypes.byte]: 1,
  [thriftTypes.double]: 8,
  [thriftTypes.i16]: 2,
  [thriftTypes.i32]: 4,
  [thriftTypes.i64]: 8,
}
