/**
 * Scalars of OTLP JSON (OTLP 1.11 "JSON Protobuf Encoding", protobuf.dev "ProtoJSON"): 64-bit integers as decimal text
 * or number, with or without an exponent; enums as integers or, as in ProtoJSON, names; ids as hex in either case;
 * bytes as base64; NaN and infinities as text. Null is absent.
 * Each function reads the next value; an invalid one leaves a fault and gives the default.
 */
import { noteRepair } from '../repairs.ts'
import { enumMax } from './problem.ts'
import type { JsonReader } from './json-reader.ts'

const int64Max = (1n << 63n) - 1n
const int64Min = -(1n << 63n)

/** 63 bits of nanoseconds, 1970-01-01 to 2262-04-11. */
export function readTime(reader: JsonReader): bigint {
  return readInteger(reader, { min: 0n, max: int64Max, what: 'a time within 1970-01-01 … 2262-04-11 in nanoseconds' })
}

export function readInt64(reader: JsonReader): bigint {
  return readInteger(reader, { min: int64Min, max: int64Max, what: 'a 64-bit integer' })
}

export function readUint32(reader: JsonReader): number {
  return Number(readInteger(reader, { min: 0n, max: 0xffffffffn, what: 'an integer of 32 bits without sign' }))
}

/** An enum of the specification: the prefix of its names, and the names from 0 on, in lower case. */
export interface EnumNames {
  readonly prefix: string
  readonly names: readonly string[]
}

/** Reads a number or name. Anything else becomes 0, "unspecified", with a repair: it does not cost the row. */
export function readEnum(reader: JsonReader, { prefix, names }: EnumNames): number {
  const byte = reader.peek()
  if (byte !== 0x22 && byte !== 0x2d && !isDigit(byte)) {
    reader.skipValue()
    if (byte !== 0x6e) noteRepair(`an enum is neither a number nor a name of ${prefix}…`)
    return 0
  }
  const text = reader.readNumberText() ?? ''
  const name = text.toLowerCase()
  const short = name.startsWith(prefix.toLowerCase()) ? name.slice(prefix.length) : name
  const number = names.indexOf(short)
  if (number >= 0) return number
  const value = integerOf(text)
  if (value !== undefined && value >= 0n && value <= BigInt(enumMax)) return Number(value)
  if (text !== '') noteRepair(`${shown(text)} is neither an integer in 0 … ${enumMax} nor a name of ${prefix}…`)
  return 0
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

interface IntegerRange {
  readonly min: bigint
  readonly max: bigint
  readonly what: string
}

function readInteger(reader: JsonReader, { min, max, what }: IntegerRange): bigint {
  const at = reader.at
  const text = reader.readNumberText()
  if (text === undefined) return 0n
  const value = integerOf(text)
  if (value !== undefined && value >= min && value <= max) return value
  reader.setFault(`is ${shown(text)}, not ${what}`, at)
  return 0n
}

/**
 * The integer that a JSON number stands for, digit by digit: `1e3`, `5.0` and `1.7638900001e18` are integers too, and a
 * double could not store the last one exactly.
 */
function integerOf(text: string): bigint | undefined {
  if (text.length > digitsMax) return undefined
  if (/^-?\d+$/.test(text)) return BigInt(text)
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null) return undefined
  const fraction = match[3] ?? ''
  const digits = match[2]! + fraction
  if (/^0+$/.test(digits)) return 0n
  // The position of the decimal point in the digits, after applying the exponent.
  const point = match[2]!.length + Number(match[4] ?? 0)
  if (point > digitsMax || /[1-9]/.test(digits.slice(Math.max(0, point)))) return undefined
  return BigInt(match[1]! + (digits.slice(0, Math.max(0, point)).padEnd(point, '0') || '0'))
}

/** Longer texts are not 64-bit integers, whatever their value. */
const digitsMax = 100

export function readDouble(reader: JsonReader): number {
  const at = reader.at
  const text = reader.readNumberText()
  if (text === undefined) return 0
  if (/^(NaN|-?Infinity|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text)) return Number(text)
  reader.setFault(`is ${shown(text)}, not a number, "NaN", "Infinity" or "-Infinity"`, at)
  return 0
}

/**
 * Reads the id of a row, hex, into `to` from `offset` on; false when it is absent or empty. All zeros are read as they
 * are. When digits are missing, they are leading zeros.
 */
export function readHexId(reader: JsonReader, to: Uint8Array, offset: number, length: number): boolean {
  const at = reader.at
  if (!reader.readString()) return false
  if (reader.textEnd === reader.textStart) return false
  const problem = hexProblem(reader, to, offset, length)
  if (problem !== '') reader.setFault(problem, at)
  return true
}

/** The same for an id other than the row's own: an invalid one counts as absent, with a repair. */
export function readLooseHexId(reader: JsonReader, to: Uint8Array, offset: number, length: number): void {
  const byte = reader.peek()
  to.fill(0, offset, offset + length)
  if (byte !== 0x22) {
    reader.skipValue()
    if (byte !== 0x6e) noteRepair('an id is not text')
    return
  }
  if (!reader.readString() || reader.textEnd === reader.textStart) return
  const problem = hexProblem(reader, to, offset, length)
  if (problem === '') return
  to.fill(0, offset, offset + length)
  noteRepair(`an id ${problem}`)
}

function hexProblem({ bytes, textStart, textEnd }: JsonReader, to: Uint8Array, offset: number, length: number): string {
  const digits = textEnd - textStart
  if (digits > length * 2) return `has ${digits} characters, not ${length * 2} hex digits`
  if (digits < length * 2) to.fill(0, offset, offset + length)
  // From the right, because a short id lacks its left digits.
  for (let from = textEnd - 1, digit = length * 2 - 1; from >= textStart; from--, digit--) {
    const value = hexDigit(bytes[from]!)
    if (value < 0) return 'is not hex'
    const at = offset + (digit >> 1)
    to[at] = (digit & 1) === 1 ? value : (value << 4) | to[at]!
  }
  return ''
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Standard or URL alphabet, with or without padding, as ProtoJSON requires of readers. */
export function readBase64(reader: JsonReader): Uint8Array {
  const at = reader.at
  if (!reader.readString()) return new Uint8Array(0)
  const text = reader.text()
  const digits = /^([A-Za-z0-9+/_-]*)={0,2}$/.exec(text)?.[1]
  if (digits !== undefined && digits.length % 4 !== 1) return Buffer.from(text, 'base64')
  reader.setFault('is not base64', at)
  return new Uint8Array(0)
}

function shown(text: string): string {
  return text.length > 40 ? `${JSON.stringify(text.slice(0, 40)).slice(0, -1)}…"` : JSON.stringify(text)
}
