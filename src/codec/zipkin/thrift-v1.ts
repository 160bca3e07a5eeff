/**
 * Zipkin v1 thrift (zipkin-api thrift/zipkincore.thrift), as a bare list over HTTP and in Jaeger agent messages:
 *   Span = 1 trace_id i64 · 3 name · 4 id i64 · 5 parent_id i64 · 6 annotations* · 8 binary_annotations* · 9 debug
 *        · 10 timestamp i64 µs · 11 duration i64 µs · 12 trace_id_high i64
 *   Annotation = 1 timestamp i64 µs · 2 value · 3 host Endpoint
 *   BinaryAnnotation = 1 key · 2 value bytes · 3 annotation_type i32 · 4 host Endpoint
 *   Endpoint = 1 ipv4 i32 · 2 port i16 · 3 service_name · 4 ipv6 16 bytes
 *   annotation_type = 0 bool · 1 bytes · 2 i16 · 3 i32 · 4 i64 · 5 double · 6 string, numbers big-endian
 */
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { repairText } from '../repairs.ts'
import { SpanRows } from '../span-rows.ts'
import { ThriftBinaryReader } from '../thrift/binary.ts'
import { fail, skip, thriftTypes, type ThriftReader } from '../thrift/reader.ts'
import { isUtf8Range, utf8Text } from '../utf8.ts'
import { printIpv4, printIpv6 } from './address.ts'
import type { PlainEndpoint } from './plain-span.ts'
import { ZipkinRows } from './rows.ts'
import { addV1 } from './v1-rows.ts'
import type { V1Annotation, V1BinaryAnnotation, V1Span } from './v1-span.ts'

export const zipkinThriftV1: Codec = { name: 'zipkin-thrift-v1', signal: 'spans', decode }

const rows = new SpanRows()
const zipkinRows = new ZipkinRows(rows)

function decode(body: Uint8Array, context: DecodeContext): Decoded {
  rows.reset()
  zipkinRows.reset(context)
  const reader = new ThriftBinaryReader(body)
  readV1Spans(reader, rows, zipkinRows)
  if (reader.at !== body.length) fail(reader, 'something follows the list')
  return rows.finish()
}

/** Reads a list of spans into rows. */
export function readV1Spans(reader: ThriftReader, rows: SpanRows, zipkinRows: ZipkinRows): void {
  reader.listBegin()
  const { size, elementType } = reader
  if (size > 0 && elementType !== thriftTypes.struct) fail(reader, `a list of type ${elementType}, not of spans`)
  for (let i = 0; i < size; i++) addV1(readSpan(reader, rows), rows, zipkinRows)
}

/** Calls `read` for each field; it returns false for an unknown field, which is skipped. */
function eachField(reader: ThriftReader, read: (id: number, type: number) => boolean): void {
  reader.structBegin()
  for (let type = reader.fieldBegin(); type !== thriftTypes.stop; type = reader.fieldBegin()) {
    if (!read(reader.fieldId, type)) skip(reader, type)
  }
}

const { i64, i32, i16, string, list, bool, struct } = thriftTypes

function readSpan(reader: ThriftReader, rows: SpanRows): V1Span | string {
  const span: V1Span = {
    traceId: '',
    id: '',
    timestamp: 0,
    duration: 0,
    annotations: [],
    binaryAnnotations: [],
    debug: false,
  }
  let traceIdHigh = ''
  const problems: string[] = []
  eachField(reader, (field, type) => {
    if (field === 1 && type === i64) span.traceId = readHex(reader)
    else if (field === 3 && type === string) span.name = readText(reader, 'name')
    else if (field === 4 && type === i64) span.id = readHex(reader)
    else if (field === 5 && type === i64) span.parentId = readHex(reader)
    else if (field === 6 && type === list)
      readList(reader, rows, () => span.annotations.push(readAnnotation(reader, problems)))
    else if (field === 8 && type === list) {
      readList(reader, rows, () => span.binaryAnnotations.push(readBinaryAnnotation(reader, problems)))
    } else if (field === 9 && type === bool) span.debug = reader.bool()
    else if (field === 10 && type === i64) span.timestamp = readMicros(reader, 'timestamp', problems)
    else if (field === 11 && type === i64) span.duration = readMicros(reader, 'duration', problems)
    else if (field === 12 && type === i64) traceIdHigh = readHex(reader)
    else return false
    return true
  })
  span.traceId = traceIdHigh + span.traceId
  return problems[0] ?? span
}

