/**
 * Jaeger spans in protobuf (jaeger-idl proto/api_v2/collector.proto, model.proto):
 *   PostSpansRequest = 1 Batch · Batch = 1 spans* · 2 process · Process = 1 service_name · 2 tags*
 *   Span = 1 trace_id 16 bytes · 2 span_id 8 bytes · 3 operation_name · 4 references* · 5 flags · 6 start_time Timestamp
 *        · 7 duration Duration · 8 tags* · 9 logs* · 10 process, which wins over the batch's
 *   SpanRef = 1 trace_id · 2 span_id · 3 ref_type (0 CHILD_OF, 1 FOLLOWS_FROM)
 *   KeyValue = 1 key · 2 v_type (0 string, 1 bool, 2 int64, 3 float64, 4 binary) · 3 v_str · 4 v_bool · 5 v_int64
 *            · 6 v_float64 · 7 v_binary
 *   Log = 1 timestamp · 2 fields KeyValue* · Timestamp, Duration = 1 seconds · 2 nanos
 */
import { valueTypes, type ValueType } from '../../model/attribute-columns.ts'
import type { Attribute } from '../../model/attributes.ts'
import { intOf, setWords } from '../../model/words.ts'
import type { Codec, Decoded } from '../codec.ts'
import { readLooseId } from '../otlp/loose-values.ts'
import { WireReader } from '../otlp/wire.ts'
import { microsProblem } from '../span-times.ts'
import { SpanRows } from '../span-rows.ts'
import { makeProcess, rememberedProcess, type Process } from './process.ts'
import { JaegerRows, type JaegerReference } from './rows.ts'
import { attributeOf, beginTag, endTag, newTag, setTagValue, validText, type JaegerTag } from './tag.ts'

export const jaegerProtobuf: Codec = { name: 'jaeger-protobuf', signal: 'spans', decode }

const rows = new SpanRows()
const into = new JaegerRows(rows)

const noProcess = makeProcess('', [])

function decode(body: Uint8Array): Decoded {
  rows.reset(body)
  into.reset()
  const reader = new WireReader(body)
  eachField(reader, body.length, (tag) => {
    if (tag !== 0x0a) return false
    readBatch(reader, reader.lengthEnd(body.length))
    return true
  })
  return rows.finish()
}

/** Calls `read` with the tag of each field; it returns false for an unknown field, which is skipped. */
function eachField(reader: WireReader, end: number, read: (tag: number) => boolean): void {
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (!read(tag)) reader.skip(tag & 7, end)
  }
}

/** Encoders write the process after the spans, so it is looked for first. */
function readBatch(reader: WireReader, end: number): void {
  const start = reader.at
  let process: Process = noProcess
  eachField(reader, end, (tag) => {
    if (tag !== 0x12) return false
    process = readProcess(reader, reader.lengthEnd(end))
    return true
  })
  reader.at = start
  eachField(reader, end, (tag) => {
    if (tag !== 0x0a) return false
    readSpan(reader, reader.lengthEnd(end), process)
    return true
  })
}

function readProcess(reader: WireReader, end: number): Process {
  const start = reader.at
  const process = rememberedProcess('protobuf', reader.bytes, { start, end }, () => decodeProcess(reader, end))
  reader.at = end
  return process
}

function decodeProcess(reader: WireReader, end: number): Process {
  let name = ''
  const tags: Attribute[] = []
  const scratch = newTag()
  eachField(reader, end, (tag) => {
    if (tag === 0x0a) {
      const stop = reader.lengthEnd(end)
      name = validText('service_name', reader.bytes, reader.at, stop)
      reader.at = stop
    } else if (tag === 0x12) {
      readTag(reader, reader.lengthEnd(end), scratch)
      tags.push(attributeOf(scratch, reader.bytes))
    } else return false
    return true
  })
  return makeProcess(name, tags)
}

