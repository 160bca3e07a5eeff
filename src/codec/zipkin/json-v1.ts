/**
 * Zipkin v1 JSON (zipkin-api zipkin-api.yaml), unknown fields ignored:
 *   list = [ span, … ]
 *   span = { traceId 1-32 hex · id 1-16 hex · parentId · name · timestamp µs · duration µs · debug
 *          · annotations [{ timestamp µs · value · endpoint }]
 *          · binaryAnnotations [{ key · value text|number|bool · endpoint }] }
 *   endpoint = { serviceName · ipv4 · ipv6 · port }
 * Only clients from before 2017 send this format: it is rare enough to decode through objects. v1-span.ts converts to
 * v2.
 */
import { InputError, messageOf } from '../../base/errors.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { noteRepair, repairJsonBody } from '../repairs.ts'
import { SpanRows } from '../span-rows.ts'
import { byteOrderMarkLength, utf8Text } from '../utf8.ts'
import type { PlainEndpoint } from './plain-span.ts'
import { ZipkinRows } from './rows.ts'
import { portMax } from './span.ts'
import { addV1 } from './v1-rows.ts'
import type { V1BinaryAnnotation, V1Span } from './v1-span.ts'

export const zipkinJsonV1: Codec = { name: 'zipkin-json-v1', signal: 'spans', decode }

/** Objects take up to twenty times the bytes of their JSON. */
const bodyBytesMax = 16 << 20

const rows = new SpanRows()
const zipkinRows = new ZipkinRows(rows)

type Json = { readonly [key: string]: unknown }

/** Thrown inside one span, with the reason for its rejection. */
class SpanProblem extends Error {}

function decode(body: Uint8Array, context: DecodeContext): Decoded {
  rows.reset()
  const spans = parseList(body)
  zipkinRows.reset(context)
  for (const json of spans) addV1(spanOf(json), rows, zipkinRows)
  return rows.finish()
}

function parseList(body: Uint8Array): unknown[] {
  if (body.length > bodyBytesMax) {
    throw new InputError(
      'too_large',
      `cannot take more than ${bodyBytesMax} bytes of Zipkin v1 JSON; send smaller batches or v2`,
    )
  }
  const text = repairJsonBody(body)
  const start = byteOrderMarkLength(text)
  if (text.length === start) return []
  let json: unknown
  try {
    json = JSON.parse(utf8Text(text, start, text.length))
  } catch (error) {
    throw new InputError('bad_request', `cannot decode Zipkin JSON: ${messageOf(error)}`, { cause: error })
  }
  if (!Array.isArray(json)) throw new InputError('bad_request', 'Expected a JSON_V1 encoded list')
  const isV2 = json.some(
    (span) => isObject(span) && ['localEndpoint', 'remoteEndpoint', 'tags'].some((key) => key in span),
  )
  if (isV2) throw new InputError('bad_request', 'Expected a JSON_V1 encoded list, but received: JSON_V2')
  return json
}

/** The span, or what is wrong with it. */
function spanOf(json: unknown): V1Span | string {
  try {
    return isObject(json) ? readSpan(json) : 'a span is not an object'
  } catch (error) {
    if (error instanceof SpanProblem) return error.message
    throw error
  }
}

function readSpan(json: Json): V1Span {
  const span: V1Span = {
    traceId: idOf(json, 'traceId', 32),
    id: idOf(json, 'id', 16),
    timestamp: numberOf(json, 'timestamp'),
    duration: numberOf(json, 'duration'),
    annotations: listOf(json, 'annotations').map((annotation) => ({
      timestamp: numberOf(annotation, 'timestamp'),
      value: textOf(annotation, 'value') ?? '',
      endpoint: endpointOf(annotation),
    })),
    binaryAnnotations: listOf(json, 'binaryAnnotations').map(readBinaryAnnotation),
    debug: json.debug === true || json.debug === 'true',
  }
  const parentId = parentOf(json)
  const name = textOf(json, 'name')
  if (parentId !== '') span.parentId = parentId
  if (name !== undefined) span.name = name
  return span
}

function readBinaryAnnotation(json: Json): V1BinaryAnnotation {
  const key = textOf(json, 'key') ?? ''
  const endpoint = endpointOf(json)
  const isAddress =
    (json.value === true || json.value === 'true') &&
    endpoint !== undefined &&
    (key === 'sa' || key === 'ca' || key === 'ma')
  return { key, value: isAddress ? undefined : (textOf(json, 'value') ?? ''), endpoint }
}

function endpointOf(json: Json): PlainEndpoint | undefined {
  const { endpoint: from } = json
  if (from === undefined || from === null) return undefined
  if (!isObject(from)) throw new SpanProblem('endpoint is not an object')
  const endpoint: PlainEndpoint = {}
  for (const key of ['serviceName', 'ipv4', 'ipv6'] as const) {
    const text = textOf(from, key)
    if (text !== undefined && text !== '') endpoint[key] = text
  }
  const port = numberOf(from, 'port')
  if (port > portMax) throw new SpanProblem(`port ${port} is not in 1 … ${portMax}`)
  if (port > 0) endpoint.port = port
  return endpoint
}

/** An invalid parent makes the span a root; the span is kept. */
function parentOf(json: Json): string {
  try {
    return idOf(json, 'parentId', 16)
  } catch (error) {
    if (!(error instanceof SpanProblem)) throw error
    noteRepair(error.message)
    return ''
  }
}

function idOf(json: Json, key: string, digitsMax: number): string {
  const text = textOf(json, key) ?? ''
  if (text.length > digitsMax) throw new SpanProblem(`${key} has over ${digitsMax} digits`)
  if (!/^[0-9a-f]*$/i.test(text)) throw new SpanProblem(`${key} is not hex`)
  return text
}

function textOf(json: Json, key: string): string | undefined {
  const value = json[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new SpanProblem(`${key} is not text`)
}

/** A whole number of at least 0; 0 when absent. */
function numberOf(json: Json, key: string): number {
  const value = json[key] ?? 0
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
  if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER))
    throw new SpanProblem(`${key} is not a number from 0 to 2^53`)
  return Math.trunc(number)
}

function listOf(json: Json, key: string): Json[] {
  const value = json[key] ?? []
  if (!Array.isArray(value) || !value.every(isObject)) throw new SpanProblem(`${key} is not a list of objects`)
  return value
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
