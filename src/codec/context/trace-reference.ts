/**
 * Trace context as programs pass it on, read from wherever a record carries it:
 *   traceparent (W3C Trace Context §3.2)   version "-" 32hex "-" 16hex "-" 2hex      ; version ff is invalid, later ones may go on
 *   b3 (single header)                     {16,32}hex "-" 16hex [ "-" state [ "-" 16hex ] ] ; "0", "1" and "d" alone name no trace
 *   uber-trace-id (Jaeger)                 1*32hex ":" 1*16hex ":" parent ":" flags  ; leading zeros may be missing, may be URL-encoded
 *   X-Amzn-Trace-Id (X-Ray)                "Root=1-" 8hex "-" 24hex [ ";Parent=" 16hex ] [ ";Sampled=" 1 ]
 *   bare ids                               32hex, 16hex (left-padded), a UUID, "projects/" name "/traces/" 32hex (Google),
 *                                          or "1-" 8hex "-" 24hex [ "@" 16hex ] (X-Ray, with its segment)
 * All-zero ids are no ids.
 */
import { parseSpanId, parseTraceId, type SpanId, type TraceId } from '../../model/ids.ts'

export interface TraceReference {
  readonly traceId: TraceId
  /** Absent when only the trace is named. */
  readonly spanId: SpanId | undefined
  /** W3C trace flags; bit 0 is "sampled". */
  readonly flags: number
}

export function parseTraceparent(text: string): TraceReference | undefined {
  const match = /^\s*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\s*$/i.exec(text)
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

/** A trace id as people log it: hex in both lengths, a UUID, X-Ray's form, which may name the span too, or Google's. */
export function parseLooseReference(text: string): TraceReference | undefined {
  const xray = /^1-([0-9a-f]{8})-([0-9a-f]{24})(?:@([0-9a-f]{16}))?$/i.exec(text)
  if (xray !== null) return reference(xray[1]! + xray[2]!, xray[3] ?? '', 0)
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return reference(text.replaceAll('-', ''), '', 0)
  const id = text.replace(/^projects\/[^/]{1,64}\/traces\//, '')
  return id.length === 32 || id.length === 16 ? reference(id, '', 0) : undefined
}

/** `name=value` or `"name": "value"` inside a line of text; the first form that holds wins. */
const named =
  /\b(traceparent|uber-trace-id|x-amzn-trace-id|b3|(?:otel|xray[._-]?)?trace[._-]?id|x-b3-traceid)["']?\s*[=:]\s*["']?([^\s"',\]})]{16,})/gi
const namedSpan =
  /\b(?:(?:otel)?span[._-]?id|segment[._-]?id|x-b3-spanid)["']?\s*[=:]\s*["']?([0-9a-f]{16})(?![0-9a-f])/i

/** The context a plain line of text names, such as `… trace_id=… span_id=…`; `undefined` when it names none. */
export function findTraceReference(text: string): TraceReference | undefined {
  for (const [, name, value] of text.matchAll(named)) {
    const carrier = carrierParsers[name!.toLowerCase()]
    const found = carrier === undefined ? bareReference(value!, text) : carrier(value!)
    if (found !== undefined) return found
  }
  return undefined
}

/** Header-like names and how their values are read. */
export const carrierParsers: Readonly<Record<string, (text: string) => TraceReference | undefined>> = {
  traceparent: parseTraceparent,
  b3: parseB3,
  'uber-trace-id': parseUberTraceId,
  'x-amzn-trace-id': parseXRay,
}

function bareReference(value: string, text: string): TraceReference | undefined {
  let end = value.length
  while (';|.'.includes(value[end - 1] ?? '?')) end--
  const found = parseLooseReference(value.slice(0, end))
  if (found === undefined) return undefined
  return { ...found, spanId: found.spanId ?? parseSpanId(namedSpan.exec(text)?.[1] ?? '') }
}

function reference(trace: string, span: string, flags: number): TraceReference | undefined {
  const traceId = parseTraceId(trace)
  const spanId = parseSpanId(span)
  // A parent of all zeros makes a traceparent invalid; X-Ray may name the trace alone.
  return traceId === undefined || (span !== '' && spanId === undefined) ? undefined : { traceId, spanId, flags }
}
