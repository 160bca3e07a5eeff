/**
 * Protocol Buffers wire format, the reading half (protobuf.dev, "Encoding"):
 *   message = { tag value }          tag = varint(field number << 3 | wire type)
 *   wire type 0 varint · 1 eight bytes · 2 varint length + bytes · 5 four bytes · 3, 4 groups (refused)
 * Every read is checked against the end of the enclosing message.
 */
import { InputError } from '../../base/errors.ts'

const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/**
 * The maximum number of values, events and links of one request that become objects. Two bytes on the wire can become a
 * hundred in memory, so a 64 MiB body needs this bound too; half a million objects are about 100 MB.
 */
export const objectsMax = 1 << 19

export function tooManyObjects(): InputError {
  return new InputError(
    'too_large',
    `cannot take a request of more than ${objectsMax} nested values, events and links; send smaller batches`,
  )
}

export class WireReader {
  /** Grows at its end when texts are repaired; its earlier content does not move. */
  bytes: Uint8Array
  at = 0
  /** Low and high words of the last varint or fixed64. */
  low = 0
  high = 0
  #objectsLeft = objectsMax

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Reads a tag: field number << 3 | wire type. */
  tag(end: number): number {
    const first = this.bytes[this.at]!
    if (first < 0x80) {
      this.at++
      if (first < 8) this.fail('field number 0')
      return first
    }
    const tag = this.varint32(end)
    if (tag >>> 3 === 0) this.fail('field number 0')
    return tag
  }

  /** The low 32 bits of a varint; the high bits are in `high`. */
  varint32(end: number): number {
    const bytes = this.bytes
    let at = this.at
    if (at >= end) this.fail('message ends inside a varint')
    let byte = bytes[at++]!
    let low = byte & 0x7f
    if (byte >= 0x80) {
      this.high = 0
      let shift = 7
      for (;;) {
        if (at >= end) this.fail('message ends inside a varint')
        byte = bytes[at++]!
        const part = byte & 0x7f
        if (shift < 28) low |= part << shift
        else if (shift === 28) {
          low |= part << 28
          this.high = part >>> 4
        } else this.high |= part << (shift - 32)
        if (byte < 0x80) break
        shift += 7
        if (shift > 63) this.fail('varint longer than ten bytes')
      }
    } else this.high = 0
    this.at = at
    this.low = low >>> 0
    this.high >>>= 0
    return this.low
  }

  fixed64(end: number): void {
    const at = this.at
    if (at + 8 > end) this.fail('message ends inside an eight-byte number')
    const bytes = this.bytes
    this.low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
    this.high = (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0
    this.at = at + 8
  }

  fixed32(end: number): number {
    const at = this.at
    if (at + 4 > end) this.fail('message ends inside a four-byte number')
    const bytes = this.bytes
    this.at = at + 4
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  }

  /** Reads a length and returns where the bytes end; they begin at `at`. */
  lengthEnd(end: number): number {
    const byte = this.bytes[this.at]!
    let length: number
    if (byte < 0x80 && this.at < end) {
      this.at++
      length = byte
    } else {
      length = this.varint32(end)
      if (this.high !== 0) this.fail('length over 4 GiB')
    }
    const stop = this.at + length
    if (stop > end) this.fail(`length ${length} runs past the end of the message`)
    return stop
  }

  skip(wireType: number, end: number): void {
    switch (wireType) {
      case wireTypes.varint:
        this.varint32(end)
        return
      case wireTypes.fixed64:
        if (this.at + 8 > end) this.fail('message ends inside an eight-byte number')
        this.at += 8
        return
      case wireTypes.bytes:
        this.at = this.lengthEnd(end)
        return
      case wireTypes.fixed32:
        if (this.at + 4 > end) this.fail('message ends inside a four-byte number')
        this.at += 4
        return
      default:
        this.fail(`wire type ${wireType}`)
    }
  }

  /** Call this before each object that is made from the body. */
  countObject(): void {
    if (--this.#objectsLeft < 0) throw tooManyObjects()
  }

  fail(what: string): never {
    throw new InputError('bad_request', `cannot decode protobuf: ${what} at byte ${this.at}`, { at: `byte ${this.at}` })
  }
}
