/**
 * Zipkin v2 JSON (zipkin-api zipkin2-api.yaml, `ListOfSpans`); unknown fields and nulls are skipped:
 *   list = [ span, … ]
 *   span = { traceId 1-32 hex · id 1-16 hex · parentId · kind CLIENT|SERVER|PRODUCER|CONSUMER · name
 *          · timestamp µs · duration µs · localEndpoint, remoteEndpoint endpoint
 *          · annotations [{ timestamp µs · value }] · tags { key: value } · debug · shared }
 *   endpoint = { serviceName · ipv4 · ipv6 · port }
 * The body is the batch's arena, read byte by byte without an object per span; texts with escapes, which are rare, are
 * appended to it. An invalid span costs only itself; broken JSON costs the whole list.
 */
import { InputError } from '../../base/errors.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { JsonFields } from '../json/fields.ts'
import {
  closeArray,
  closeObject,
  JsonScanner,
  letterF,
  letterN,
  letterT,
  openArray,
  openObject,
  quote,
} from '../json/json-scanner.ts'
import { noteRepair, repairJsonBody } from '../repairs.ts'
import { SpanRows } from '../span-rows.ts'
import { byteOrderMarkLength } from '../utf8.ts'
import { ZipkinRows } from './rows.ts'
import { clearEndpoint, portMax, zipkinKinds, ZipkinSpan, type TextRange, type ZipkinEndpoint } from './span.ts'

export const zipkinJsonV2: Codec = { name: 'zipkin-json-v2', signal: 'spans', decode }

const rows = new SpanRows()
const zipkinRows = new ZipkinRows(rows)
const span = new ZipkinSpan()
const json = new JsonScanner()

const expectedV2 = 'Expected a JSON_V2 encoded list'
const unexpectedV1 = `${expectedV2}, but received: JSON_V1`

/** What is wrong with the current span; '' so far. */
let problem = ''

function decode(received: Uint8Array, context: DecodeContext): Decoded {
  rows.reset()
  const body = repairJsonBody(received)
  rows.use(body)
  zipkinRows.reset(context)
  json.reset(body, byteOrderMarkLength(body))
  if (json.peek() === -1) return rows.finish()
  if (!json.take(openArray)) throw new InputError('bad_request', `${expectedV2}: it does not begin with "["`)
  if (!json.take(closeArray)) {
    do {
      readSpan()
      if (problem === '') zipkinRows.add(span)
      else rows.reject(problem)
    } while (json.more(closeArray))
  }
  json.finish()
  return rows.finish()
}

function readSpan(): void {
  span.reset()
  problem = ''
  if (json.peek() !== openObject) {
    problem = 'a span is not an object'
    json.skip()
    return
  }
  readObject(spanFields)
}

const spanFields = new JsonFields<() => void>({
  traceId: () => readId('traceId', span.traceId),
  id: () => readId('id', span.id),
  parentId: readParentId,
  kind: readKind,
  name: () => readText('name', span.name),
  timestamp: () => (span.timestamp = readInteger('timestamp')),
  duration: () => (span.duration = readInteger('duration')),
  localEndpoint: () => readEndpoint('localEndpoint', span.localEndpoint),
  remoteEndpoint: () => readEndpoint('remoteEndpoint', span.remoteEndpoint),
  annotations: readAnnotations,
  tags: readTags,
  debug: () => (span.debug = readBool('debug')),
  shared: () => (span.shared = readBool('shared')),
  // A field of v1 only: rejected with a reason, as its content would be lost.
  binaryAnnotations() {
    throw new InputError('bad_request', unexpectedV1, { at: 'binaryAnnotations' })
  },
})

/** The endpoint that `endpointFields` read into. */
let endpoint: ZipkinEndpoint = span.localEndpoint

const endpointFields = new JsonFields<() => void>({
  serviceName: () => readText('serviceName', endpoint.serviceName),
  ipv4: () => readText('ipv4', endpoint.ipv4),
  ipv6: () => readText('ipv6', endpoint.ipv6),
  port() {
    endpoint.port = readInteger('port')
    if (endpoint.port < 0 || endpoint.port > portMax) note(`port ${endpoint.port} is not in 1 … ${portMax}`)
  },
})

let annotationTimestamp = 0
let annotationValue = ''

const annotationFields = new JsonFields<() => void>({
  timestamp: () => (annotationTimestamp = readInteger('annotation timestamp')),
  value: () => (annotationValue = readString('annotation value') ? json.text() : ''),
})

/** Reads an object that comes next; members that are null or not in the table are skipped. */
function readObject(fields: JsonFields<() => void>): void {
  json.at++
  if (json.take(closeObject)) return
  do {
    json.name()
    const read = fields.find(json)
    if (read === undefined || json.peek() === letterN) json.skip()
    else read()
  } while (json.more(closeObject))
}

function note(what: string): void {
  if (problem === '') problem = what
}

