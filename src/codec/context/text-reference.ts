/**
 * The trace that a line of text names. Named values are tried first, then forms that nothing else has:
 *   name value    trace_id=…, "traceId": "…", traceparent: …, X-Amzn-Trace-Id=…, dd.trace_id=…, and a span id next to it
 *   traceparent   00-32hex-16hex-2hex without a name                     ; .NET's Activity.Id
 *   request id    "|" 32hex "." 16hex ( "." | "_" )                      ; .NET's RequestId
 *   X-Ray         [ "Self=…;" ] "Root=1-…" [ ";Parent=…" ]               ; the load balancers of AWS
 *   brackets      "[" 32hex "-" 16hex "]"                                ; Spring Boot 3
 *               | "[" app "," ( 16hex | 32hex ) "," 16hex [ "," export ] "]"  ; Sleuth
 * Nothing is guessed: 32 hex digits alone may be anything.
 */
import {
  carrierParsers,
  parseDatadog,
  parseLooseReference,
  reference,
  withSpan,
  type TraceReference,
} from './trace-reference.ts'

/** `name=value` or `"name": "value"` in a line of text; the first form that matches wins. */
const named =
  /\b(traceparent|uber-trace-id|x-amzn-trace-id|x-cloud-trace-context|b3|dd[._-]?trace[._-]?id|(?:otel|xray[._-]?)?trace[._-]?id|x-b3-traceid|trace|logging\.googleapis\.com\/trace)["']?\s*[=:]\s*["']?([^\s"',\]})]{8,})/gi
/** ECS and others nest the id: `"trace": {"id": "…"}`. */
const nested = /"trace"\s*:\s*\{\s*"id"\s*:\s*"([^"]{12,64})"/i
const hexDigits = '([0-9a-f]{12,16})(?![0-9a-f])'
const namedSpan = new RegExp(
  `(?<!dd[._-]?)\\b(?:(?:otel)?span[._-]?id|span|segment[._-]?id|x-b3-spanid|logging\\.googleapis\\.com/spanid)["']?\\s*[=:]\\s*["']?${hexDigits}`,
  'i',
)
const nestedSpan = new RegExp(`"span"\\s*:\\s*\\{\\s*"id"\\s*:\\s*"${hexDigits}"`, 'i')
/** Elastic's agents name the transaction when there is no span in it. */
const transaction = new RegExp(
  `(?:\\btransaction\\.id["']?\\s*[=:]\\s*["']?|"transaction"\\s*:\\s*\\{\\s*"id"\\s*:\\s*")${hexDigits}`,
  'i',
)
const datadogSpan = /\bdd[._-]?span[._-]?id["']?\s*[=:]\s*["']?(\d{1,20})(?![0-9a-z])/i

/** Each name may need a search of the whole text for the span, so only this many names of a text are searched for. */
const namesMax = 16

/** The context that a plain line of text names, such as `… trace_id=… span_id=…`; `undefined` when it names none. */
export function findTraceReference(text: string): TraceReference | undefined {
  let tries = namesMax
  for (const [, name, value] of text.matchAll(named)) {
    if (tries-- === 0) break
    const found = namedReference(name!.toLowerCase(), withoutEnd(value!), text)
    if (found !== undefined) return found
  }
  const inner = nested.exec(text)
  const found = inner === null ? undefined : parseLooseReference(inner[1]!)
  return found === undefined ? findForm(text) : withSpan(found, spanIn(text))
}

function namedReference(name: string, value: string, text: string): TraceReference | undefined {
  const carrier = carrierParsers[name]
  if (carrier !== undefined) return carrier(value)
  if (name.startsWith('dd')) return parseDatadog(value, datadogSpan.exec(text)?.[1] ?? '')
  // "trace" is also a word: it needs all 32 digits, or more.
  const found = name === 'trace' && value.length < 32 ? undefined : parseLooseReference(value)
  return found && withSpan(found, found.spanId === undefined ? spanIn(text) : '')
}

function withoutEnd(value: string): string {
  let end = value.length
  while (';|.'.includes(value[end - 1] ?? '?')) end--
  return value.slice(0, end)
}

function spanIn(text: string): string {
  for (const form of [namedSpan, nestedSpan, transaction]) {
    const found = form.exec(text)
    if (found !== null) return found[1]!
  }
  return ''
}

const w3c = /(?<![0-9a-z-])([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?![0-9a-z-])/i
const requestId = /(?<![0-9a-z])\|([0-9a-f]{32})\.([0-9a-f]{16})[._]/i
const root =
  /(?<![0-9a-z])Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;Parent=([0-9a-f]{16}))?(?:;Sampled=([01]))?(?![0-9a-z])/i
const pair = /\[([0-9a-f]{32})-([0-9a-f]{16})\]/i
const list = /\[[^[\],]{0,128},([0-9a-f]{32}|[0-9a-f]{16}),([0-9a-f]{16})(?:,(?:true|false)?)?\]/i

/** A form that needs no name to be recognised as context. */
function findForm(text: string): TraceReference | undefined {
  const parent = w3c.exec(text)
  if (parent !== null) return carrierParsers.traceparent!(parent[1]!)
  const xray = root.exec(text)
  if (xray !== null) return reference(xray[1]! + xray[2]!, xray[3] ?? '', Number(xray[4] ?? 0))
  const two = requestId.exec(text) ?? pair.exec(text) ?? list.exec(text)
  return two === null ? undefined : reference(two[1]!, two[2]!, 0)
}
