/**
 * OTLP JSON, cut by position and never parsed into values: `JSON.parse` would round 64-bit integers written as JSON
 * numbers, which OTLP allows. Grammar: RFC 8259. Only what cutting needs is checked here; the receiver checks the rest.
 */
import { InputError } from '../../base/errors.ts'
import type { Grammar, OtlpAnswer, Signal, Unpacked } from './grammar.ts'

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [braceOpen, braceClose, bracketOpen, bracketClose] = [0x7b, 0x7d, 0x5b, 0x5d]

/** Names of the nested arrays, outermost first. */
export const arrayNames: Readonly<Record<Signal, readonly [string, string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
}

export const jsonGrammar: Grammar = {
  contentType: 'application/json',
  unpack(bytes, signal, level) {
    const name = arrayNames[signal][level + 1] ?? ''
    const members = membersOf(bytes)
    const array = members.find((member) => member.name === name)
    if (array === undefined || bytes[array.start] !== bracketOpen) return undefined
    const others = members
      .filter((member) => member !== array)
      .map((member) => bytes.subarray(member.nameStart, member.end))
    return unpackedArray(name, others, elementsOf(bytes.subarray(array.start, array.end)))
  },
  request(signal, elements) {
    return joined([Buffer.from(`{"${arrayNames[signal][0]}":[`), ...withCommas(elements), Buffer.from(']}')])
  },
  readSuccess(body) {
    const { partialSuccess } = JSON.parse(Buffer.from(body).toString() || '{}') as {
      partialSuccess?: Record<string, string | number>
    }
    const { errorMessage = '', ...counts } = partialSuccess ?? {}
    const rejected = Object.values(counts).reduce<number>((sum, count) => sum + Number(count), 0)
    return { rejected, message: String(errorMessage) } satisfies OtlpAnswer
  },
  readFailure(body) {
    try {
      return String((JSON.parse(Buffer.from(body).toString()) as { message?: string }).message ?? '')
    } catch {
      return ''
    }
  },
}

function unpackedArray(name: string, others: readonly Uint8Array[], parts: readonly Uint8Array[]): Unpacked {
  const head = joined([
    Buffer.from('{'),
    ...others.flatMap((other) => [other, Buffer.from(',')]),
    Buffer.from(`"${name}":[`),
  ])
  const tail = Buffer.from(']}')
  return {
    parts,
    pack: (some) => joined([head, ...withCommas(some), tail]),
    shellBytes: head.length + tail.length,
    partBytesMore: 1, // its comma
  }
}

function withCommas(parts: readonly Uint8Array[]): Uint8Array[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part]))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

export interface Member {
  readonly name: string
  readonly nameStart: number
  /** The value is `bytes` from `start` up to, but not including, `end`. */
  readonly start: number
  readonly end: number
}

/** Members of the object in `bytes`. Throws `InputError` when there is no object. */
export function membersOf(bytes: Uint8Array): Member[] {
  const members: Member[] = []
  let at = expect(bytes, skipSpace(bytes, 0), braceOpen, '{')
  for (at = skipSpace(bytes, at); bytes[at] !== braceClose; at = afterComma(bytes, at, braceClose)) {
    const nameStart = at
    const nameEnd = skipString(bytes, at)
    const start = skipSpace(bytes, expect(bytes, skipSpace(bytes, nameEnd), colon, ':'))
    const end = skipValue(bytes, start)
    members.push({ name: Buffer.from(bytes.subarray(nameStart + 1, nameEnd - 1)).toString(), nameStart, start, end })
    at = end
  }
  return members
}

/** Elements of the array in `bytes`. */
export function elementsOf(bytes: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = []
  let at = expect(bytes, skipSpace(bytes, 0), bracketOpen, '[')
  for (at = skipSpace(bytes, at); bytes[at] !== bracketClose; at = afterComma(bytes, at, bracketClose)) {
    const end = skipValue(bytes, at)
    elements.push(bytes.subarray(at, end))
    at = end
  }
  return elements
}

function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === quote) return skipString(bytes, start)
  if (first !== braceOpen && first !== bracketOpen) return skipScalar(bytes, start)
  let depth = 0
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) at = skipString(bytes, at) - 1
    else if (byte === braceOpen || byte === bracketOpen) depth += 1
    else if (byte === braceClose || byte === bracketClose) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  throw broken(bytes, start, 'this value to end')
}

/** Position after the closing quote of a string that begins here. */
function skipString(bytes: Uint8Array, start: number): number {
  let at = expect(bytes, start, quote, '"')
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  if (at >= bytes.length) throw broken(bytes, start, 'this text to end')
  return at + 1
}

/** A number or one of true, false, null. */
function skipScalar(bytes: Uint8Array, start: number): number {
  let at = start
  while (at < bytes.length && /[-+.\w]/.test(String.fromCharCode(bytes[at]!))) at += 1
  if (at === start) throw broken(bytes, start, 'a value')
  return at
}

/** Position after the comma, or of the closing bracket. */
function afterComma(bytes: Uint8Array, end: number, close: number): number {
  const at = skipSpace(bytes, end)
  if (bytes[at] === close) return at
  const next = skipSpace(bytes, expect(bytes, at, comma, ','))
  if (bytes[next] === close) throw broken(bytes, next, 'a value after the comma')
  return next
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1
  return at
}

function expect(bytes: Uint8Array, at: number, byte: number, name: string): number {
  if (bytes[at] !== byte) throw broken(bytes, at, name)
  return at + 1
}

/** Offsets within a part of a document would mislead, so the text at the place is quoted. */
function broken(bytes: Uint8Array, at: number, expected: string): InputError {
  const near = Buffer.from(bytes.subarray(at, at + 20)).toString()
  const place = near === '' ? 'at the end' : `at ${JSON.stringify(near)}`
  return new InputError('unsupported_media_type', `broken JSON ${place}: expected ${expected}`)
}