function readList(reader: ThriftReader, rows: SpanRows, read: () => void): void {
  reader.listBegin()
  const { size, elementType } = reader
  for (let i = 0; i < size; i++) {
    rows.countObject()
    if (elementType === struct) read()
    else skip(reader, elementType)
  }
}

function readAnnotation(reader: ThriftReader, problems: string[]): V1Annotation {
  let timestamp = 0
  let value = ''
  let endpoint: PlainEndpoint | undefined
  eachField(reader, (field, type) => {
    if (field === 1 && type === i64) timestamp = readMicros(reader, 'annotation timestamp', problems)
    else if (field === 2 && type === string) value = readText(reader, 'annotation value')
    else if (field === 3 && type === struct) endpoint = readEndpoint(reader)
    else return false
    return true
  })
  return { timestamp, value, endpoint }
}

function readBinaryAnnotation(reader: ThriftReader, problems: string[]): V1BinaryAnnotation {
  let key = ''
  let bytes: Uint8Array = new Uint8Array(0)
  let valueType = 6
  let endpoint: PlainEndpoint | undefined
  eachField(reader, (field, type) => {
    if (field === 1 && type === string) key = readText(reader, 'binary annotation key')
    else if (field === 2 && type === string) {
      reader.text()
      bytes = reader.bytes.subarray(reader.textStart, reader.textEnd)
    } else if (field === 3 && type === i32) valueType = reader.i32()
    else if (field === 4 && type === struct) endpoint = readEndpoint(reader)
    else return false
    return true
  })
  const isAddress = valueType === 0 && bytes[0] === 1 && endpoint !== undefined && ['sa', 'ca', 'ma'].includes(key)
  return { key, value: isAddress ? undefined : printValue(valueType, bytes, problems), endpoint }
}

/** Widths of the numeric annotation types 2 … 5. */
const widths: Readonly<Record<number, number>> = { 2: 2, 3: 4, 4: 8, 5: 8 }

function printValue(type: number, bytes: Uint8Array, problems: string[]): string {
  if (type === 0) return bytes[0] === 1 ? 'true' : 'false'
  if (type === 1) return Buffer.from(bytes).toString('base64')
  const width = widths[type]
  if (width !== undefined) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length !== width)
      problems.push(`a binary annotation of type ${type} has ${bytes.length} bytes, not ${width}`)
    else if (type === 2) return String(view.getInt16(0))
    else if (type === 3) return String(view.getInt32(0))
    else return type === 4 ? String(view.getBigInt64(0)) : String(view.getFloat64(0))
    return ''
  }
  return validTextOf('a binary annotation', bytes, 0, bytes.length)
}

function readEndpoint(reader: ThriftReader): PlainEndpoint {
  const endpoint: PlainEndpoint = {}
  eachField(reader, (field, type) => {
    if (field === 1 && type === i32) {
      const address = reader.i32()
      const octets = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff)
      if (address !== 0) endpoint.ipv4 = printIpv4(Uint8Array.from(octets))
    } else if (field === 2 && type === i16) {
      const port = reader.i16() & 0xffff
      if (port !== 0) endpoint.port = port
    } else if (field === 3 && type === string) {
      const name = readText(reader, 'service_name')
      if (name !== '') endpoint.serviceName = name
    } else if (field === 4 && type === string) {
      reader.text()
      const address = printIpv6(reader.bytes.subarray(reader.textStart, reader.textEnd))
      if (address !== '') endpoint.ipv6 = address
    } else return false
    return true
  })
  return endpoint
}

function readText(reader: ThriftReader, what: string): string {
  reader.text()
  return validTextOf(what, reader.bytes, reader.textStart, reader.textEnd)
}

function validTextOf(what: string, bytes: Uint8Array, start: number, end: number): string {
  return isUtf8Range(bytes, start, end) ? utf8Text(bytes, start, end) : repairText(what, bytes, start, end)
}

/** 16 digits. */
function readHex(reader: ThriftReader): string {
  reader.i64()
  return reader.high.toString(16).padStart(8, '0') + reader.low.toString(16).padStart(8, '0')
}

function readMicros(reader: ThriftReader, what: string, problems: string[]): number {
  reader.i64()
  const value = reader.high * 4_294_967_296 + reader.low
  if (value > Number.MAX_SAFE_INTEGER) problems.push(`${what} is negative or over 2^53 µs`)
  return value
}
