/**
 * Trace context as programs pass it on. Each function reads one value, wherever a record carries it:
 *   traceparent (W3C Trace Context §3.2)   version "-" 32hex "-" 16hex "-" 2hex      ; version ff is invalid, later ones may be longer
 *   b3 (single header)                     {16,32}hex "-" 16hex [ "-" state [ "-" 16hex ] ] ; "0", "1" and "d" alone name no trace
 *   uber-trace-id (Jaeger)                 1*32hex ":" 1*16hex ":" parent ":" flags  ; leading zeros may be missing, may be URL-encoded
 *   X-Amzn-Trace-Id (X-Ray)                "Root=1-" 8hex "-" 24hex [ ";Parent=" 16hex ] [ ";Sampled=" 1 ]
 *   X-Cloud-Trace-Context (Google)         32hex [ "/" span in decimal [ ";o=" flags ] ]
 *   Request-Id (.NET, Application Insights) a traceparent, or "|" 32hex "." 16hex { "." | "_" … }
 *   Datadog                                decimal digits of 64 bits, each of the two ids on its own
 * All-zero ids are no ids. The bare ids that people log are in loose-id.ts.
 */
import { parseSpanId, parseTraceId, type SpanId, type TraceId } from '../../model/ids.ts'
import { looseSpanId, looseTraceId } from './loose-id.ts'

export interface TraceReference {
  readonly traceId: TraceId
  /** Absent when only the trace is named. */
  readonly spanId: SpanId | undefined
  /** W3C trace flags; bit 0 is "sampled". */
  readonly flags: number
}

export function parseTraceparent(text: string): TraceReference | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/i.exec(text.trim())
  if (match === null || /^ff$/i.test(match[1]!) || (match[1] === '00' && match[5] !== undefined)) return undefined
  return reference(match[2]!, match[3]!, Number.parseInt(match[4]!, 16))
}

export function parseB3(text: string): TraceReference | undefined {
  const match = /^\s*([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d]|true|false))?(?:-[0-9a-f]{16})?\s*$/i.exec(
    text,
  )
  if (match === null) return undefined
  return reference(match[1]!, match[2]!, /^(1|d|true)$/.test(match[3] ?? '') ? 1 : 0)
}

export function parseUberTraceId(text: string): TraceReference | undefined {
  const match = /^\s*([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:([0-9a-f]{1,2})\s*$/i.exec(
    text.replaceAll(/%3a/gi, ':'),
  )
  if (match === null) return undefined
  return reference(match[1]!.padStart(32, '0'), match[2]!.padStart(16, '0'), Number.parseInt(match[3]!, 16) & 1)
}

export function parseXRay(text: string): TraceReference | undefined {
  const root = /(?:^|[;\s])Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|\s|$)/i.exec(text)
  if (root === null) return undefined
  const parent = /(?:^|[;\s])Parent=([0-9a-f]{16})(?:;|\s|$)/i.exec(text)
  return reference(root[1]! + root[2]!, parent?.[1] ?? '', /(?:^|[;\s])Sampled=1(?:;|\s|$)/i.test(text) ? 1 : 0)
}

function parseCloudTrace(text: string): TraceReference | undefined {
  const match = /^\s*([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?\s*$/i.exec(text)
  if (match === null) return undefined
  const span = match[2] === undefined ? '' : (hexOfDecimal(match[2]) ?? '')
  return reference(match[1]!, /^0*$/.test(span) ? '' : span, Number(match[3] ?? 0) & 1)
}

function parseRequestId(text: string): TraceReference | undefined {
  const match = /^\s*\|([0-9a-f]{32})\.([0-9a-f]{16})[._][\w.-]*\s*$/i.exec(text)
  return match === null ? parseTraceparent(text) : reference(match[1]!, match[2]!, 0)
}

/**
 * Datadog's ids: the trace is 32 hex digits when the tracer logs all 128 bits, else decimal; the span is always
 * decimal.
 */
export function parseDatadog(trace: string, span: string): TraceReference | undefined {
  const traceId = /^[0-9a-f]{32}$/i.test(trace) ? trace : hexOfDecimal(trace)
  if (traceId === undefined) return undefined
  const spanId = hexOfDecimal(span) ?? ''
  return reference(traceId, /^0*$/.test(spanId) ? '' : spanId, 0)
}

/** 16 hex digits of an unsigned 64-bit number; `undefined` for anything else. */
function hexOfDecimal(text: string): string | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined
  const hex = BigInt(text).toString(16)
  return hex.length > 16 ? undefined : hex.padStart(16, '0')
}

/** Forms that contain more than the trace's id; programs also write them under the id's name. */
const fullForms = [parseTraceparent, parseXRay, parseB3, parseRequestId, parseCloudTrace]

/**
 * The value of a name such as `trace_id`: a bare id (loose-id.ts), X-Ray's form, which may name the span too
 * (`1-…-…@span`), Google's (`projects/…/traces/…`), or one of the full forms.
 */
export function parseLooseReference(text: string): TraceReference | undefined {
  const bare = looseTraceId(text)
  if (bare !== undefined) return { traceId: bare, spanId: undefined, flags: 0 }
  const xray = /^1-([0-9a-f]{8})-([0-9a-f]{24})(?:@([0-9a-f]{16}))?$/i.exec(text)
  if (xray !== null) return reference(xray[1]! + xray[2]!, xray[3] ?? '', 0)
  const google = /^projects\/[^/]{1,64}\/traces\/([0-9a-f]{32})$/i.exec(text)
  if (google !== null) return reference(google[1]!, '', 0)
  if (text.length > fullFormCharsMax) return undefined
  for (const parse of fullForms) {
    const found = parse(text)
    if (found !== undefined) return found
  }
  // Jaeger's form has ids of any length; under this name, reading them would be guessing.
  return /^[0-9a-f]{12,32}:[0-9a-f]{12,16}:/i.test(text) ? parseUberTraceId(text) : undefined
}

/** A later traceparent version and X-Ray's header may be longer; no program writes more than this. */
const fullFormCharsMax = 512

/** Header-like names and how their values are read. */
export const carrierParsers: Readonly<Record<string, (text: string) => TraceReference | undefined>> = {
  traceparent: parseTraceparent,
  b3: parseB3,
  'uber-trace-id': parseUberTraceId,
  'x-amzn-trace-id': parseXRay,
  'x-cloud-trace-context': parseCloudTrace,
  'request-id': parseRequestId,
}

export function withSpan(found: TraceReference, span: string): TraceReference {
  return found.spanId === undefined && span !== '' ? { ...found, spanId: looseSpanId(span) } : found
}

export function reference(trace: string, span: string, flags: number): TraceReference | undefined {
  const traceId = parseTraceId(trace)
  const spanId = parseSpanId(span)
  // A parent of all zeros makes a traceparent invalid; X-Ray may name only the trace.
  return traceId === undefined || (span !== '' && spanId === undefined) ? undefined : { traceId, spanId, flags }
}
