/**
 * OTLP traces from JSON (ProtoJSON of `traces-protobuf.ts`, with the exceptions of OTLP 1.11 "JSON Protobuf Encoding"):
 *   Span = {traceId, spanId, traceState, parentSpanId, flags, name, kind, startTimeUnixNano, endTimeUnixNano,
 *           attributes[], droppedAttributesCount, events[], droppedEventsCount, links[], droppedLinksCount, status}
 *   Event = {timeUnixNano, name, attributes[], droppedAttributesCount}
 *   Link = {traceId, spanId, traceState, attributes[], droppedAttributesCount, flags}
 *   Status = {message, code}
 * The request body is the batch's arena: texts without escapes are not copied.
 */
import { printTypedAttributes } from '../../model/attributes.ts'
import { SpanBatchBuilder, spanKinds, statusCodes, type SpanEvent, type SpanLink } from '../../model/span-batch.ts'
import type { Codec, Decoded } from '../codec.ts'
import { repairJsonBody, resetRepairs, takeRepairs } from '../repairs.ts'
import { clearOwnParent } from '../span-parent.ts'
import { decodeAttributesJson, decodeKeyValuesJson, internString, referString } from './any-value-json.ts'
import { decodeEnvelopeJson, readText, type JsonRowVisitor } from './envelope-json.ts'
import type { JsonReader } from './json-reader.ts'
import { readEnum, readHexId, readLooseHexId, readTime, readUint32 } from './json-values.ts'

export const otlpTracesJson: Codec = { name: 'otlp-traces-json', signal: 'spans', decode }

let builder = new SpanBatchBuilder()

const kindNames = { prefix: 'SPAN_KIND_', names: spanKinds }
const codeNames = { prefix: 'STATUS_CODE_', names: statusCodes }

const visitor: JsonRowVisitor = { levels: ['resourceSpans', 'scopeSpans', 'spans'], row: decodeSpan }

function decode(received: Uint8Array): Decoded {
  resetRepairs()
  const body = repairJsonBody(received)
  builder.reset(body)
  try {
    const { rejected, rejectedReason } = decodeEnvelopeJson(body, builder, visitor)
    return { batch: builder.finish(), rejected, rejectedReason, ...takeRepairs() }
  } finally {
    release()
  }
}

/** Nothing of a request is kept: not its bytes and, after a huge request, not its columns. */
function release(): void {
  if (builder.isLarge) builder = new SpanBatchBuilder()
  else builder.reset()
}

function decodeSpan(reader: JsonReader, row: number): void {
  const start = reader.at
  let startTime = 0n
  let endTime = 0n
  builder.traceIds.fill(0, row * 16, row * 16 + 16)
  builder.spanIds.fill(0, row * 8, row * 8 + 8)
  builder.names[row] = builder.dictionary.intern(builder.arena.bytes, 0, 0)
  if (!reader.openObject()) return reader.setFault('is null, not a span', start)
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    switch (key) {
      case 'traceId':
        requireId(reader, builder.traceIds, row, 16)
        break
      case 'spanId':
        requireId(reader, builder.spanIds, row, 8)
        break
      case 'parentSpanId':
        readLooseHexId(reader, builder.parentSpanIds, row * 8, 8)
        break
      case 'name':
        if (reader.readString()) builder.names[row] = internString(reader, builder)
        break
      case 'startTimeUnixNano':
        startTime = readTime(reader)
        break
      case 'endTimeUnixNano':
        endTime = readTime(reader)
        break
      case 'attributes':
        decodeAttributesJson(reader, builder)
        break
      default:
        decodeRareField(reader, key, row)
    }
  }
  builder.setTimes(row, startTime, endTime)
  clearOwnParent(builder, row)
  if (isZero(builder.traceIds, row, 16)) reader.setFault('has no traceId', start)
  if (isZero(builder.spanIds, row, 8)) reader.setFault('has no spanId', start)
}

function decodeRareField(reader: JsonReader, key: string, row: number): void {
  switch (key) {
    case 'traceState':
      return referText(reader, builder.traceStates, row)
    case 'kind':
      builder.kinds[row] = readEnum(reader, kindNames)
      return
    case 'flags':
      builder.flags[row] = readUint32(reader)
      return
    case 'droppedAttributesCount':
      builder.droppedAttributes[row] = readUint32(reader)
      return
    case 'events':
      if (reader.openArray()) while (reader.nextItem()) append(builder.events, row, decodeEvent(reader))
      return
    case 'droppedEventsCount':
      builder.droppedEvents[row] = readUint32(reader)
      return
    case 'links':
      if (reader.openArray()) while (reader.nextItem()) append(builder.links, row, decodeLink(reader))
      return
    case 'droppedLinksCount':
      builder.droppedLinks[row] = readUint32(reader)
      return
    case 'status':
      return decodeStatus(reader, row)
    default:
      reader.skipValue()
  }
}

function decodeStatus(reader: JsonReader, row: number): void {
  if (!reader.openObject()) return
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key === 'message') referText(reader, builder.statusMessages, row)
    else if (key === 'code') builder.statuses[row] = readEnum(reader, codeNames)
    else reader.skipValue()
  }
}

function decodeEvent(reader: JsonReader): SpanEvent {
  reader.countObject()
  const event = { timeUnixNano: 0n, name: '', attributes: '', droppedAttributesCount: 0 }
  if (!reader.openObject()) return event
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key === 'timeUnixNano') event.timeUnixNano = readTime(reader)
    else if (key === 'name') event.name = readText(reader)
    else if (key === 'attributes') event.attributes = printTypedAttributes(decodeKeyValuesJson(reader))
    else if (key === 'droppedAttributesCount') event.droppedAttributesCount = readUint32(reader)
    else reader.skipValue()
  }
  return event
}

/** A link may have no ids: it stands for a message without context, and its attributes are what matters. */
function decodeLink(reader: JsonReader): SpanLink {
  // One for the link, two for its ids.
  for (let i = 0; i < 3; i++) reader.countObject()
  const link = {
    traceId: new Uint8Array(16),
    spanId: new Uint8Array(8),
    traceState: '',
    attributes: '',
    droppedAttributesCount: 0,
    flags: 0,
  }
  if (!reader.openObject()) return link
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key === 'traceId') readLooseHexId(reader, link.traceId, 0, 16)
    else if (key === 'spanId') readLooseHexId(reader, link.spanId, 0, 8)
    else if (key === 'traceState') link.traceState = readText(reader)
    else if (key === 'attributes') link.attributes = printTypedAttributes(decodeKeyValuesJson(reader))
    else if (key === 'droppedAttributesCount') link.droppedAttributesCount = readUint32(reader)
    else if (key === 'flags') link.flags = readUint32(reader)
    else reader.skipValue()
  }
  return link
}

function requireId(reader: JsonReader, column: Uint8Array, row: number, length: number): void {
  const at = reader.at
  if (readHexId(reader, column, row * length, length) && isZero(column, row, length)) reader.setFault('is all zero', at)
}

function isZero(column: Uint8Array, row: number, length: number): boolean {
  for (let i = row * length; i < (row + 1) * length; i++) if (column[i] !== 0) return false
  return true
}

function referText(reader: JsonReader, refs: Uint32Array, row: number): void {
  if (!reader.readString()) return
  refs[row * 2] = referString(reader, builder)
  refs[row * 2 + 1] = builder.textLength
}

function append<T>(map: Map<number, T[]>, row: number, item: T): void {
  const list = map.get(row)
  if (list === undefined) map.set(row, [item])
  else list.push(item)
}