function readSpan(reader: WireReader, end: number, batchProcess: Process): void {
  let process = batchProcess
  into.begin()
  const { builder, row } = into
  while (reader.at < end) {
    const tag = reader.tag(end)
    switch (tag) {
      case 0x0a:
        readId(reader, reader.lengthEnd(end), builder.traceIds.subarray(row * 16, row * 16 + 16), 'trace_id')
        break
      case 0x12:
        readId(reader, reader.lengthEnd(end), builder.spanIds.subarray(row * 8, row * 8 + 8), 'span_id')
        break
      case 0x1a: {
        const stop = reader.lengthEnd(end)
        into.setName(reader.at, stop)
        reader.at = stop
        break
      }
      case 0x22:
        into.countObject()
        into.references.push(readReference(reader, reader.lengthEnd(end)))
        break
      case 0x28:
        into.flags = reader.varint32(end)
        break
      case 0x32:
        setTime(builder.startWords, readTime(reader, reader.lengthEnd(end)), 'start_time')
        break
      case 0x3a:
        setTime(builder.durationWords, noneIfNegative(readTime(reader, reader.lengthEnd(end))), 'duration')
        break
      case 0x42:
        readTag(reader, reader.lengthEnd(end), into.tag)
        into.addTag()
        break
      case 0x4a:
        readLog(reader, reader.lengthEnd(end))
        break
      case 0x52:
        process = readProcess(reader, reader.lengthEnd(end))
        break
      default:
        reader.skip(tag & 7, end)
    }
  }
  into.end(process)
}

function setTime(words: Uint32Array, nanos: bigint, what: string): void {
  if (nanos < 0n || nanos >= 1n << 63n) into.note(microsProblem(what))
  else setWords(words, into.row, nanos)
}

/** A negative duration counts as none, as in Zipkin. */
function noneIfNegative(nanos: bigint): bigint {
  return nanos < 0n ? 0n : nanos
}

/** Nanoseconds of a Timestamp or Duration. */
function readTime(reader: WireReader, end: number): bigint {
  let seconds = 0n
  let nanos = 0n
  eachField(reader, end, (tag) => {
    if (tag !== 0x08 && tag !== 0x10) return false
    reader.varint32(end)
    const value = intOf(reader.low, reader.high)
    if (tag === 0x08) seconds = value
    else nanos = value
    return true
  })
  return seconds * 1_000_000_000n + nanos
}

/** Shorter ids are padded with zeros on the left. */
function readId(reader: WireReader, end: number, to: Uint8Array, what: string): void {
  const length = end - reader.at
  if (length > to.length) into.note(`${what} has ${length} bytes, not ${to.length}`)
  else to.set(reader.bytes.subarray(reader.at, end), to.length - length)
  reader.at = end
}

function readReference(reader: WireReader, end: number): JaegerReference {
  const reference: JaegerReference = { traceId: new Uint8Array(16), spanId: new Uint8Array(8), type: 0 }
  eachField(reader, end, (tag) => {
    if (tag === 0x0a) readLooseId(reader, reader.lengthEnd(end), reference.traceId, 'reference trace_id')
    else if (tag === 0x12) readLooseId(reader, reader.lengthEnd(end), reference.spanId, 'reference span_id')
    else if (tag === 0x18) reference.type = reader.varint32(end)
    else return false
    return true
  })
  return reference
}

function readLog(reader: WireReader, end: number): void {
  let time = 0n
  const fields: Attribute[] = []
  eachField(reader, end, (tag) => {
    if (tag === 0x0a) time = readTime(reader, reader.lengthEnd(end))
    else if (tag === 0x12) {
      readTag(reader, reader.lengthEnd(end), into.tag)
      fields.push(into.field())
    } else return false
    return true
  })
  into.addLog(time, fields)
}

/** By the numbers of model.proto `ValueType`. */
const tagTypes: readonly ValueType[] = [
  valueTypes.string,
  valueTypes.bool,
  valueTypes.int,
  valueTypes.double,
  valueTypes.other,
]

function readTag(reader: WireReader, end: number, tag: JaegerTag): void {
  beginTag(tag)
  eachField(reader, end, (wire) => {
    if (wire === 0x0a || wire === 0x1a || wire === 0x3a) {
      const stop = reader.lengthEnd(end)
      if (wire === 0x0a) {
        tag.keyStart = reader.at
        tag.keyEnd = stop
      } else setTagValue(wire === 0x1a ? valueTypes.string : valueTypes.other, reader.at, stop - reader.at)
      reader.at = stop
    } else if (wire === 0x10) tag.type = tagTypes[reader.varint32(end)] ?? valueTypes.string
    else if (wire === 0x20) setTagValue(valueTypes.bool, reader.varint32(end) === 0 ? 0 : 1, 0)
    else if (wire === 0x28 || wire === 0x31) {
      if (wire === 0x28) reader.varint32(end)
      else reader.fixed64(end)
      setTagValue(wire === 0x28 ? valueTypes.int : valueTypes.double, reader.low, reader.high)
    } else return false
    return true
  })
  endTag(tag)
}
