/** Trace ids are 16 bytes, span ids 8 (W3C Trace Context, level 1 §3.2); as text always lower-case hex. All-zero is invalid. */

export type TraceId = string & { readonly brand: 'TraceId' }
export type SpanId = string & { readonly brand: 'SpanId' }

/** Accepts 32 hex digits in either case, or 16 (a 64-bit id, left-padded with zeros); `undefined` for anything else or all zeros. */
export function parseTraceId(text: string): TraceId | undefined {
  const id = text.length === 16 ? '0000000000000000' + text : text
  return isHex(id, 32) ? (id.toLowerCase() as TraceId) : undefined
}

/** Accepts 16 hex digits in either case; `undefined` for anything else or all zeros. */
export function parseSpanId(text: string): SpanId | undefined {
  return isHex(text, 16) ? (text.toLowerCase() as SpanId) : undefined
}

function isHex(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-fA-F]+$/.test(text) && !/^0+$/.test(text)
}
