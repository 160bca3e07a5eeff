/**
 * JSON (RFC 8259) token by token from bytes, without objects and strings: for formats whose texts can stay in place and
 * whose numbers keep all their digits.
 *   value  = object | array | string | number | true | false | null, with white space around each token
 *   string = '"' { character | escape } '"'        escape = \ and one of "\/bfnrt, or u and four hex digits
 *   number = -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
 * The bytes must be valid UTF-8, which the caller has checked. Invalid JSON throws `InputError` with the byte's
 * position. Other readers build on it: values of records (value-reader.ts), messages of OTLP (../otlp/json-reader.ts).
 */
import { InputError } from '../../base/errors.ts'

/** Skipped values may nest this deep. */
export const jsonNestingMax = 512

export const quote = 0x22
export const openObject = 0x7b
export const closeObject = 0x7d
export const openArray = 0x5b
export const closeArray = 0x5d
export const comma = 0x2c
export const colon = 0x3a
export const letterF = 0x66
export const letterN = 0x6e
export const letterT = 0x74

const backslash = 0x5c
const minus = 0x2d

const noBytes = Buffer.alloc(0)

export class JsonScanner {
  bytes: Buffer = noBytes
  at = 0
  /** After the last byte. */
  end = 0
  /** The range of the last string, without its quotes, or of the last number or literal. */
  textStart = 0
  textEnd = 0
  /** Whether the last string contains escapes, so that its bytes differ from its value. */
  hasEscapes = false

  /** Reads `bytes[start, end)` from now on, and skips a byte order mark (RFC 8259 §8.1 allows that). */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const hasMark = end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
    this.at = hasMark ? start + 3 : start
    this.end = end
  }

  /** Skips white space and returns the byte after it without reading it; -1 at the end. */
  peek(): number {
    const { bytes, end } = this
    let at = this.at
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        this.at = at
        return byte
      }
    }
    this.at = at
    return -1
  }

  /** Reads `byte` if it comes next; false otherwise. */
  take(byte: number): boolean {
    if (this.peek() !== byte) return false
    this.at++
    return true
  }

  /** Reads `byte`, which must come next. */
  expect(byte: number): void {
    if (this.peek() !== byte) this.malformed(`"${String.fromCharCode(byte)}"`)
    this.at++
  }

  /** After an element: true when another follows; false after reading the closing byte. */
  more(close: number): boolean {
    const byte = this.peek()
    if (byte !== comma && byte !== close) this.malformed(`"," or "${String.fromCharCode(close)}"`)
    this.at++
    return byte === comma
  }

  /** Reads a member's name and the colon after it. */
  name(): void {
    this.string()
    this.expect(colon)
  }

  /** Reads a string. */
  string(): void {
    if (this.peek() !== quote) this.malformed('a string')
    const { bytes, end } = this
    let at = this.at + 1
    this.textStart = at
    this.hasEscapes = false
    for (;;) {
      if (at >= end) this.malformed('the end of a string', end)
      const byte = bytes[at]!
      if (byte === quote) break
      if (byte === backslash) at = this.#escape(at)
      else if (byte >= 0x20) at++
      else this.malformed('an escaped control character', at)
    }
    this.textEnd = at
    this.at = at + 1
  }

  /** The value of the last string. */
  text(): string {
    if (!this.hasEscapes) return this.bytes.toString('utf8', this.textStart, this.textEnd)
    return (JSON.parse(this.bytes.toString('utf8', this.textStart - 1, this.textEnd + 1)) as string).toWellFormed()
  }

  /** Reads a number; false when it has a fraction or an exponent, so that it is a double even if it is whole. */
  number(): boolean {
    let at = this.at
    this.textStart = at
    this.hasEscapes = false
    if (this.#byteAt(at) === minus) at++
    if (at === this.at && !isDigit(this.#byteAt(at))) this.malformed('a value')
    at = this.#byteAt(at) === 0x30 ? at + 1 : this.#digits(at)
    const integerEnd = at
    if (this.#byteAt(at) === 0x2e) at = this.#digits(at + 1)
    if ((this.#byteAt(at) | 0x20) === 0x65) {
      at++
      if (this.#byteAt(at) === 0x2b || this.#byteAt(at) === minus) at++
      at = this.#digits(at)
    }
    this.textEnd = this.at = at
    return at === integerEnd
  }

  /** The number just read. */
  numberValue(): number {
    const { bytes, textStart, textEnd } = this
    const isNegative = bytes[textStart] === minus
    const start = isNegative ? textStart + 1 : textStart
    let value = 0
    for (let at = start; at < textEnd; at++) {
      const digit = bytes[at]! - 0x30
      // Up to 15 digits the sum is exact.
      if (digit < 0 || digit > 9 || at - start >= 15) return Number(this.numberText())
      value = value * 10 + digit
    }
    return isNegative ? -value : value
  }

  /** The number just read, as it was written. */
  numberText(): string {
    return this.bytes.toString('latin1', this.textStart, this.textEnd)
  }

  /** Reads true, false or null: 1, 0 or -1. */
  literal(): number {
    const byte = this.peek()
    const word = byte === letterT ? 'true' : byte === letterF ? 'false' : 'null'
    const end = this.at + word.length
    for (let i = 0; i < word.length; i++)
      if (this.#byteAt(this.at + i) !== word.charCodeAt(i)) this.malformed('a value')
    this.textStart = this.at
    this.textEnd = this.at = end
    this.hasEscapes = false
    return byte === letterT ? 1 : byte === letterF ? 0 : -1
  }

  /** Skips one value of any kind, checking that it is valid JSON. */
  skip(depth = 0): void {
    const byte = this.peek()
    if (byte === quote) this.string()
    else if (byte === openObject || byte === openArray) {
      if (depth >= jsonNestingMax) this.refuseNesting()
      this.at++
      const close = byte + 2
      if (this.take(close)) return
      do {
        if (byte === openObject) this.name()
        this.skip(depth + 1)
      } while (this.more(close))
    } else if (byte === letterT || byte === letterF || byte === letterN) this.literal()
    else this.number()
  }

  /** Throws unless nothing but white space is left. */
  finish(): void {
    if (this.peek() !== -1) this.malformed('the end')
  }

  malformed(expected: string, at = this.at): never {
    this.at = at
    const left = this.bytes.toString('utf8', at, Math.min(this.end, at + 12)).slice(0, 8)
    const found = left === '' ? 'the text ends' : `found ${JSON.stringify(left)}`
    this.fail(`${found} where ${expected} should be, at byte ${at}`)
  }

  refuseNesting(): never {
    this.fail(`it nests deeper than ${jsonNestingMax} levels at byte ${this.at}`)
  }

  fail(what: string): never {
    throw new InputError('bad_request', `cannot decode JSON: ${what}`, { at: `byte ${this.at}` })
  }

  #byteAt(at: number): number {
    return at < this.end ? this.bytes[at]! : -1
  }

  /** Returns where the escape that begins at `at` ends. */
  #escape(at: number): number {
    this.hasEscapes = true
    const code = this.#byteAt(at + 1)
    if (code === 0x75) {
      for (let i = at + 2; i < at + 6; i++) if (!isHexDigit(this.#byteAt(i))) this.malformed('a valid escape', at)
      return at + 6
    }
    if (!simpleEscapes.includes(code)) this.malformed('a valid escape', at)
    return at + 2
  }

  #digits(start: number): number {
    let at = start
    while (isDigit(this.#byteAt(at))) at++
    if (at === start) this.malformed('a digit', at)
    return at
  }
}

const simpleEscapes: readonly number[] = [...Buffer.from('"\\/bfnrt', 'latin1')]

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}
