/**
 * Scalars of OTLP JSON (OTLP 1.11 "JSON Protobuf Encoding", protobuf.dev "ProtoJSON"): 64-bit integers as decimal text or
 * number, enums only as integers, ids as hex in either case, bytes as base64, NaN and infinities as text. Null is absent.
 * Each reads the next value; a wrong one leaves a fault and gives the default.
 */
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

export function readEnum(reader: JsonReader): number {
  if (reader.bytes[reader.at] === 0x22) {
    reader.refuse('an integer: OTLP JSON has enums as numbers only')
    return 0
  }
  return Number(readInteger(reader, { min: 0n, max: BigInt(enumMax), what: `an integer in 0 … ${enumMax}` }))
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

/** Digits of any length stay exact; `1e3` and `5.0` are integers too, as long as a double holds them exactly. */
function integerOf(text: string): bigint | undefined {
  if (/^-?\d{1,40}$/.test(text)) return BigInt(text)
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return undefined
  const number = Number(text)
  return Number.isSafeInteger(number) ? BigInt(number) : undefined
}

export function readDouble(reader: JsonReader): number {
  const at = reader.at
  const text = reader.readNumberText()
  if (text === undefined) return 0
  if (/^(NaN|-?Infinity|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text)) return Number(text)
  reader.setFault(`is ${shown(text)}, not a number, "NaN", "Infinity" or "-Infinity"`, at)
  return 0
}

/** Reads a hex id into `to` from `offset` on; false when it is absent or empty. All zeros are read as they are. */
export function readHexId(reader: JsonReader, to: Uint8Array, offset: number, length: number): boolean {
  const at = reader.at
  if (!reader.readString()) return false
  const { bytes, textStart, textEnd } = reader
  if (textEnd === textStart) return false
  if (textEnd - textStart !== length * 2) {
    reader.setFault(`has ${textEnd - textStart} characters, not ${length * 2} hex digits`, at)
    return true
  }
  for (let i = 0; i < length; i++) {
    const high = hexDigit(bytes[textStart + i * 2]!)
    const low = hexDigit(bytes[textStart + i * 2 + 1]!)
    if (high < 0 || low < 0) {
      reader.setFault('is not hex', at)
      return true
    }
    to[offset + i] = (high << 4) | low
  }
  return true
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Standard or URL alphabet, with or without padding, as ProtoJSON asks of readers. */
export function readBase64(reader: JsonReader): Uint8Array {
  const at = reader.at
  if (!reader.readString()) return new Uint8Array(0)
  const text = reader.text()
  if (/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1)
    return Buffer.from(text, 'base64')
  reader.setFault('is not base64', at)
  return new Uint8Array(0)
}

function shown(text: string): string {
  return text.length > 40 ? `${JSON.stringify(text.slice(0, 40)).slice(0, -1)}…"` : JSON.stringify(text)
}
