/**
 * Writes the trace context that was found into the id columns of a row. Every decoder of log-like records uses it: for
 * structured records through `record/record-row.ts`, for plain text by calling `linkText`.
 */
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { utf8Text } from '../utf8.ts'
import { mentionsContext } from './context-marks.ts'
import { findTraceReference } from './text-reference.ts'
import type { TraceReference } from './trace-reference.ts'

/** Longer texts are searched only up to this length: context is at the start, and a stack trace may be long. */
const searchedBytesMax = 4096

export function writeReference(builder: EventBatchBuilder, row: number, found: TraceReference): void {
  writeHex(found.traceId, builder.traceIds, row * 16)
  if (found.spanId !== undefined) writeHex(found.spanId, builder.spanIds, row * 8)
  builder.flags[row] = found.flags
}

/** Links the row to the trace that its text names, if any. */
function linkText(builder: EventBatchBuilder, row: number, text: string): void {
  const found = findTraceReference(text.length > searchedBytesMax ? text.slice(0, searchedBytesMax) : text)
  if (found !== undefined) writeReference(builder, row, found)
}

/** As `linkText` for bytes in an arena; most lines name no trace, so they are checked without making strings. */
export function linkBytes(builder: EventBatchBuilder, row: number, start: number, length: number): void {
  const { bytes } = builder.arena
  const end = start + Math.min(length, searchedBytesMax)
  if (!mentionsContext(bytes, start, end)) return
  linkText(builder, row, utf8Text(bytes, start, end))
}

export function writeHex(hex: string, to: Uint8Array, at: number): void {
  for (let i = 0; i < hex.length; i += 2) to[at + i / 2] = Number.parseInt(hex.slice(i, i + 2), 16)
}

/**
 * Copies an id of exactly `length * 2` hex digits. Returns false, leaving zeros, for anything else and for all zeros.
 */
export function copyHexId(
  bytes: Uint8Array,
  start: number,
  to: Uint8Array,
  target: { at: number; length: number },
): boolean {
  const { at, length } = target
  let any = 0
  for (let i = 0; i < length; i++) {
    const high = hexValues[bytes[start + i * 2]!]!
    const low = hexValues[bytes[start + i * 2 + 1]!]!
    if (high > 15 || low > 15) {
      to.fill(0, at, at + length)
      return false
    }
    any |= to[at + i] = (high << 4) | low
  }
  return any !== 0
}

const hexValues = new Uint8Array(256).fill(255)
for (let i = 0; i < 16; i++) {
  hexValues[i.toString(16).charCodeAt(0)] = i
  hexValues[i.toString(16).toUpperCase().charCodeAt(0)] = i
}
