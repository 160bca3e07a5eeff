/**
 * Bare ids as people log them, under a name that says which id it is:
 *   trace = 32hex | 16hex | 12*31hex | UUID          ; fewer digits than 32 mean zeros on the left
 *   span  = 16hex | 12*15hex
 * Programs that print an id as a number leave out its leading zeros. Fewer than twelve digits, or only decimal digits,
 * are more likely another kind of number, so they are not ids.
 */
import { parseSpanId, parseTraceId, type SpanId, type TraceId } from '../../model/ids.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function looseTraceId(text: string): TraceId | undefined {
  if (text.length === 36) return uuid.test(text) ? parseTraceId(text.replaceAll('-', '')) : undefined
  return parseTraceId(isTrimmed(text, 32) && text.length !== 16 ? text.padStart(32, '0') : text)
}

export function looseSpanId(text: string): SpanId | undefined {
  return parseSpanId(isTrimmed(text, 16) ? text.padStart(16, '0') : text)
}

function isTrimmed(text: string, digits: number): boolean {
  return text.length >= 12 && text.length < digits && !/^\d+$/.test(text)
}
