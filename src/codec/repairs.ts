/**
 * What decoders had to change in a request so that a row could be kept: invalid UTF-8 (senders cut long texts at a byte
 * limit, inside a character), invalid ids of a link. The row is stored, and the sender is told.
 *
 * Decoding is synchronous, so all decoders share one count: each resets it at the start and reads it at the end.
 */
import { isUtf8 } from 'node:buffer'
import { InputError } from '../base/errors.ts'
import type { Arena } from '../model/arena.ts'
import { utf8Text } from './utf8.ts'

export interface Repairs {
  readonly repaired: number
  /** The first change; '' when there was none. */
  readonly repairedReason: string
}

/** One bad byte becomes three, so a malicious body would take far more memory than its size suggests. */
export const repairedBytesMax = 16 << 20

const tally = { count: 0, first: '', bytes: 0 }

export function resetRepairs(): void {
  tally.count = tally.bytes = 0
  tally.first = ''
}

/** The number so far. Repaired values must not be remembered for later requests, which must count them themselves. */
export function repairCount(): number {
  return tally.count
}

export function noteRepair(what: string): void {
  if (tally.count++ === 0) tally.first = what
}

export function takeRepairs(): Repairs {
  const taken = { repaired: tally.count, repairedReason: tally.first }
  resetRepairs()
  return taken
}

/** The text in [start, end) of `bytes`, with U+FFFD for invalid UTF-8. Counts the repair. */
export function repairText(what: string, bytes: Uint8Array, start: number, end: number): string {
  holdBytes((end - start) * 3)
  noteRepair(notUtf8(what))
  return utf8Text(bytes, start, end)
}

/** The part of a batch's builder that repaired texts need. */
export interface RepairTarget {
  readonly arena: Arena
  textLength: number
  appendText(text: string): number
  internText(text: string): number
}

/**
 * A reader of the body that the target's arena started as. The arena moves when it grows, and the reader must follow.
 */
export interface BodyReader {
  bytes: Uint8Array
}

/** The dictionary number of the repaired text. */
export function internRepaired(what: string, reader: BodyReader, target: RepairTarget, range: TextSpan): number {
  const entry = target.internText(repairText(what, reader.bytes, range.start, range.end))
  reader.bytes = target.arena.bytes
  return entry
}

/** Start of the repaired text in the target's arena; the length is then `textLength`. */
export function appendRepaired(what: string, reader: BodyReader, target: RepairTarget, range: TextSpan): number {
  const start = target.appendText(repairText(what, reader.bytes, range.start, range.end))
  reader.bytes = target.arena.bytes
  return start
}

interface TextSpan {
  readonly start: number
  readonly end: number
}

/** The body itself when it is valid UTF-8, else a repaired copy. Counts each repaired JSON string. */
export function repairJsonBody(body: Uint8Array): Uint8Array {
  if (isUtf8(body)) return body
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  // In UTF-8 only the quote character contains the byte of a quote, so this finds the real ends of strings.
  for (let start = 0, end = 0; start <= bytes.length; start = end + 1) {
    end = bytes.indexOf(0x22, start)
    if (end < 0) end = bytes.length
    if (isUtf8(bytes.subarray(start, end))) continue
    holdBytes((end - start) * 3)
    noteRepair(notUtf8('a text of the JSON'))
  }
  return Buffer.from(bytes.toString('utf8'))
}

function notUtf8(what: string): string {
  return `${what} is not valid UTF-8: U+FFFD stands for the bad bytes`
}

function holdBytes(bytes: number): void {
  tally.bytes += bytes
  if (tally.bytes <= repairedBytesMax) return
  const most = `${repairedBytesMax >> 20} MiB`
  throw new InputError('too_large', `cannot take a request with more than ${most} of text that is not valid UTF-8`)
}
