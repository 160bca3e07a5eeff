/**
 * OTLP protobuf, cut at field boundaries (protobuf.dev/programming-guides/encoding):
 *
 *     message = { tag value }                tag = varint (field number << 3 | wire type)
 *     value   = varint | 8 bytes | length-delimited: varint, bytes | 4 bytes      (wire types 0, 1, 2, 5)
 *
 *     TracesData { 1 ResourceSpans { 1 resource, 2 ScopeSpans { 1 scope, 2 Span …, 3 schema_url } …, 3 schema_url } … }
 *
 * LogsData and MetricsData have the same shape.
 */
import { InputError } from '../../base/errors.ts'
import type { Grammar, Signal } from './grammar.ts'

const innerField = 2
const partTag = (innerField << 3) | 2
const elementTag = (1 << 3) | 2

export const protobufGrammar: Grammar = {
  contentType: 'application/x-protobuf',
  unpack(bytes) {
    const fields = fieldsOf(bytes)
    const isPart = (field: Field) => field.number === innerField && field.wireType === 2
    const others = fields.filter((field) => !isPart(field)).map((field) => bytes.subarray(field.start, field.end))
    const shell = Buffer.concat(others)
    return {
      parts: fields.filter(isPart).map((field) => bytes.subarray(field.valueStart, field.end)),
      pack: (parts) => Buffer.concat([shell, ...parts.flatMap((part) => [prefix(partTag, part.length), part])]),
      shellBytes: shell.length,
      partBytesMore: 6, // a tag, and a length of at most 5 bytes
    }
  },
  request: (_signal, elements) =>
    Buffer.concat(elements.flatMap((element) => [prefix(elementTag, element.length), element])),
  readSuccess(body) {
    const partial = fieldsOf(body).find((field) => field.number === 1 && field.wireType === 2)
    if (partial === undefined) return { rejected: 0, message: '' }
    const success = body.subarray(partial.valueStart, partial.end)
    const rejected = fieldsOf(success).find((field) => field.number === 1 && field.wireType === 0)
    return {
      rejected: rejected === undefined ? 0 : Number(readVarint(success, rejected.valueStart).value),
      message: textField(success, 2),
    }
  },
  readFailure(body) {
    try {
      return textField(body, 2)
    } catch {
      return ''
    }
  },
}

export interface Field {
  readonly number: number
  readonly wireType: number
  /** The tag begins at `start`; the value is from `valueStart` up to, but not including, `end`. */
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/** Fields of a message in order. Throws `InputError` with the offset of invalid protobuf. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length;) {
    const start = at
    const tag = readVarint(bytes, at)
    const wireType = Number(tag.value & 7n)
    let valueStart = tag.end
    if (wireType === 2) {
      const length = readVarint(bytes, valueStart)
      valueStart = length.end
      at = valueStart + Number(length.value)
    } else if (wireType === 0) at = readVarint(bytes, valueStart).end
    else if (wireType === 1) at = valueStart + 8
    else if (wireType === 5) at = valueStart + 4
    else throw broken(start, `unknown wire type ${wireType}`)
    if (at > bytes.length) throw broken(start, `the field is longer than its message`)
    fields.push({ number: Number(tag.value >> 3n), wireType, start, valueStart, end: at })
  }
  return fields
}

/** Base-128, at most 10 bytes. */
export function readVarint(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n
  for (let at = start; at < start + 10; at += 1) {
    const byte = bytes[at]
    if (byte === undefined) throw broken(start, 'the message ends within a number')
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start))
    if (byte < 0x80) return { value, end: at + 1 }
  }
  throw broken(start, 'a number of over 10 bytes')
}

function prefix(tag: number, length: number): Uint8Array {
  const bytes = [tag]
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}

function textField(bytes: Uint8Array, number: number): string {
  const field = fieldsOf(bytes).find((each) => each.number === number && each.wireType === 2)
  return field === undefined ? '' : Buffer.from(bytes.subarray(field.valueStart, field.end)).toString()
}

function broken(at: number, reason: string): InputError {
  return new InputError('unsupported_media_type', `broken protobuf at byte ${at}: ${reason}`, { at: String(at) })
}

/**
 * The signal of an element. The outer messages of all three signals have the same field numbers, so the first record
 * with a distinctive field decides:
 * - a span has fixed64 times in 7 and 8, or a varint kind in 6;
 * - a log record has a fixed64 time in 1 or 11, a varint severity in 2, or fixed32 flags in 8;
 * - a metric has exactly one of the length-delimited fields 5, 7, 9, 10 and 11.
 */
export function protobufSignal(element: Uint8Array): Signal | undefined {
  for (const scope of protobufGrammar.unpack(element, 'traces', 0)?.parts ?? []) {
    for (const record of protobufGrammar.unpack(scope, 'traces', 1)?.parts ?? []) {
      const has = new Set(fieldsOf(record).map((field) => `${field.number}:${field.wireType}`))
      if (['7:1', '8:1', '6:0'].some((key) => has.has(key))) return 'traces'
      if (['1:1', '11:1', '2:0', '8:5'].some((key) => has.has(key))) return 'logs'
      if (['5:2', '7:2', '9:2', '10:2', '11:2'].some((key) => has.has(key)) && has.has('1:2') && !has.has('4:2'))
        return 'metrics'
    }
  }
  return undefined
}
