/**
 * OTLP traces from protobuf (opentelemetry-proto 1.11, trace/v1/trace.proto):
 *   Span = 1 trace_id · 2 span_id · 3 trace_state · 4 parent_span_id · 5 name · 6 kind · 7 start fixed64 · 8 end fixed64
 *        · 9 attributes* · 10 dropped_attributes · 11 events* · 12 dropped_events · 13 links* · 14 dropped_links
 *        · 15 status · 16 flags fixed32
 *   Event = 1 time fixed64 · 2 name · 3 attributes* · 4 dropped_attributes
 *   Link = 1 trace_id · 2 span_id · 3 trace_state · 4 attributes* · 5 dropped_attributes · 6 flags fixed32
 *   Status = 2 message · 3 code
 * The request body is the batch's arena: texts are referred to where they lie.
 */
import { InputError } from '../../base/errors.ts'
import { printTypedAttributes, type Attribute } from '../../model/attributes.ts'
import type { EncodedSpan } from '../../model/encoded-span.ts'
import { SpanBatchBuilder, type SpanBatch, type SpanEvent, type SpanLink } from '../../model/span-batch.ts'
import type { Codec, Decoded } from '../codec.ts'
import { internUtf8, isUtf8Range, utf8Text } from '../utf8.ts'
import { decodeAttribute, decodeKeyValue } from './any-value.ts'
import { decodeEnvelope, type RowVisitor } from './envelope.ts'
import { enumMax, enumProblem, idProblem, timeProblem } from './problem.ts'
import { WireReader } from './wire.ts'

export const otlpTracesProtobuf: Codec = { name: 'otlp-traces-protobuf', signal: 'spans', decode }

let builder = new SpanBatchBuilder()

const visitor: RowVisitor = {
  levels: ['resource_spans', 'scope_spans', 'spans'],
  row(reader, end) {
    const row = builder.beginRow()
    builder.resourceIndexes[row] = builder.resources.length - 1
    builder.scopeIndexes[row] = builder.scopes.length - 1
    builder.rangeStarts[row] = reader.at
    builder.rangeEnds[row] = end
    const problem = decodeSpan(reader, end, row)
    if (problem === '') builder.endRow()
    else builder.dropRow()
    return problem
  },
}

function decode(body: Uint8Array): Decoded {
  builder.reset(body)
  builder.hasRanges = true
  try {
    const { rejected, rejectedReason } = decodeEnvelope(body, builder, visitor)
    return { batch: builder.finish(), rejected, rejectedReason }
  } finally {
    release()
  }
}

/**
 * Spans that were taken out of one or more requests, where the ranges of those requests' batches say. Throws
 * `InputError` when one is not a span as those batches held it.
 */
export function decodeSpans(spans: readonly EncodedSpan[]): SpanBatch {
  const body = Buffer.concat(spans.map(({ bytes }) => bytes))
  builder.reset(body)
  try {
    const reader = new WireReader(body)
    for (const { bytes, resource, scope } of spans) {
      builder.resources.push(resource)
      builder.scopes.push(scope)
      const end = reader.at + bytes.length
      const problem = visitor.row(reader, end)
      if (problem !== '') throw new InputError('bad_request', `cannot decode a span of the log: ${problem}`)
      reader.at = end
    }
    return builder.finish()
  } finally {
    release()
  }
}

/** Nothing of a request stays behind, neither its bytes nor, after a huge one, its columns. */
function release(): void {
  if (builder.isLarge) builder = new SpanBatchBuilder()
  else builder.reset()
}

