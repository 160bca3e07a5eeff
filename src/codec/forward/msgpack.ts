/**
 * MessagePack, the reading half (github.com/msgpack/msgpack, spec.md), over bytes in place:
 *   nil c0 · false c2 · true c3
 *   int  00-7f · e0-ff · u8 cc · u16 cd · u32 ce · u64 cf · i8 d0 · i16 d1 · i32 d2 · i64 d3
 *   float32 ca · float64 cb
 *   str  a0-bf · d9 len8 · da len16 · db len32        bin  c4 len8 · c5 len16 · c6 len32
 *   array 90-9f · dc n16 · dd n32                     map  80-8f · de n16 · df n32     (n elements; n pairs)
 *   ext  d4-d8 type data(1,2,4,8,16) · c7 len8 type data · c8 len16 · c9 len32
 *   c1 is never used. All numbers are big-endian.
 * A length or count beyond the end is refused as soon as it is read, before anything of it is kept.
 */
import { InputError } from '../../base/errors.ts'
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import { utf8Text } from '../utf8.ts'

export const kinds = { nil: 0, bool: 1, int: 2, double: 3, str: 4, bin: 5, array: 6, map: 7, ext: 8 } as const
export type Kind = (typeof kinds)[keyof typeof kinds]

/** Arrays and maps may nest this deep. */
export const nestingMax = 32

/** The maximum number of values of one body that become objects; two bytes on the wire can be a hundred in memory. */
export const objectsMax = 1_000_000

export interface ObjectBudget {
  left: number
}

const scratch = new DataView(new ArrayBuffer(8))

export class MsgpackReader {
  bytes: Uint8Array
  at: number
  end: number
  /** Of the header last read: bytes of a str, bin or ext, which begin at `at`; elements of an array; pairs of a map. */
  size = 0
  /** Low and high words of an int (two's complement) or a double (IEEE 754); 0 or 1 of a bool. */
  low = 0
  high = 0
  /** True for an unsigned integer from 2^63 up, which an int cannot hold. */
  isBeyondInt64 = false
  extType = 0
  readonly budget: ObjectBudget

  /** Reads `[range.start, range.end)`; readers of one body share a budget. */
  constructor(bytes: Uint8Array, range = { start: 0, end: bytes.length }, budget: ObjectBudget = { left: objectsMax }) {
    this.bytes = bytes
    this.at = range.start
    this.end = range.end
    this.budget = budget
  }

  /** Reads one value's header; for scalars that is the whole value. A str, bin or ext leaves `at` at its first byte. */
  header(): Kind {
    if (this.at >= this.end) this.fail('the data ends where a value should begin')
    const byte = this.bytes[this.at++]!
    if (byte < 0x80) return this.#int(byte, 0)
    if (byte < 0x90) return this.#elements(kinds.map, byte & 0x0f)
    if (byte < 0xa0) return this.#elements(kinds.array, byte & 0x0f)
    if (byte < 0xc0) return this.#sized(kinds.str, byte & 0x1f)
    if (byte >= 0xe0) return this.#int(byte | 0xffffff00, -1)
    return this.#wideHeader(byte)
  }

