/**
 * Zipkin v2 protobuf (zipkin-api zipkin.proto):
 *   ListOfSpans = 1 Span*
 *   Span = 1 trace_id bytes 8|16 · 2 parent_id bytes 8 · 3 id bytes 8 · 4 kind CLIENT 1, SERVER 2, PRODUCER 3, CONSUMER 4
 *        · 5 name · 6 timestamp fixed64 µs · 7 duration varint µs · 8 local_endpoint · 9 remote_endpoint
 *        · 10 annotations* · 11 tags map<string, string> · 12 debug · 13 shared
 *   Endpoint = 1 service_name · 2 ipv4 bytes 4 · 3 ipv6 bytes 16 · 4 port
 *   Annotation = 1 timestamp fixed64 µs · 2 value
 * Broken framing costs the whole list; any other mistake costs only its span.
 */
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { readLooseId } from '../otlp/loose-values.ts'
import { WireReader } from '../otlp/wire.ts'
import { repairText } from '../repairs.ts'
import { SpanRows } from '../span-rows.ts'
import { isUtf8Range, utf8Text } from '../utf8.ts'
import { printIpv4, printIpv6 } from './address.ts'
import { ZipkinRows } from './rows.ts'
import { portMax, zipkinKinds, ZipkinSpan, type TextRange, type ZipkinEndpoint } from './span.ts'

export const zipkinProtobufV2: Codec = { name: 'zipkin-protobuf-v2', signal: 'spans', decode }

const rows = new SpanRows()
const zipkinRows = new ZipkinRows(rows)
const span = new ZipkinSpan()

const { CLIENT, SERVER, PRODUCER, CONSUMER } = zipkinKinds
/** By the numbers of zipkin.proto. */
const kinds = [0, CLIENT!, SERVER!, PRODUCER!, CONSUMER!]

function decode(body: Uint8Array, context: DecodeContext): Decoded {
  rows.reset(body)
  zipkinRows.reset(context)
  const reader = new WireReader(body)
  while (reader.at < body.length) {
    const tag = reader.tag(body.length)
    if (tag !== 0x0a) {
      reader.skip(tag & 7, body.length)
      continue
    }
    const end = reader.lengthEnd(body.length)
    span.reset()
    const problem = readSpan(reader, end)
    if (problem === '') zipkinRows.add(span)
    else rows.reject(problem)
    reader.at = end
  }
  return rows.finish()
}

/** Reads a span; returns what is wrong with it, or ''. */
function readSpan(reader: WireReader, end: number): string {
  let problem = ''
  while (reader.at < end && problem === '') {
    const tag = reader.tag(end)
    switch (tag) {
      case 0x0a:
        problem = readId(reader, reader.lengthEnd(end), span.traceId, 'trace_id')
        break
      case 0x12:
        readLooseId(reader, reader.lengthEnd(end), span.parentId, 'parent_id')
        break
      case 0x1a:
        problem = readId(reader, reader.lengthEnd(end), span.id, 'id')
        break
      case 0x20: {
        const kind = kinds[reader.varint32(end)]
        if (kind === undefined) problem = `kind ${reader.low} is not 0 … 4`
        else span.kind = kind
        break
      }
      case 0x2a:
        readText(reader, reader.lengthEnd(end), span.name, 'name')
        break
      case 0x31:
        reader.fixed64(end)
        span.timestamp = toNumber(reader)
        break
      case 0x38:
        reader.varint32(end)
        span.duration = toNumber(reader)
        break
      case 0x42:
        problem = readEndpoint(reader, reader.lengthEnd(end), span.localEndpoint)
        break
      case 0x4a:
        problem = readEndpoint(reader, reader.lengthEnd(end), span.remoteEndpoint)
        break
      case 0x52:
        readAnnotation(reader, reader.lengthEnd(end))
        break
      case 0x5a:
        readTag(reader, reader.lengthEnd(end))
        break
      case 0x60:
        span.debug = reader.varint32(end) !== 0
        break
      case 0x68:
        span.shared = reader.varint32(end) !== 0
        break
      default:
        reader.skip(tag & 7, end)
    }
  }
  return problem
}

/** 64 bits of microseconds as a number; inexact only where the time is out of range anyway. */
function toNumber(reader: WireReader): number {
  return reader.high * 4_294_967_296 + reader.low
}

/** Ids may be shorter than their field; zeros fill the left. */
function readId(reader: WireReader, end: number, id: Uint8Array, what: string): string {
  const length = end - reader.at
  if (length > id.length) return `${what} has ${length} bytes, not ${id.length}`
  id.fill(0)
  id.set(reader.bytes.subarray(reader.at, end), id.length - length)
  reader.at = end
  return ''
}

/** The text in place, or a repaired copy at the end of the arena. */
function readText(reader: WireReader, end: number, range: TextRange, what: string): void {
  const { bytes, at } = reader
  const isText = isUtf8Range(bytes, at, end)
  range.start = isText ? at : rows.builder.appendText(repairText(what, bytes, at, end))
  range.length = isText ? end - at : rows.builder.textLength
  reader.at = end
}

function readEndpoint(reader: WireReader, end: number, endpoint: ZipkinEndpoint): string {
  while (reader.at < end) {
    const tag = reader.tag(end)
    let problem = ''
    if (tag === 0x0a) readText(reader, reader.lengthEnd(end), endpoint.serviceName, 'service_name')
    else if (tag === 0x12) readAddress(reader, reader.lengthEnd(end), endpoint.ipv4, printIpv4)
    else if (tag === 0x1a) readAddress(reader, reader.lengthEnd(end), endpoint.ipv6, printIpv6)
    else if (tag === 0x20) {
      endpoint.port = reader.varint32(end)
      if (reader.high !== 0 || endpoint.port > portMax) problem = `port ${endpoint.port} is not in 1 … ${portMax}`
    } else reader.skip(tag & 7, end)
    if (problem !== '') return problem
  }
  return ''
}

function readAddress(reader: WireReader, end: number, range: TextRange, print: (bytes: Uint8Array) => string): void {
  const text = print(reader.bytes.subarray(reader.at, end))
  range.start = rows.builder.appendText(text)
  range.length = rows.builder.textLength
  reader.at = end
}

function readAnnotation(reader: WireReader, end: number): void {
  rows.countObject()
  let timestamp = 0
  const value: TextRange = { start: 0, length: 0 }
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x09) {
      reader.fixed64(end)
      timestamp = toNumber(reader)
    } else if (tag === 0x12) readText(reader, reader.lengthEnd(end), value, 'annotation value')
    else reader.skip(tag & 7, end)
  }
  const { start, length } = value
  span.annotations.push({ timestamp, value: utf8Text(rows.builder.arena.bytes, start, start + length) })
}

const key: TextRange = { start: 0, length: 0 }
const value: TextRange = { start: 0, length: 0 }

function readTag(reader: WireReader, end: number): void {
  key.length = value.length = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a) readText(reader, reader.lengthEnd(end), key, 'a tag key')
    else if (tag === 0x12) readText(reader, reader.lengthEnd(end), value, 'a tag value')
    else reader.skip(tag & 7, end)
  }
  span.addTag(key.start, key.length, value.start, value.length)
}
