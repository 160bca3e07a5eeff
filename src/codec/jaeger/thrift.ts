/**
 * Jaeger spans in thrift, binary or compact (jaeger-idl thrift/jaeger.thrift):
 *   Batch = 1 process · 2 spans* · 3 seqNo · 4 stats
 *   Process = 1 serviceName · 2 tags*
 *   Span = 1 traceIdLow i64 · 2 traceIdHigh i64 · 3 spanId i64 · 4 parentSpanId i64 · 5 operationName · 6 references*
 *        · 7 flags i32 · 8 startTime i64 µs · 9 duration i64 µs · 10 tags* · 11 logs*
 *   SpanRef = 1 refType i32 (0 CHILD_OF, 1 FOLLOWS_FROM) · 2 traceIdLow · 3 traceIdHigh · 4 spanId
 *   Tag = 1 key · 2 vType i32 (0 string, 1 double, 2 bool, 3 long, 4 binary) · 3 vStr · 4 vDouble · 5 vBool · 6 vLong
 *       · 7 vBinary
 *   Log = 1 timestamp i64 µs · 2 fields Tag*
 * The body is the batch's arena. A field with another type than listed here is skipped, as thrift requires.
 */
import { intOf } from '../../model/words.ts'
import { valueTypes, type ValueType } from '../../model/attribute-columns.ts'
import type { Attribute } from '../../model/attributes.ts'
import type { Codec, Decoded } from '../codec.ts'
import { microsProblem, setMicros } from '../span-times.ts'
import { SpanRows } from '../span-rows.ts'
import { ThriftBinaryReader } from '../thrift/binary.ts'
import { ThriftCompactReader } from '../thrift/compact.ts'
import { skip, thriftTypes, type ThriftReader } from '../thrift/reader.ts'
import { makeProcess, rememberedProcess, type Process } from './process.ts'
import { JaegerRows, setIdWords, type JaegerReference } from './rows.ts'
import { attributeOf, beginTag, endTag, newTag, setTagValue, validText, type JaegerTag } from './tag.ts'

/** A Batch without a message around it: the body that clients post to 14268. */
export const jaegerThriftBatch: Codec = { name: 'jaeger-thrift-batch', signal: 'spans', decode }

const rows = new SpanRows()
const jaegerRows = new JaegerRows(rows)

function decode(body: Uint8Array): Decoded {
  rows.reset(body)
  jaegerRows.reset()
  readBatch(new ThriftBinaryReader(body), jaegerRows)
  return rows.finish()
}

const { i64, i32, string, list, bool, struct, double } = thriftTypes

/** Calls `read` for each field of a struct; it returns false for an unknown field, which is skipped. */
function eachField(reader: ThriftReader, read: (id: number, type: number) => boolean): void {
  reader.structBegin()
  for (let type = reader.fieldBegin(); type !== thriftTypes.stop; type = reader.fieldBegin()) {
    if (!read(reader.fieldId, type)) skip(reader, type)
  }
}

/** Calls `read` for each struct of a list; elements of another type are skipped. */
function eachStruct(reader: ThriftReader, read: () => void): void {
  reader.listBegin()
  const { size, elementType } = reader
  for (let i = 0; i < size; i++) {
    if (elementType === struct) read()
    else skip(reader, elementType)
  }
}

export function readBatch(reader: ThriftReader, into: JaegerRows): void {
  let process: Process | undefined
  let spansAt = -1
  eachField(reader, (field, type) => {
    if (field === 1 && type === struct) process = readProcess(reader)
    else if (field === 2 && type === list && process !== undefined)
      eachStruct(reader, () => readSpan(reader, into, process!))
    else {
      // Spans that come before their process are read once the process is known.
      if (field === 2 && type === list) spansAt = reader.at
      return false
    }
    return true
  })
  if (spansAt < 0) return
  const end = reader.at
  reader.at = spansAt
  eachStruct(reader, () => readSpan(reader, into, process ?? 'a batch without a process'))
  reader.at = end
}

function readProcess(reader: ThriftReader): Process {
  const start = reader.at
  skip(reader, struct)
  const end = reader.at
  const encoding = reader instanceof ThriftCompactReader ? 'compact' : 'binary'
  const process = rememberedProcess(encoding, reader.bytes, { start, end }, () => {
    reader.at = start
    return decodeProcess(reader)
  })
  reader.at = end
  return process
}

function decodeProcess(reader: ThriftReader): Process {
  let name = ''
  const tags: Attribute[] = []
  const tag = newTag()
  eachField(reader, (field, type) => {
    if (field === 1 && type === string) {
      reader.text()
      name = validText('serviceName', reader.bytes, reader.textStart, reader.textEnd)
    } else if (field === 2 && type === list) {
      eachStruct(reader, () => {
        readTag(reader, tag)
        tags.push(attributeOf(tag, reader.bytes))
      })
    } else return false
    return true
  })
  return makeProcess(name, tags)
}

