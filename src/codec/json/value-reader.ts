/**
 * Values of JSON as attributes, for records of logs: integers keep all 64 bits, `1.0` stays a double, and skipped
 * values need no memory.
 */
import { InputError } from '../../base/errors.ts'
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import {
  closeArray,
  closeObject,
  colon,
  comma,
  JsonScanner,
  letterF,
  letterN,
  letterT,
  openArray,
  openObject,
  quote,
} from './json-scanner.ts'

/** Arrays and maps may nest this deep. */
export const nestingMax = 32
/** The maximum number of values of one body that become objects. */
export const objectsMax = 1_000_000

export interface ObjectBudget {
  left: number
}

const backslash = 0x5c
const int64Min = -(1n << 63n)
const int64Max = (1n << 63n) - 1n
/** A number with more digits is kept as text without further checks. */
const digitsMax = 400

export class JsonValueReader extends JsonScanner {
  readonly budget: ObjectBudget

  constructor(bytes: Uint8Array, range = { start: 0, end: bytes.length }, budget: ObjectBudget = { left: objectsMax }) {
    super()
    this.reset(bytes, range.start, range.end)
    this.budget = budget
  }

  /** Reads a string and returns its value. */
  stringText(): string {
    this.string()
    return this.text()
  }

  /** One value as an object. */
  value(depth = 0): AttributeValue {
    if (depth > nestingMax) this.fail(`a value nests deeper than ${nestingMax} levels at byte ${this.at}`)
    if (--this.budget.left < 0) {
      throw new InputError(
        'too_large',
        `cannot take a request of more than ${objectsMax} nested values; send smaller batches`,
      )
    }
    switch (this.peek()) {
      case quote:
        return { type: 'string', value: this.stringText() }
      case openObject:
        return { type: 'map', value: this.#map(depth) }
      case openArray:
        return { type: 'array', value: this.#array(depth) }
      case letterT:
      case letterF:
        return { type: 'bool', value: this.literal() === 1 }
      case letterN:
        this.literal()
        return { type: 'empty' }
      default:
        return this.#number()
    }
  }

  #map(depth: number): Attribute[] {
    const entries: Attribute[] = []
    this.members(() => {
      this.name()
      entries.push({ key: this.text(), value: this.value(depth + 1) })
    })
    return entries
  }

  #array(depth: number): AttributeValue[] {
    const values: AttributeValue[] = []
    this.elements(() => values.push(this.value(depth + 1)))
    return values
  }

  /** Calls `member` at each key of the object that begins here; it reads key, colon and value. */
  members(member: () => void): void {
    this.#list(openObject, closeObject, member)
  }

  elements(element: () => void): void {
    this.#list(openArray, closeArray, element)
  }

  #list(open: number, close: number, item: () => void): void {
    this.expect(open)
    if (this.take(close)) return
    do item()
    while (this.more(close))
  }

  #number(): AttributeValue {
    const isInteger = this.number()
    if (!isInteger) return { type: 'double', value: this.numberValue() }
    const digits = this.textEnd - this.textStart
    if (digits < 16) return { type: 'int', value: BigInt(this.numberValue()) }
    const text = this.numberText()
    if (digits > digitsMax) return { type: 'string', value: text }
    const value = BigInt(text)
    // An integer that 64 bits cannot hold keeps its digits as text.
    return value >= int64Min && value <= int64Max ? { type: 'int', value } : { type: 'string', value: text }
  }

  /**
   * Skips a value that may be invalid, to continue after it. Its content is checked only as far as needed to find its
   * end, however deep it nests.
   */
  skipLoosely(): void {
    let depth = 0
    do {
      const byte = this.peek()
      if (byte === -1) this.malformed('the end of a value')
      if (byte === quote) this.#skipString()
      else if (byte === openObject || byte === openArray) {
        depth++
        this.at++
      } else if (byte === closeObject || byte === closeArray) {
        depth--
        this.at++
      } else if (byte === comma || byte === colon) this.at++
      else {
        // A control character is neither a token nor space: without this check the loop would never end.
        if (isDelimiter(byte)) this.malformed('no control character')
        while (this.at < this.end && !isDelimiter(this.bytes[this.at]!)) this.at++
      }
    } while (depth > 0)
  }

  #skipString(): void {
    const { bytes, end } = this
    let at = this.at + 1
    while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
    if (at >= end) this.malformed('the end of a string', end)
    this.at = at + 1
  }
}

function isDelimiter(byte: number): boolean {
  return (
    byte <= 0x20 ||
    byte === comma ||
    byte === colon ||
    byte === closeArray ||
    byte === closeObject ||
    byte === openArray ||
    byte === openObject ||
    byte === quote
  )
}