/** Reads a string, or a number or bool as the text it is written with; false for any other value. */
function readString(what: string): boolean {
  const byte = json.peek()
  if (byte === quote) json.string()
  else if (byte === openObject || byte === openArray) {
    json.skip()
    note(`${what} is not text`)
    return false
  } else if (byte === letterT || byte === letterF || byte === letterN) json.literal()
  else json.number()
  return true
}

function readText(what: string, range: TextRange): void {
  range.length = 0
  if (readString(what)) keepText(range)
}

/** Where the text just read is in the arena. */
function keepText(range: TextRange): void {
  if (json.hasEscapes) {
    range.start = rows.builder.appendText(json.text())
    range.length = rows.builder.textLength
  } else {
    range.start = json.textStart
    range.length = json.textEnd - json.textStart
  }
}

/** Hex digits, padded with zeros on the left to the id's length; null and '' are absent. */
function readId(what: string, id: Uint8Array): void {
  id.fill(0)
  if (json.peek() !== quote) {
    json.skip()
    note(`${what} is not text`)
    return
  }
  json.string()
  const text = json.hasEscapes ? Buffer.from(json.text()) : undefined
  const bytes = text ?? json.bytes
  const start = text === undefined ? json.textStart : 0
  const end = text === undefined ? json.textEnd : text.length
  if (end - start > id.length * 2) return note(`${what} has over ${id.length * 2} digits`)
  for (let from = end - 1, digit = id.length * 2 - 1; from >= start; from--, digit--) {
    const value = hexValues[bytes[from]!]!
    if (value > 15) return note(`${what} is not hex`)
    id[digit >> 1]! |= (digit & 1) === 1 ? value : value << 4
  }
}

/** An invalid parent makes the span a root; the span is kept. */
function readParentId(): void {
  const before = problem
  problem = ''
  readId('parentId', span.parentId)
  if (problem !== '') {
    span.parentId.fill(0)
    noteRepair(problem)
  }
  problem = before
}

function readKind(): void {
  if (!readString('kind')) return
  const text = json.text()
  span.kind = zipkinKinds[text] ?? 0
  if (span.kind === 0) note(`kind ${text} is not one of ${Object.keys(zipkinKinds).join(', ')}`)
}

/** An integer, possibly written as text or with a fraction, which is cut off. */
function readInteger(what: string): number {
  const byte = json.peek()
  if (byte === quote || byte === openObject || byte === openArray || byte === letterT || byte === letterF) {
    const value = byte === quote && readString(what) && json.textEnd > json.textStart ? Number(json.text()) : Number.NaN
    if (byte !== quote) json.skip()
    if (!Number.isFinite(value)) note(`${what} is not a number`)
    return Number.isFinite(value) ? Math.trunc(value) : 0
  }
  json.number()
  const value = json.numberValue()
  if (!Number.isFinite(value)) note(`${what} is not a number`)
  return Math.trunc(value)
}

/** True or false, also as text. */
function readBool(what: string): boolean {
  const byte = json.peek()
  if (byte === letterT || byte === letterF) return json.literal() === 1
  json.skip()
  if (byte === quote && /^(true|false)$/i.test(json.text())) return json.text().toLowerCase() === 'true'
  note(`${what} is not true or false`)
  return false
}

function readEndpoint(what: string, into: ZipkinEndpoint): void {
  clearEndpoint(into)
  endpoint = into
  if (json.peek() === openObject) return readObject(endpointFields)
  json.skip()
  note(`${what} is not an object`)
}

function readAnnotations(): void {
  span.annotations = []
  if (json.peek() !== openArray) {
    json.skip()
    return note('annotations is not a list')
  }
  json.at++
  if (json.take(closeArray)) return
  do {
    rows.countObject()
    annotationTimestamp = 0
    annotationValue = ''
    if (json.peek() === openObject) readObject(annotationFields)
    else {
      json.skip()
      note('an annotation is not an object')
    }
    span.annotations.push({ timestamp: annotationTimestamp, value: annotationValue })
  } while (json.more(closeArray))
}

const key: TextRange = { start: 0, length: 0 }
const value: TextRange = { start: 0, length: 0 }

function readTags(): void {
  span.tagCount = 0
  if (json.peek() !== openObject) {
    json.skip()
    return note('tags is not an object')
  }
  json.at++
  if (json.take(closeObject)) return
  do {
    json.name()
    keepText(key)
    if (json.peek() === letterN) {
      json.skip()
      note('a tag has no value')
    } else if (readString('a tag value')) {
      keepText(value)
      span.addTag(key.start, key.length, value.start, value.length)
    }
  } while (json.more(closeObject))
}

/** Value of each hex digit by its character code; 16 for any other byte. */
const hexValues = new Uint8Array(256).fill(16)
for (let digit = 0; digit < 16; digit++) {
  const character = digit.toString(16)
  hexValues[character.charCodeAt(0)] = digit
  hexValues[character.toUpperCase().charCodeAt(0)] = digit
}