  #wideHeader(byte: number): Kind {
    switch (byte) {
      case 0xc0:
        return kinds.nil
      case 0xc2:
      case 0xc3:
        this.low = byte - 0xc2
        return kinds.bool
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#sized(kinds.bin, this.#unsigned(1 << (byte - 0xc4)))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#ext(this.#unsigned(1 << (byte - 0xc7)))
      case 0xca:
        return this.#float32()
      case 0xcb:
        return this.#double()
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#int(this.#unsigned(1 << (byte - 0xcc)), 0)
      case 0xcf:
        return this.#int64(true)
      case 0xd0:
        return this.#signed((this.#unsigned(1) << 24) >> 24)
      case 0xd1:
        return this.#signed((this.#unsigned(2) << 16) >> 16)
      case 0xd2:
        return this.#signed(this.#unsigned(4) | 0)
      case 0xd3:
        return this.#int64(false)
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#ext(1 << (byte - 0xd4))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#sized(kinds.str, this.#unsigned(1 << (byte - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#elements(kinds.array, this.#unsigned(2 << (byte - 0xdc)))
      case 0xde:
      case 0xdf:
        return this.#elements(kinds.map, this.#unsigned(2 << (byte - 0xde)))
      default:
        return this.fail(`byte 0x${byte.toString(16)} begins no value`)
    }
  }

  /** Skips one whole value without recursion, by counting the values that are left. */
  skip(): void {
    let left = 1
    while (left > 0) {
      left--
      const kind = this.header()
      if (kind === kinds.array) left += this.size
      else if (kind === kinds.map) left += this.size * 2
      else if (kind >= kinds.str) this.at += this.size
    }
  }

  /** One value as an object, for rare values such as nested maps. Invalid UTF-8 becomes replacement characters. */
  value(depth = 0): AttributeValue {
    return this.valueOf(this.header(), depth)
  }

  valueOf(kind: Kind, depth = 0): AttributeValue {
    if (depth > nestingMax) this.fail(`a value nests deeper than ${nestingMax} levels`)
    if (--this.budget.left < 0) {
      throw new InputError(
        'too_large',
        `cannot take a request of more than ${objectsMax} nested values; send smaller batches`,
      )
    }
    switch (kind) {
      case kinds.nil:
        return { type: 'empty' }
      case kinds.bool:
        return { type: 'bool', value: this.low !== 0 }
      case kinds.int:
        return this.isBeyondInt64
          ? { type: 'string', value: String(BigInt.asUintN(64, this.int64())) }
          : { type: 'int', value: this.int64() }
      case kinds.double:
        return { type: 'double', value: this.double() }
      case kinds.str:
        return { type: 'string', value: this.text() }
      case kinds.bin:
      case kinds.ext:
        return { type: 'bytes', value: this.take() }
      case kinds.array:
        return { type: 'array', value: this.#array(depth) }
      case kinds.map:
        return { type: 'map', value: this.#map(depth) }
    }
  }

  #array(depth: number): AttributeValue[] {
    const values: AttributeValue[] = []
    for (let left = this.size; left > 0; left--) values.push(this.value(depth + 1))
    return values
  }

  #map(depth: number): Attribute[] {
    const entries: Attribute[] = []
    for (let left = this.size; left > 0; left--) {
      const key = this.keyText(depth)
      entries.push({ key, value: this.value(depth + 1) })
    }
    return entries
  }

  /** A map's key as text: keys may have any type, but almost all are text. */
  keyText(depth = 0): string {
    const kind = this.header()
    if (kind === kinds.str || kind === kinds.bin) return this.text()
    const value = this.valueOf(kind, depth + 1)
    return value.type === 'int' || value.type === 'double' || value.type === 'bool' ? String(value.value) : value.type
  }

  int64(): bigint {
    return BigInt.asIntN(64, (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0))
  }

  double(): number {
    scratch.setUint32(0, this.low, true)
    scratch.setUint32(4, this.high, true)
    return scratch.getFloat64(0, true)
  }

  /** The text of the str or bin whose header was read last. */
  text(): string {
    const start = this.at
    this.at += this.size
    return utf8Text(this.bytes, start, this.at)
  }

  /** A copy of the bytes of the str, bin or ext whose header was read last. */
  take(): Uint8Array {
    const start = this.at
    this.at += this.size
    return this.bytes.slice(start, this.at)
  }

  #int(low: number, high: number): Kind {
    this.low = low >>> 0
    this.high = high >>> 0
    this.isBeyondInt64 = false
    return kinds.int
  }

  #signed(value: number): Kind {
    return this.#int(value, value < 0 ? -1 : 0)
  }

  #int64(isUnsigned: boolean): Kind {
    const high = this.#unsigned(4)
    const low = this.#unsigned(4)
    this.#int(low, high)
    this.isBeyondInt64 = isUnsigned && high >= 0x80000000
    return kinds.int
  }

  #float32(): Kind {
    scratch.setUint32(0, this.#unsigned(4))
    scratch.setFloat64(0, scratch.getFloat32(0), true)
    this.low = scratch.getUint32(0, true)
    this.high = scratch.getUint32(4, true)
    return kinds.double
  }

  #double(): Kind {
    this.high = this.#unsigned(4)
    this.low = this.#unsigned(4)
    return kinds.double
  }

  #ext(size: number): Kind {
    this.extType = (this.#unsigned(1) << 24) >> 24
    return this.#sized(kinds.ext, size)
  }

  #sized(kind: Kind, size: number): Kind {
    if (size > this.end - this.at) this.fail(`a length of ${size} runs past the end`)
    this.size = size
    return kind
  }

  #elements(kind: Kind, size: number): Kind {
    // Each element takes at least a byte, each pair at least two.
    if (size * (kind === kinds.map ? 2 : 1) > this.end - this.at) this.fail(`a count of ${size} runs past the end`)
    this.size = size
    return kind
  }

  #unsigned(width: number): number {
    const { bytes, at } = this
    if (at + width > this.end) this.fail('the data ends inside a number')
    this.at = at + width
    if (width === 1) return bytes[at]!
    if (width === 2) return (bytes[at]! << 8) | bytes[at + 1]!
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }

  fail(what: string): never {
    throw new InputError('bad_request', `cannot decode msgpack: ${what} at byte ${this.at}`, { at: `byte ${this.at}` })
  }
}
