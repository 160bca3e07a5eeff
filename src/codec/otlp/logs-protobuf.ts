/**
 * OTLP logs from protobuf (opentelemetry-proto 1.11, logs/v1/logs.proto):
 *   LogRecord = 1 time fixed64 · 2 severity_number · 3 severity_text · 5 body AnyValue · 6 attributes*
 *             · 7 dropped_attributes · 8 flags fixed32 · 9 trace_id · 10 span_id · 11 observed_time fixed64
 *             · 12 event_name
 * The request body is the batch's arena: texts are not copied.
 */
import { toAnyValueJson } from '../../model/attributes.ts'
import { bodyTypes, EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { appendRepaired, internRepaired, resetRepairs, takeRepairs } from '../repairs.ts'
import { internUtf8, isUtf8Range } from '../utf8.ts'
import { decodeAnyValue, decodeAttribute } from './any-value.ts'
import { decodeEnvelope, type RowVisitor } from './envelope.ts'
import { LogContext } from './log-context.ts'
import { LogSeverity } from './log-severity.ts'
import { readEnum, readLooseId } from './loose-values.ts'
import { timeProblem } from './problem.ts'
import type { WireReader } from './wire.ts'

export const otlpLogsProtobuf: Codec = { name: 'otlp-logs-protobuf', signal: 'events', decode }

let builder = new EventBatchBuilder()
const context = new LogContext()
const severity = new LogSeverity()
/** The time of records that have none, as low and high word. */
let receivedLow = 0
let receivedHigh = 0

const visitor: RowVisitor = {
  levels: ['resource_logs', 'scope_logs', 'log_records'],
  row(reader, end) {
    const row = builder.beginRow()
    builder.resourceIndexes[row] = builder.resources.length - 1
    builder.scopeIndexes[row] = builder.scopes.length - 1
    const problem = decodeLogRecord(reader, end, row)
    if (problem === '') {
      context.link(builder, row)
      severity.settle(builder, row)
      builder.endRow()
    } else builder.dropRow()
    return problem
  },
}

function decode(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  resetRepairs()
  builder.reset('otlp', body)
  context.reset()
  severity.reset()
  const receivedNs = BigInt(receivedAtMs) * 1_000_000n
  receivedLow = Number(receivedNs & 0xffffffffn)
  receivedHigh = Number(receivedNs >> 32n)
  try {
    const { rejected, rejectedReason } = decodeEnvelope(body, builder, visitor)
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

/** Reads one log record into the row; returns what is wrong with it, or ''. */
function decodeLogRecord(reader: WireReader, end: number, row: number): string {
  builder.severityTexts[row] = builder.types[row] = -1
  while (reader.at < end) {
    const problem = decodeField(reader, reader.tag(end), end, row)
    if (problem !== '') return problem
  }
  const noText = 0xffffffff
  if (builder.severityTexts[row] === noText)
    builder.severityTexts[row] = builder.dictionary.intern(reader.bytes, end, end)
  if (builder.types[row] === noText) builder.types[row] = builder.dictionary.intern(reader.bytes, end, end)
  settleTime(row)
  return ''
}

function decodeField(reader: WireReader, tag: number, end: number, row: number): string {
  switch (tag) {
    case 0x09:
      reader.fixed64(end)
      return setTime(builder.timeWords, row, reader, 'time_unix_nano')
    case 0x10:
      builder.severityNumbers[row] = readEnum(reader, end, 'severity_number')
      return ''
    case 0x1a:
      builder.severityTexts[row] = internText(reader, reader.lengthEnd(end), 'severity_text')
      return ''
    case 0x2a:
      return decodeBody(reader, reader.lengthEnd(end), row)
    case 0x32:
      return decodeAttribute(reader, reader.lengthEnd(end), builder)
    case 0x38:
      builder.droppedAttributes[row] = reader.varint32(end)
      return ''
    case 0x45:
      builder.flags[row] = reader.fixed32(end)
      return ''
    case 0x4a:
      readId(reader, reader.lengthEnd(end), builder.traceIds.subarray(row * 16, row * 16 + 16), 'trace_id')
      return ''
    case 0x52:
      readId(reader, reader.lengthEnd(end), builder.spanIds.subarray(row * 8, row * 8 + 8), 'span_id')
      return ''
    case 0x59:
      reader.fixed64(end)
      return setTime(builder.observedWords, row, reader, 'observed_time_unix_nano')
    case 0x62:
      builder.types[row] = internText(reader, reader.lengthEnd(end), 'event_name')
      return ''
    default:
      reader.skip(tag & 7, end)
      return ''
  }
}

function setTime(words: Uint32Array, row: number, reader: WireReader, what: string): string {
  if (reader.high >= 0x80000000) return timeProblem(what)
  words[row * 2] = reader.low
  words[row * 2 + 1] = reader.high
  return ''
}

/** A record without a time takes the time it was observed at, else the time of receipt. */
function settleTime(row: number): void {
  const { timeWords, observedWords } = builder
  if ((timeWords[row * 2]! | timeWords[row * 2 + 1]!) !== 0) return
  builder.timeGiven[row] = 0
  const isObserved = (observedWords[row * 2]! | observedWords[row * 2 + 1]!) !== 0
  timeWords[row * 2] = isObserved ? observedWords[row * 2]! : receivedLow
  timeWords[row * 2 + 1] = isObserved ? observedWords[row * 2 + 1]! : receivedHigh
}

/** Ids are optional: absent and all zero are the same. */
function readId(reader: WireReader, stop: number, to: Uint8Array, what: string): void {
  const start = reader.at
  if (stop - start !== to.length) return readLooseId(reader, stop, to, what)
  for (let i = 0; i < to.length; i++) to[i] = reader.bytes[start + i]!
  reader.at = stop
}

function internText(reader: WireReader, stop: number, what: string): number {
  const start = reader.at
  const entry = internUtf8(builder.dictionary, reader.bytes, start, stop)
  reader.at = stop
  return entry >= 0 ? entry : internRepaired(what, reader, builder, { start, end: stop })
}

/** A text body, the usual case, is not copied; anything else is kept as OTLP JSON of its AnyValue. */
function decodeBody(reader: WireReader, end: number, row: number): string {
  const start = reader.at
  if (reader.at < end && reader.tag(end) === 0x0a && reader.lengthEnd(end) === end) {
    const at = reader.at
    const isText = isUtf8Range(reader.bytes, at, end)
    builder.bodyTypes[row] = bodyTypes.string
    builder.bodies[row * 2] = isText ? at : appendRepaired('the body', reader, builder, { start: at, end })
    builder.bodies[row * 2 + 1] = isText ? end - at : builder.textLength
    reader.at = end
    return ''
  }
  reader.at = start
  const value = decodeAnyValue(reader, end, 0)
  if (typeof value === 'string') return `body: ${value}`
  if (value.type === 'string') builder.setBody(row, bodyTypes.string, value.value)
  else if (value.type === 'empty') builder.setBody(row, bodyTypes.empty, '')
  else builder.setBody(row, bodyTypes.json, JSON.stringify(toAnyValueJson(value)))
  return ''
}
