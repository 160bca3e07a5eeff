/** Tells whether a text typed into the query bar is a trace id or a filter. */
import { parsePastedTraceId } from '../../../src/base/pasted-id.ts'

/** A text with fewer digits is more likely a word or a number. */
const digitsMin = 8

/** 32 hex digits, or `undefined` when the text is not a trace id. */
export function pastedTraceId(text: string): string | undefined {
  // `user.id=deadbeef` is a filter; `trace_id=…` and headers such as `traceparent: …` name a trace.
  if (/^[^=:]*[=:]/.test(text) && !/trace|b3/i.test(text)) return undefined
  const id = parsePastedTraceId(text)
  return id !== undefined && id.replace(/^0+/, '').length >= digitsMin ? id : undefined
}
