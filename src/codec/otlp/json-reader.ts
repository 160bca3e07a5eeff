/**
 * Reads a message of OTLP JSON in one pass without building it: a decoder asks for what it expects next. Unknown
 * members are skipped without using memory, and every problem has a byte position.
 *
 * There are two kinds of problem. Invalid JSON throws. JSON of the wrong shape becomes a `fault`: the value is skipped,
 * and the decoder continues, so that it leaves out only the row with the fault.
 */
import { byteOrderMarkLength } from '../utf8.ts'
import {
  closeArray,
  closeObject,
  comma,
  jsonNestingMax,
  JsonScanner,
  letterF,
  letterN,
  letterT,
  openArray,
  openObject,
  quote,
} from '../json/json-scanner.ts'
import { objectsMax, tooManyObjects } from './wire.ts'

const kinds: Record<number, string> = {
  [quote]: 'a string',
  [openObject]: 'an object',
  [openArray]: 'an array',
  [letterT]: 'true',
  [letterF]: 'false',
}

export interface Fault {
  /** Byte position of the value that is wrong. */
  readonly at: number
  readonly text: string
}

export class JsonReader extends JsonScanner {
  /** The first problem since the last `takeFault`. */
  fault: Fault | undefined
  #isFirst = false
  #depth = 0
  #objectsLeft = objectsMax

  /** The bytes must be UTF-8 (repairs.ts, `repairJsonBody`). */
  constructor(bytes: Uint8Array) {
    super()
    this.reset(bytes, byteOrderMarkLength(bytes))
  }

  /** Enters the object that comes next; false when it is something else, which is skipped. Absent means null. */
  openObject(): boolean {
    return this.#open(openObject, 'an object')
  }

  openArray(): boolean {
    return this.#open(openArray, 'an array')
  }

  /**
   * The next key of the current object, with its value up next. At the object's end: leaves it and returns `undefined`.
   */
  nextKey(): string | undefined {
    if (!this.#next(closeObject)) return undefined
    this.name()
    this.peek()
    return this.hasEscapes ? this.text() : keyText(this.bytes, this.textStart, this.textEnd)
  }

  /** Whether the current array has another item, which is then up next. */
  nextItem(): boolean {
    return this.#next(closeArray)
  }

  /** Reads a string; false when something else comes, which is skipped. Null counts as absent, without a fault. */
  readString(): boolean {
    if (this.peek() === quote) {
      this.string()
      return true
    }
    this.refuse('a string')
    return false
  }

  /** The text of a number, written as a JSON number or within a string; `undefined` as for `readString`. */
  readNumberText(): string | undefined {
    const byte = this.peek()
    if (byte === quote) {
      this.string()
      return this.text()
    }
    if (byte !== 0x2d && !(byte >= 0x30 && byte <= 0x39)) {
      this.refuse('a number')
      return undefined
    }
    this.number()
    return this.numberText()
  }

  /** True or false, also as text; `undefined` as for `readString`. */
  readBoolean(): boolean | undefined {
    const byte = this.peek()
    if (byte === letterT || byte === letterF) return this.literal() === 1
    const { at } = this
    if (byte === quote) {
      this.string()
      const text = this.text().toLowerCase()
      if (text === 'true' || text === 'false') return text === 'true'
      this.at = at
    }
    this.refuse('true or false')
    return undefined
  }

  /** Skips the next value and, unless it is null, records that something else was expected. */
  refuse(expected: string): void {
    const byte = this.peek()
    const at = this.at
    this.skip(this.#depth)
    if (byte !== letterN) this.setFault(`is ${kinds[byte] ?? 'a number'}, not ${expected}`, at)
  }

  setFault(text: string, at = this.at): void {
    this.fault ??= { at, text }
  }

  takeFault(): Fault | undefined {
    const fault = this.fault
    this.fault = undefined
    return fault
  }

  /** The number of containers entered; `rewind` needs it together with the position. */
  get depth(): number {
    return this.#depth
  }

  /** Goes back to the start of a value, as if it had not been read. */
  rewind(at: number, depth: number): void {
    this.at = at
    this.#depth = depth
    this.#isFirst = false
  }

  /** Call this before each object that is made from the body. */
  countObject(): void {
    if (--this.#objectsLeft < 0) throw tooManyObjects()
  }

  /** Skips one value of any kind, checking that it is valid JSON. */
  skipValue(): void {
    this.skip(this.#depth)
  }

  #open(bracket: number, what: string): boolean {
    if (this.peek() !== bracket) {
      this.refuse(what)
      return false
    }
    if (++this.#depth > jsonNestingMax) this.refuseNesting()
    this.at++
    this.#isFirst = true
    return true
  }

  /** Steps to the next member of a container, past the comma, or out of it past the closing bracket. */
  #next(bracket: number): boolean {
    const isFirst = this.#isFirst
    this.#isFirst = false
    const byte = this.peek()
    if (byte === bracket) {
      this.at++
      this.#depth--
      return false
    }
    if (isFirst) return true
    if (byte !== comma) this.malformed(`"," or "${String.fromCharCode(bracket)}"`)
    this.at++
    this.peek()
    return true
  }
}

/**
 * Recently seen keys: the same two dozen come again for every span, and making a string takes ten times the look-up.
 */
const keySlots: ({ readonly bytes: Buffer; readonly text: string } | undefined)[] = Array.from({ length: 256 })
const keyBytesMax = 32

function keyText(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  const slot = (length * 7 + bytes[start]! * 31 + bytes[end - 1]!) & 255
  const known = keySlots[slot]
  if (known !== undefined && isSame(known.bytes, bytes, start, length)) return known.text
  const text = bytes.toString('utf8', start, end)
  if (length <= keyBytesMax) keySlots[slot] = { bytes: Buffer.from(text), text }
  return text
}

function isSame(known: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

/** The path of a byte in the document: `resourceSpans[0].scopeSpans[0].spans[3].traceId`. Only for valid JSON. */
export function jsonPathAt(bytes: Uint8Array, position: number): string {
  const reader = new JsonReader(bytes)
  reader.peek()
  let path = ''
  for (;;) {
    const isObject = reader.peek() === openObject
    if (reader.at >= position || (!isObject && reader.peek() !== openArray)) return path
    const step = isObject ? stepInObject(reader, position) : stepInArray(reader, position)
    if (step === undefined) return path
    path += path === '' ? step.replace(/^\./, '') : step
  }
}

/** Goes to the value that contains the position; returns its key as a step of the path. */
function stepInObject(reader: JsonReader, position: number): string | undefined {
  reader.openObject()
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const start = reader.at
    reader.skipValue()
    if (reader.at > position) {
      reader.at = start
      return `.${key}`
    }
  }
  return undefined
}

function stepInArray(reader: JsonReader, position: number): string | undefined {
  reader.openArray()
  for (let index = 0; reader.nextItem(); index++) {
    const start = reader.at
    reader.skipValue()
    if (reader.at > position) {
      reader.at = start
      return `[${index}]`
    }
  }
  return undefined
}
