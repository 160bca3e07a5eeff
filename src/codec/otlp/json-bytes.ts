/**
 * A growing buffer with the primitives of OTLP JSON: texts, hex ids, 64-bit integers. It copies bytes to bytes, because
 * making a string per value takes several times as long as the row itself (bench/export).
 */
import type { TextColumn } from '../../model/row-block.ts'

const hexDigits = Buffer.from('0123456789abcdef')
const quote = 0x22
const backslash = 0x5c
const zero = 0x30

/** How long an escaped byte can be: `\u001f`. */
const escapedBytesMax = 6
/** From this length on, a native copy is faster than a loop. */
const nativeCopyBytes = 48

/** Constant text as bytes, for `raw`. */
export function fragment(text: string): Uint8Array {
  return Buffer.from(text)
}

export class JsonBytes {
  bytes: Buffer
  length = 0

  constructor(size = 1 << 16) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  /** Returns a copy of what was written; the buffer starts again. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.length)
    this.bytes.copy(taken, 0, 0, this.length)
    this.length = 0
    return taken
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  byte(value: number): void {
    this.#reserve(1)
    this.bytes[this.length++] = value
  }

  raw(source: Uint8Array): void {
    this.rawSlice(source, 0, source.length)
  }

  /** Bytes that are already JSON. */
  rawSlice(source: Uint8Array, start: number, end: number): void {
    const count = end - start
    this.#reserve(count)
    const { bytes } = this
    let at = this.length
    if (count < nativeCopyBytes) for (let i = start; i < end; i++) bytes[at++] = source[i]!
    else bytes.set(source.subarray(start, end), at)
    this.length += count
  }

  ascii(text: string): void {
    this.#reserve(text.length)
    const { bytes } = this
    let at = this.length
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.length = at
  }

  /** Output of `JSON.stringify`, with any characters. */
  json(text: string): void {
    this.#reserve(text.length * 3)
    this.length += this.bytes.write(text, this.length, 'utf8')
  }

  /** UTF-8 as the inside of a JSON string, without its quotes. */
  text(source: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * escapedBytesMax)
    const { bytes } = this
    let at = this.length
    for (let i = start; i < end; i++) {
      const byte = source[i]!
      if (byte >= 0x20 && byte !== quote && byte !== backslash) bytes[at++] = byte
      else at = escape(bytes, at, byte)
    }
    this.length = at
  }

  textOf(column: TextColumn, row: number): void {
    this.text(column.bytes, column.starts[row]!, column.ends[row]!)
  }

  hex(source: Uint8Array, start: number, count: number): void {
    this.#reserve(count * 2)
    const { bytes } = this
    let at = this.length
    for (let i = start; i < start + count; i++) {
      const byte = source[i]!
      bytes[at++] = hexDigits[byte >> 4]!
      bytes[at++] = hexDigits[byte & 15]!
    }
    this.length = at
  }

  /** A whole number from 0 up to 2^53. */
  whole(value: number): void {
    if (value > 0xffff_ffff) return this.ascii(String(value))
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    this.#reserve(digits)
    this.#digits(value, digits)
  }

  /** An unsigned integer of 64 bits, in two words. */
  uint64(high: number, low: number): void {
    // Long division by 10^9 in digits of 16 bits: each remainder times 2^16 is exact in a double.
    const top = high >>> 0
    let quotient = Math.floor(top / 1e9)
    let rest = (top % 1e9) * 65536 + (low >>> 16)
    const second = Math.floor(rest / 1e9)
    rest = (rest % 1e9) * 65536 + (low & 0xffff)
    const third = Math.floor(rest / 1e9)
    rest %= 1e9
    quotient = (quotient * 65536 + second) * 65536 + third
    if (quotient === 0) return this.whole(rest)
    this.whole(quotient)
    this.#reserve(9)
    this.#digits(rest, 9)
  }

  #digits(value: number, count: number): void {
    const { bytes } = this
    let left = value
    for (let at = this.length + count - 1; at >= this.length; at--) {
      const next = Math.floor(left / 10)
      bytes[at] = zero + (left - next * 10)
      left = next
    }
    this.length += count
  }
}

/** The letter after the backslash for these bytes. */
const shortEscapes: ReadonlyMap<number, number> = new Map([
  [quote, quote],
  [backslash, backslash],
  [0x08, 0x62], // b
  [0x09, 0x74], // t
  [0x0a, 0x6e], // n
  [0x0c, 0x66], // f
  [0x0d, 0x72], // r
])

/** RFC 8259 §7. Returns where to continue. */
function escape(bytes: Uint8Array, start: number, byte: number): number {
  let at = start
  bytes[at++] = backslash
  const short = shortEscapes.get(byte)
  if (short !== undefined) {
    bytes[at++] = short
    return at
  }
  bytes[at++] = 0x75 // u
  bytes[at++] = zero
  bytes[at++] = zero
  bytes[at++] = hexDigits[byte >> 4]!
  bytes[at++] = hexDigits[byte & 15]!
  return at
}