/** Reads one span into the row; returns what is wrong with it, or ''. */
function decodeSpan(reader: WireReader, end: number, row: number): string {
  const bytes = reader.bytes
  let seen = 0
  let endLow = 0
  let endHigh = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    switch (tag) {
      case 0x4a: {
        const problem = decodeAttribute(reader, reader.lengthEnd(end), builder)
        if (problem !== '') return problem
        break
      }
      case 0x0a: {
        const stop = reader.lengthEnd(end)
        const length = stop - reader.at
        if (length !== 16 || !copyId(reader, stop, builder.traceIds, row * 16)) return idProblem('trace_id', 16, length)
        seen |= 1
        break
      }
      case 0x12: {
        const stop = reader.lengthEnd(end)
        const length = stop - reader.at
        if (length !== 8 || !copyId(reader, stop, builder.spanIds, row * 8)) return idProblem('span_id', 8, length)
        seen |= 2
        break
      }
      case 0x22: {
        const stop = reader.lengthEnd(end)
        const length = stop - reader.at
        // An empty or all-zero parent means a root span.
        if (length !== 8 && length !== 0) return idProblem('parent_span_id', 8, length)
        copyId(reader, stop, builder.parentSpanIds, row * 8)
        break
      }
      case 0x2a: {
        const stop = reader.lengthEnd(end)
        const name = internUtf8(builder.dictionary, bytes, reader.at, stop)
        if (name < 0) return 'the span name is not valid UTF-8'
        builder.names[row] = name
        reader.at = stop
        seen |= 4
        break
      }
      case 0x39:
        reader.fixed64(end)
        builder.startWords[row * 2] = reader.low
        builder.startWords[row * 2 + 1] = reader.high
        break
      case 0x41:
        reader.fixed64(end)
        endLow = reader.low
        endHigh = reader.high
        break
      default: {
        const problem = decodeRareField(reader, tag, end, row)
        if (problem !== '') return problem
      }
    }
  }
  if ((seen & 1) === 0) return idProblem('trace_id', 16, 0)
  if ((seen & 2) === 0) return idProblem('span_id', 8, 0)
  if ((seen & 4) === 0) builder.names[row] = builder.dictionary.intern(bytes, end, end)
  return setDuration(row, endLow, endHigh)
}

/** Duration = end - start in two words; both must be times before 2262-04-11 (63 bits of nanoseconds). */
function setDuration(row: number, endLow: number, endHigh: number): string {
  const startLow = builder.startWords[row * 2]!
  const startHigh = builder.startWords[row * 2 + 1]!
  if (startHigh >= 0x80000000) return timeProblem('start_time_unix_nano')
  if (endHigh >= 0x80000000) return timeProblem('end_time_unix_nano')
  builder.durationWords[row * 2] = endLow - startLow
  builder.durationWords[row * 2 + 1] = endHigh - startHigh - (endLow < startLow ? 1 : 0)
  return ''
}

function decodeRareField(reader: WireReader, tag: number, end: number, row: number): string {
  switch (tag) {
    case 0x1a:
      return referText(reader, reader.lengthEnd(end), builder.traceStates, row) ? '' : 'trace_state is not valid UTF-8'
    case 0x30:
      return (builder.kinds[row] = decodeEnum(reader, end)) < 0 ? enumProblem('kind') : ''
    case 0x50:
      builder.droppedAttributes[row] = reader.varint32(end)
      return ''
    case 0x5a:
      return decodeEvent(reader, reader.lengthEnd(end), row)
    case 0x60:
      builder.droppedEvents[row] = reader.varint32(end)
      return ''
    case 0x6a:
      return decodeLink(reader, reader.lengthEnd(end), row)
    case 0x70:
      builder.droppedLinks[row] = reader.varint32(end)
      return ''
    case 0x7a:
      return decodeStatus(reader, reader.lengthEnd(end), row)
    case 0x85:
      builder.flags[row] = reader.fixed32(end)
      return ''
    default:
      reader.skip(tag & 7, end)
      return ''
  }
}

function decodeStatus(reader: WireReader, end: number, row: number): string {
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x12) {
      if (!referText(reader, reader.lengthEnd(end), builder.statusMessages, row))
        return 'status.message is not valid UTF-8'
    } else if (tag === 0x18) {
      if ((builder.statuses[row] = decodeEnum(reader, end)) < 0) return enumProblem('status.code')
    } else reader.skip(tag & 7, end)
  }
  return ''
}

