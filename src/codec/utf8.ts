/** UTF-8 checks on parts of a buffer (RFC 3629): invalid UTF-8 is repaired where it enters (repairs.ts). */
import { isUtf8 } from 'node:buffer'
import type { Dictionary } from '../model/dictionary.ts'

/** From this length on the native check is faster than a loop, despite the view it needs. */
const nativeBytesMin = 256

export function isUtf8Range(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start >= nativeBytesMin) return isUtf8(bytes.subarray(start, end))
  // Nearly all text is ASCII: it is checked eight bytes at a time, and only other bytes go to the slow check.
  let seen = 0
  let i = start
  for (; i + 8 <= end; i += 8) {
    seen |=
      bytes[i]! |
      bytes[i + 1]! |
      bytes[i + 2]! |
      bytes[i + 3]! |
      bytes[i + 4]! |
      bytes[i + 5]! |
      bytes[i + 6]! |
      bytes[i + 7]!
  }
  for (; i < end; i++) seen |= bytes[i]!
  return seen < 0x80 || isUtf8(bytes.subarray(start, end))
}

/** The text's number, or -1 for invalid UTF-8; each text is checked only once. */
export function internUtf8(dictionary: Dictionary, bytes: Uint8Array, start: number, end: number): number {
  const before = dictionary.count
  const entry = dictionary.intern(bytes, start, end)
  if (entry !== before || isUtf8Range(bytes, start, end)) return entry
  dictionary.forgetLast()
  return -1
}

/** 3 when the bytes begin with a byte order mark, which is not part of a text (RFC 8259 §8.1 allows skipping it). */
export function byteOrderMarkLength(bytes: Uint8Array, start = 0): number {
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? 3 : 0
}

export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

/** One character per byte: a cheap, lossless map key for bytes. */
export function byteKey(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

/** The same bytes when they are valid UTF-8, else a copy in which invalid bytes became replacement characters. */
export function validText(bytes: Uint8Array): Uint8Array {
  return isUtf8(bytes) ? bytes : Buffer.from(utf8Text(bytes, 0, bytes.length), 'utf8')
}
