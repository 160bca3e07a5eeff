/** Trace ids as people paste them: whole, in upper case, without their leading zeros, or inside a `traceparent` header. */

/** Fewer digits than this are more likely a word or a number. */
const digitsMin = 8

/** 32 hex digits, or `undefined` when the text is no trace id. */
export function pastedTraceId(text: string): string | undefined {
  const pasted = /^\s*"?(?:00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}|([0-9a-f]{1,32}))"?\s*$/i.exec(text)
  const digits = pasted?.[1] ?? pasted?.[2] ?? ''
  if (digits.length < digitsMin || /^0+$/.test(digits)) return undefined
  return digits.toLowerCase().padStart(32, '0')
}
