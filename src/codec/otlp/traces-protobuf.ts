/**
 * OTLP traces from protobuf (opentelemetry-proto 1.11, trace/v1/trace.proto):
 *   Span = 1 trace_id · 2 span_id · 3 trace_state · 4 parent_span_id · 5 name · 6 kind · 7 start fixed64 · 8 end fixed64
 *        · 9 attributes* · 10 dropped_attributes · 11 events* · 12 dropped_events · 13 links* · 14 dropped_links
 *        · 15 status · 16 flags fixed32
 *   Event = 1 time fixed64 · 2 name · 3 attributes* · 4 dropped_attributes
 *   Link = 1 trace_id · 2 span_id · 3 trace_state · 4 attributes* · 5 dropped_attributes · 6 flags fixed32
 *   Status = 2 message · 3 code
 * The request body is the batch's arena: texts are not copied.
 */
import { InputError } from '../../base/errors.ts'
import { printTypedAttributes, type Attribute } from '../../model/attributes.ts'
import type { EncodedSpan } from '../../model/encoded-span.ts'
import { SpanBatchBuilder, type SpanBatch, type SpanEvent, type SpanLink } from '../../model/span-batch.ts'
import type { Codec, Decoded } from '../codec.ts'
import { appendRepaired, internRepaired, resetRepairs, takeRepairs } from '../repairs.ts'
import { clearOwnParent } from '../span-parent.ts'
import { internUtf8, isUtf8Range } from '../utf8.ts'
import { decodeAttribute, decodeKeyValue, readText } from './any-value.ts'
import { decodeEnvelope, type RowVisitor } from './envelope.ts'
import { readEnum, readLooseId } from './loose-values.ts'
import { idProblem, timeProblem } from './problem.ts'
import { WireReader } from './wire.ts'

/** The worst content, empty span events, takes about 35 ns a byte. A thousand usual spans have half as many bytes. */
const inlineBytesMax = 1 << 20

export const otlpTracesProtobuf: Codec = { name: 'otlp-traces-protobuf', signal: 'spans', inlineBytesMax, decode }

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
  resetRepairs()
  builder.reset(body)
  builder.hasRanges = true
  try {
    const { rejected, rejectedReason } = decodeEnvelope(body, builder, visitor)
    return { batch: builder.finish(), rejected, rejectedReason, ...takeRepairs() }
  } finally {
    release()
  }
}

/**
 * Decodes spans that were cut out of one or more requests at the ranges in those requests' batches. Throws `InputError`
 * when one is not a span as those batches had it.
 */
export function decodeSpans(spans: readonly EncodedSpan[]): SpanBatch {
  const body = Buffer.concat(spans.map(({ bytes }) => bytes))
  resetRepairs()
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

/** Nothing of a request is kept: not its bytes and, after a huge request, not its columns. */
function release(): void {
  if (builder.isLarge) builder = new SpanBatchBuilder()
  else builder.reset()
}

/** Reads one span into the row; returns what is wrong with it, or ''. */
function decodeSpan(reader: WireReader, end: number, row: number): string {
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
        // An empty or all-zero parent means a root span.
        if (stop - reader.at === 8) copyId(reader, stop, builder.parentSpanIds, row * 8)
        else readLooseId(reader, stop, builder.parentSpanIds.subarray(row * 8, row * 8 + 8), 'parent_span_id')
        break
      }
      case 0x2a: {
        const stop = reader.lengthEnd(end)
        const name = internUtf8(builder.dictionary, reader.bytes, reader.at, stop)
        builder.names[row] = name >= 0 ? name : internName(reader, stop)
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
  if ((seen & 4) === 0) builder.names[row] = builder.dictionary.intern(reader.bytes, end, end)
  clearOwnParent(builder, row)
  return setDuration(row, endLow, endHigh)
}

function internName(reader: WireReader, end: number): number {
  return internRepaired('the span name', reader, builder, { start: reader.at, end })
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
      referText(reader, reader.lengthEnd(end), { refs: builder.traceStates, row, what: 'trace_state' })
      return ''
    case 0x30:
      builder.kinds[row] = readEnum(reader, end, 'kind')
      return ''
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
      decodeStatus(reader, reader.lengthEnd(end), row)
      return ''
    case 0x85:
      builder.flags[row] = reader.fixed32(end)
      return ''
    default:
      reader.skip(tag & 7, end)
      return ''
  }
}

function decodeStatus(reader: WireReader, end: number, row: number): void {
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x12) {
      referText(reader, reader.lengthEnd(end), { refs: builder.statusMessages, row, what: 'status.message' })
    } else if (tag === 0x18) builder.statuses[row] = readEnum(reader, end, 'status.code')
    else reader.skip(tag & 7, end)
  }
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
    } else if (tag === 0x12) name = readText(reader, reader.lengthEnd(end), 'an event name')
    else if (tag === 0x1a) {
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

/** A link may have no ids: it stands for a message without context, and its attributes are what matters. */
function decodeLink(reader: WireReader, end: number, row: number): string {
  // One for the link, two for its ids.
  for (let i = 0; i < 3; i++) reader.countObject()
  const traceId = new Uint8Array(16)
  const spanId = new Uint8Array(8)
  let traceState = ''
  const attributes: Attribute[] = []
  let droppedAttributesCount = 0
  let flags = 0
  while (reader.at < end) {
    const tag = reader.tag(end)
    if (tag === 0x0a) readLooseId(reader, reader.lengthEnd(end), traceId, 'link.trace_id')
    else if (tag === 0x12) readLooseId(reader, reader.lengthEnd(end), spanId, 'link.span_id')
    else if (tag === 0x1a) traceState = readText(reader, reader.lengthEnd(end), 'a link trace_state')
    else if (tag === 0x22) {
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

/** Refers to the text in place, or to a repaired copy. */
function referText(
  reader: WireReader,
  stop: number,
  { refs, row, what }: { refs: Uint32Array; row: number; what: string },
): void {
  const start = reader.at
  const isText = isUtf8Range(reader.bytes, start, stop)
  refs[row * 2] = isText ? start : appendRepaired(what, reader, builder, { start, end: stop })
  refs[row * 2 + 1] = isText ? stop - start : builder.textLength
  reader.at = stop
}

/** Copies the bytes up to `stop` to `to[at…]`; false when all are zero. */
function copyId(reader: WireReader, stop: number, to: Uint8Array, at: number): boolean {
  const bytes = reader.bytes
  let any = 0
  for (let from = reader.at; from < stop; from++) any |= to[at++] = bytes[from]!
  reader.at = stop
  return any !== 0
}