function decodeEvent(reader: WireReader, end: number, row: number): string {
  reader.countObject()
  let timeUnixNano = 0n
  let name = ''
  const attributes: Attribute[] = []
  let droppedAttributesCount = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x09) {
      reader.fixed64(end)
      if (reader.high >= 0x80000000) return timeProblem('event time_unix_nano')
      timeUnixNano = (BigInt(reader.high) << 32n) | BigInt(reader.low)
    } else if (tag === 0x12) {
      const stop = reader.lengthEnd(end)
      if (!isUtf8Range(reader.bytes, reader.at, stop)) return 'an event name is not valid UTF-8'
      name = utf8Text(reader.bytes, reader.at, stop)
      reader.at = stop
    } else if (tag === 0x1a) {
      const attribute = decodeKeyValue(reader, reader.lengthEnd(end))
      if (typeof attribute === 'string') return `event: ${attribute}`
      attributes.push(attribute)
    } else if (tag === 0x20) droppedAttributesCount = reader.varint32(end)
    else reader.skip(tag & 7, end)
  }
  const event: SpanEvent = { timeUnixNano, name, attributes: printTypedAttributes(attributes), droppedAttributesCount }
  append(builder.events, row, event)
  return ''
}

function decodeLink(reader: WireReader, end: number, row: number): string {
  // The link and its two ids.
  for (let i = 0; i < 3; i++) reader.countObject()
  const traceId = new Uint8Array(16)
  const spanId = new Uint8Array(8)
  let traceState = ''
  const attributes: Attribute[] = []
  let droppedAttributesCount = 0
  let flags = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a || tag === 0x12) {
      const [id, what] = tag === 0x0a ? [traceId, 'link.trace_id'] : [spanId, 'link.span_id']
      const stop = reader.lengthEnd(end)
      const length = stop - reader.at
      if (length !== id.length || !copyId(reader, stop, id, 0)) return idProblem(what, id.length, length)
    } else if (tag === 0x1a) {
      const stop = reader.lengthEnd(end)
      if (!isUtf8Range(reader.bytes, reader.at, stop)) return 'a link trace_state is not valid UTF-8'
      traceState = utf8Text(reader.bytes, reader.at, stop)
      reader.at = stop
    } else if (tag === 0x22) {
      const attribute = decodeKeyValue(reader, reader.lengthEnd(end))
      if (typeof attribute === 'string') return `link: ${attribute}`
      attributes.push(attribute)
    } else if (tag === 0x28) droppedAttributesCount = reader.varint32(end)
    else if (tag === 0x35) flags = reader.fixed32(end)
    else reader.skip(tag & 7, end)
  }
  const link: SpanLink = {
    traceId,
    spanId,
    traceState,
    attributes: printTypedAttributes(attributes),
    droppedAttributesCount,
    flags,
  }
  append(builder.links, row, link)
  return ''
}

function append<T>(map: Map<number, T[]>, row: number, item: T): void {
  const list = map.get(row)
  if (list === undefined) map.set(row, [item])
  else list.push(item)
}

/** Refers to the text where it lies; false when it is not UTF-8. */
function referText(reader: WireReader, stop: number, refs: Uint32Array, row: number): boolean {
  refs[row * 2] = reader.at
  refs[row * 2 + 1] = stop - reader.at
  const isText = isUtf8Range(reader.bytes, reader.at, stop)
  reader.at = stop
  return isText
}

/** An enum's number, or -1 when it is not one that a byte can hold. */
function decodeEnum(reader: WireReader, end: number): number {
  const value = reader.varint32(end)
  return value > enumMax || reader.high !== 0 ? -1 : value
}

/** Copies the bytes up to `stop` to `to[at…]`; false when all are zero. */
function copyId(reader: WireReader, stop: number, to: Uint8Array, at: number): boolean {
  const bytes = reader.bytes
  let any = 0
  for (let from = reader.at; from < stop; from++) any |= to[at++] = bytes[from]!
  reader.at = stop
  return any !== 0
}
