/**
 * Thrift compact protocol (thrift doc/specs/thrift-compact-protocol.md):
 *   message = 0x82 i8(type << 5 | version 1) varint(sequence) text(name)
 *   field = i8(delta << 4 | type) value | i8(type) zigzag(id) value · stop = 0; the id is the last one's plus delta
 *   types: 1 true · 2 false · 3 byte · 4 i16 · 5 i32 · 6 i64 · 7 double · 8 binary · 9 list · 10 set · 11 map · 12 struct
 *   text = varint(length) bytes · i16, i32, i64 = zigzag varint · double = 8 bytes, little-endian
 *   list, set = i8(size << 4 | type) | i8(0xf0 | type) varint(size) · map = 0 | varint(size) i8(key << 4 | value type)
 * A bool's value is the type of its field; in a list it is a byte.
 */
import { utf8Text } from '../utf8.ts'
import { checkSize, depthMax, enter, fail, need, thriftTypes, type ThriftMessage, type ThriftReader } from './reader.ts'

const typesByCode = [
  thriftTypes.stop,
  thriftTypes.bool,
  thriftTypes.bool,
  thriftTypes.byte,
  thriftTypes.i16,
  thriftTypes.i32,
  thriftTypes.i64,
  thriftTypes.double,
  thriftTypes.string,
  thriftTypes.list,
  thriftTypes.set,
  thriftTypes.map,
  thriftTypes.struct,
] as const

const noBool = -1

export class ThriftCompactReader implements ThriftReader {
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
  /** Last field id of each open struct; ids in the headers are relative to it. */
  readonly #lastIds = new Int32Array(depthMax + 2)
  /** Value of a bool field, which is in its header. */
  #fieldBool = noBool

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  messageBegin(): ThriftMessage {
    if (this.#byte() !== 0x82) fail(this, 'protocol id is not 0x82')
    const second = this.#byte()
    if ((second & 0x1f) !== 1) fail(this, `version ${second & 0x1f} is not 1`)
    this.#varint()
    this.text()
    return { name: utf8Text(this.bytes, this.textStart, this.textEnd), type: second >>> 5 }
  }

  structBegin(): void {
    enter(this)
    this.#lastIds[this.depth] = 0
  }

  fieldBegin(): number {
    const header = this.#byte()
    if (header === 0) {
      this.depth--
      return thriftTypes.stop
    }
    const code = header & 0x0f
    const delta = header >>> 4
    this.fieldId = delta === 0 ? this.i32() : this.#lastIds[this.depth]! + delta
    this.#lastIds[this.depth] = this.fieldId
    this.#fieldBool = code === 1 ? 1 : code === 2 ? 0 : noBool
    return this.#typeOf(code)
  }

  listBegin(): void {
    const header = this.#byte()
    this.elementType = this.#typeOf(header & 0x0f)
    this.size = header >>> 4 === 15 ? this.#length() : header >>> 4
    checkSize(this, this.size)
    this.#fieldBool = noBool
  }

  mapBegin(): { keyType: number; valueType: number; size: number } {
    const size = this.#length()
    this.#fieldBool = noBool
    if (size === 0) return { keyType: thriftTypes.byte, valueType: thriftTypes.byte, size }
    checkSize(this, size)
    const types = this.#byte()
    return { keyType: this.#typeOf(types >>> 4), valueType: this.#typeOf(types & 0x0f), size }
  }

  bool(): boolean {
    if (this.#fieldBool === noBool) return this.#byte() === 1
    const value = this.#fieldBool === 1
    this.#fieldBool = noBool
    return value
  }

  i16(): number {
    return this.i32()
  }

  i32(): number {
    this.#varint()
    return (this.low >>> 1) ^ -(this.low & 1)
  }

  i64(): void {
    this.#varint()
    const sign = -(this.low & 1)
    const low = (this.low >>> 1) | (this.high << 31)
    this.low = (low ^ sign) >>> 0
    this.high = ((this.high >>> 1) ^ sign) >>> 0
  }

  double(): void {
    need(this, 8)
    const { bytes, at } = this
    this.low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
    this.high = (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0
    this.at = at + 8
  }

  text(): void {
    const length = this.#length()
    need(this, length)
    this.textStart = this.at
    this.at += length
    this.textEnd = this.at
  }

  skipNumber(type: number): void {
    if (type === thriftTypes.byte) this.#byte()
    else if (type === thriftTypes.double) this.double()
    else if (type === thriftTypes.i16 || type === thriftTypes.i32 || type === thriftTypes.i64) this.#varint()
    else fail(this, `type ${type}`)
  }

  #typeOf(code: number): number {
    const type = typesByCode[code]
    if (type === undefined || type === thriftTypes.stop) fail(this, `type code ${code}`)
    return type
  }

  #length(): number {
    this.#varint()
    if (this.high !== 0) fail(this, 'length over 4 GiB')
    return this.low
  }

  /** At most 64 bits, into `low` and `high`. */
  #varint(): void {
    let low = 0
    let high = 0
    for (let shift = 0; ; shift += 7) {
      if (shift > 63) fail(this, 'varint longer than ten bytes')
      const byte = this.#byte()
      const part = byte & 0x7f
      if (shift < 28) low |= part << shift
      else if (shift === 28) {
        low |= part << 28
        high = part >>> 4
      } else high |= part << (shift - 32)
      if (byte < 0x80) break
    }
    this.low = low >>> 0
    this.high = high >>> 0
  }

  #byte(): number {
    need(this, 1)
    return this.bytes[this.at++]!
  }
}
