/**
 * Ids as people paste them, from a log line, another tool's address bar or a header:
 *   trace = 4*32hex | UUID | traceparent | b3 | uber-trace-id | X-Ray root "1-" 8hex "-" 24hex ; in either case
 *   span  = 4*16hex
 * Ids are numbers, so an id with fewer digits lacks its leading zeros: Jaeger, Tempo and many log lines print ids like
 * this. Quotes, brackets, a name before it (`trace_id=`, `traceparent:`) and `0x` may be around it.
 */

/** Shorter texts are more likely words than ids; a random id has this few digits once in 10^33. */
const digitsMin = 4
/** Enough for the longest header and the text around it; longer texts are refused. */
const pastedCharsMax = 1024

/** 32 lower-case hex digits; `undefined` when the text is not a trace id, or all zero. */
export function parsePastedTraceId(text: string): string | undefined {
  const id = bare(text)
  // A header's first part of 32 or 16 digits is the trace; the others name the span, its parent and flags.
  const header =
    /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(id) ??
    /^([0-9a-f]{16}|[0-9a-f]{32})-[0-9a-f]{16}(?:-|$)/.exec(id) ??
    /^([0-9a-f]{1,32})(?::|%3a)[0-9a-f]{1,16}(?::|%3a)/.exec(id)
  if (header !== null) return padded(header[1]!, 32)
  const dashed = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) || /^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(id)
  return padded(dashed ? id.replace(/^1-/, '').replaceAll('-', '') : id, 32)
}

/** 16 lower-case hex digits; `undefined` when the text is not a span id, or all zero. */
export function parsePastedSpanId(text: string): string | undefined {
  return padded(bare(text), 16)
}

function bare(text: string): string {
  const inner = text
    .slice(0, pastedCharsMax)
    .toLowerCase()
    .replace(/^[\s"'`[({<]+/, '')
    .replace(/(?<![\s"'`\])}>,;.])[\s"'`\])}>,;.]+$/, '')
  return inner
    .replace(/^[a-z][\w.-]*["']?\s*[=:]\s*["']?(?=[0-9a-f]{2})/, (name) => (/^[0-9a-f]+:$/.test(name) ? name : ''))
    .replace(/^0x/, '')
}

function padded(digits: string, length: number): string | undefined {
  if (digits.length < digitsMin || digits.length > length || !/^[0-9a-f]+$/.test(digits) || /^0+$/.test(digits))
    return undefined
  return digits.padStart(length, '0')
}
