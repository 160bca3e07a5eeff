/**
 * OTLP logs from JSON (ProtoJSON of `logs-protobuf.ts`, with the exceptions of OTLP 1.11 "JSON Protobuf Encoding"):
 *   LogRecord = {timeUnixNano, observedTimeUnixNano, severityNumber, severityText, body, attributes[],
 *                droppedAttributesCount, flags, traceId, spanId, eventName}
 */
import { toAnyValueJson } from '../../model/attributes.ts'
import { bodyTypes, EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { repairJsonBody, resetRepairs, takeRepairs } from '../repairs.ts'
import { decodeAnyValueJson, decodeAttributesJson, internString, referString } from './any-value-json.ts'
import { decodeEnvelopeJson, type JsonRowVisitor } from './envelope-json.ts'
import type { JsonReader } from './json-reader.ts'
import { LogContext } from './log-context.ts'
import { LogSeverity } from './log-severity.ts'
import { readEnum, readLooseHexId, readTime, readUint32 } from './json-values.ts'

export const otlpLogsJson: Codec = { name: 'otlp-logs-json', signal: 'events', decode }

let builder = new EventBatchBuilder()
const context = new LogContext()
const severity = new LogSeverity()
let receivedNs = 0n

/** UNSPECIFIED, TRACE, TRACE2, … FATAL4 (logs.proto, `SeverityNumber`). */
const severityNames = {
  prefix: 'SEVERITY_NUMBER_',
  names: ['unspecified'].concat(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].flatMap((name) => [name, `${name}2`, `${name}3`, `${name}4`]),
  ),
}

const visitor: JsonRowVisitor = { levels: ['resourceLogs', 'scopeLogs', 'logRecords'], row: decodeLogRecord }

function decode(received: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  resetRepairs()
  const body = repairJsonBody(received)
  builder.reset('otlp', body)
  context.reset()
  severity.reset()
  receivedNs = BigInt(receivedAtMs) * 1_000_000n
  try {
    const { rejected, rejectedReason } = decodeEnvelopeJson(body, builder, visitor)
    return { batch: builder.finish(), rejected, rejectedReason, ...takeRepairs() }
  } finally {
    release()
  }
}

/** Nothing of a request is kept: not its bytes and, after a huge request, not its columns. */
function release(): void {
  if (builder.isLarge) builder = new EventBatchBuilder()
  else builder.reset('otlp')
}

function decodeLogRecord(reader: JsonReader, row: number): void {
  let time = 0n
  let observedTime = 0n
  builder.severityTexts[row] = builder.types[row] = builder.dictionary.intern(builder.arena.bytes, 0, 0)
  if (!reader.openObject()) return reader.setFault('is null, not a log record')
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key === 'timeUnixNano') time = readTime(reader)
    else if (key === 'observedTimeUnixNano') observedTime = readTime(reader)
    else decodeField(reader, key, row)
  }
  builder.setTimes(row, time, observedTime, receivedNs)
  context.link(builder, row)
  severity.settle(builder, row)
}

function decodeField(reader: JsonReader, key: string, row: number): void {
  switch (key) {
    case 'severityNumber':
      builder.severityNumbers[row] = readEnum(reader, severityNames)
      return
    case 'severityText':
      if (reader.readString()) builder.severityTexts[row] = internString(reader, builder)
      return
    case 'eventName':
      if (reader.readString()) builder.types[row] = internString(reader, builder)
      return
    case 'body':
      return decodeBody(reader, row)
    case 'attributes':
      return decodeAttributesJson(reader, builder)
    case 'droppedAttributesCount':
      builder.droppedAttributes[row] = readUint32(reader)
      return
    case 'flags':
      builder.flags[row] = readUint32(reader)
      return
    case 'traceId':
      readLooseHexId(reader, builder.traceIds, row * 16, 16)
      return
    case 'spanId':
      readLooseHexId(reader, builder.spanIds, row * 8, 8)
      return
    default:
      reader.skipValue()
  }
}

/** A text body, the usual case, is not copied; anything else is kept as OTLP JSON of its AnyValue. */
function decodeBody(reader: JsonReader, row: number): void {
  const { at, depth } = reader
  if (reader.bytes[at] === 0x7b && reader.openObject()) {
    if (reader.nextKey() === 'stringValue' && reader.bytes[reader.at] === 0x22 && reader.readString()) {
      const start = referString(reader, builder)
      const length = builder.textLength
      if (reader.nextKey() === undefined) {
        builder.bodyTypes[row] = bodyTypes.string
        builder.bodies[row * 2] = start
        builder.bodies[row * 2 + 1] = length
        return
      }
    }
    reader.rewind(at, depth)
  }
  const value = decodeAnyValueJson(reader, 0)
  if (value.type === 'string') builder.setBody(row, bodyTypes.string, value.value)
  else if (value.type === 'empty') builder.setBody(row, bodyTypes.empty, '')
  else builder.setBody(row, bodyTypes.json, JSON.stringify(toAnyValueJson(value)))
}