function readSpan(reader: ThriftReader, into: JaegerRows, process: Process): void {
  into.begin()
  const { builder, row, tag } = into
  const setId = (to: Uint8Array, at: number): void => {
    reader.i64()
    setIdWords(to, at, reader.low, reader.high)
  }
  const setTime = (words: Uint32Array, what: string): void => {
    if (!setMicros(words, row, reader.low, reader.high)) into.note(microsProblem(what))
  }
  reader.structBegin()
  for (let type = reader.fieldBegin(); type !== thriftTypes.stop; type = reader.fieldBegin()) {
    const field = reader.fieldId
    if (field === 10 && type === list) {
      eachStruct(reader, () => {
        readTag(reader, tag)
        into.addTag()
      })
    } else if (field === 1 && type === i64) setId(builder.traceIds, row * 16 + 8)
    else if (field === 2 && type === i64) setId(builder.traceIds, row * 16)
    else if (field === 3 && type === i64) setId(builder.spanIds, row * 8)
    else if (field === 4 && type === i64) setId(builder.parentSpanIds, row * 8)
    else if (field === 5 && type === string) {
      reader.text()
      into.setName(reader.textStart, reader.textEnd)
    } else if (field === 6 && type === list) {
      eachStruct(reader, () => {
        into.countObject()
        into.references.push(readReference(reader))
      })
    } else if (field === 7 && type === i32) into.flags = reader.i32()
    else if (field === 8 && type === i64) {
      reader.i64()
      setTime(builder.startWords, 'startTime')
    } else if (field === 9 && type === i64) {
      reader.i64()
      // A negative one counts as none, as in Zipkin.
      if (reader.high < 0x80000000) setTime(builder.durationWords, 'duration')
    } else if (field === 11 && type === list) eachStruct(reader, () => readLog(reader, into))
    else skip(reader, type)
  }
  into.end(process)
}

function readReference(reader: ThriftReader): JaegerReference {
  const reference: JaegerReference = { traceId: new Uint8Array(16), spanId: new Uint8Array(8), type: 0 }
  eachField(reader, (field, type) => {
    if (field === 1 && type === i32) reference.type = reader.i32()
    else if (type === i64 && field >= 2 && field <= 4) {
      reader.i64()
      const to = field === 4 ? reference.spanId : reference.traceId
      setIdWords(to, field === 2 ? 8 : 0, reader.low, reader.high)
    } else return false
    return true
  })
  return reference
}

function readLog(reader: ThriftReader, into: JaegerRows): void {
  let time = 0n
  const fields: Attribute[] = []
  eachField(reader, (id, type) => {
    if (id === 1 && type === i64) {
      reader.i64()
      time = intOf(reader.low, reader.high) * 1000n
    } else if (id === 2 && type === list) {
      eachStruct(reader, () => {
        readTag(reader, into.tag)
        fields.push(into.field())
      })
    } else return false
    return true
  })
  into.addLog(time, fields)
}

/** By the numbers of jaeger.thrift `TagType`. */
const tagTypes: readonly ValueType[] = [
  valueTypes.string,
  valueTypes.double,
  valueTypes.bool,
  valueTypes.int,
  valueTypes.other,
]

function readTag(reader: ThriftReader, tag: JaegerTag): void {
  beginTag(tag)
  reader.structBegin()
  for (let type = reader.fieldBegin(); type !== thriftTypes.stop; type = reader.fieldBegin()) {
    const field = reader.fieldId
    if (field === 1 && type === string) {
      reader.text()
      tag.keyStart = reader.textStart
      tag.keyEnd = reader.textEnd
    } else if (field === 2 && type === i32) tag.type = tagTypes[reader.i32()] ?? valueTypes.string
    else if ((field === 3 || field === 7) && type === string) {
      reader.text()
      const valueType = field === 3 ? valueTypes.string : valueTypes.other
      setTagValue(valueType, reader.textStart, reader.textEnd - reader.textStart)
    } else if (field === 4 && type === double) {
      reader.double()
      setTagValue(valueTypes.double, reader.low, reader.high)
    } else if (field === 5 && type === bool) setTagValue(valueTypes.bool, reader.bool() ? 1 : 0, 0)
    else if (field === 6 && type === i64) {
      reader.i64()
      setTagValue(valueTypes.int, reader.low, reader.high)
    } else skip(reader, type)
  }
  endTag(tag)
}
