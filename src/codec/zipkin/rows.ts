/**
 * Zipkin v2 spans as rows (the mapping of the OpenTelemetry Collector's Zipkin receiver, with present attribute names):
 *
 * | Zipkin | row |
 * |---|---|
 * | traceId, id, parentId | ids; a 64-bit trace id is padded with zeros on the left |
 * | kind, name, timestamp, duration (µs) | kind, name as sent, start, duration (ns) |
 * | localEndpoint.serviceName | resource attribute service.name |
 * | localEndpoint.ipv4 or ipv6, port | network.local.address, network.local.port |
 * | remoteEndpoint.serviceName | peer.service |
 * | remoteEndpoint.ipv4 or ipv6, port | network.peer.address, network.peer.port |
 * | ipv6 in addition to ipv4 | zipkin.local.ipv6, zipkin.peer.ipv6 |
 * | tags | attributes, all text, except those in `tagged-row.ts` |
 * | annotations | events |
 * | debug, shared | zipkin.debug, zipkin.shared = true; debug also sets the sampled flag |
 * | no timestamp | the first annotation's, else the time of receipt, and otel.zipkin.absentField.startTime = true |
 */
import { valueTypes } from '../../model/attribute-columns.ts'
import { makeResource, type Resource } from '../../model/resource.ts'
import type { SpanBatchBuilder } from '../../model/span-batch.ts'
import type { DecodeContext } from '../codec.ts'
import { Remembered } from '../remembered.ts'
import { clearOwnParent } from '../span-parent.ts'
import type { SpanRows } from '../span-rows.ts'
import { endFits, microsProblem, setMicrosNumber } from '../span-times.ts'
import { TaggedRow } from '../tagged-row.ts'
import { byteKey, utf8Text } from '../utf8.ts'
import type { ZipkinEndpoint, ZipkinSpan } from './span.ts'

/** W3C trace flags: the caller recorded the span. A debug span is always kept, so it was. */
const sampledFlag = 1

const resources = new Remembered<Resource>(4096, 256)
const unknownService = makeResource([])

/** Keys that are not in the body; their text is put into the arena once per batch. */
const ownKeys = {
  localAddress: 'network.local.address',
  localPort: 'network.local.port',
  localIpv6: 'zipkin.local.ipv6',
  peerService: 'peer.service',
  peerAddress: 'network.peer.address',
  peerPort: 'network.peer.port',
  peerIpv6: 'zipkin.peer.ipv6',
  debug: 'zipkin.debug',
  shared: 'zipkin.shared',
  startAbsent: 'otel.zipkin.absentField.startTime',
} as const

const localKeys = { address: ownKeys.localAddress, ipv6: ownKeys.localIpv6, port: ownKeys.localPort }
const peerKeys = { address: ownKeys.peerAddress, ipv6: ownKeys.peerIpv6, port: ownKeys.peerPort }

export class ZipkinRows {
  readonly #rows: SpanRows
  #builder: SpanBatchBuilder
  readonly #tagged: TaggedRow
  readonly #resourceIndexes = new Map<Resource, number>()
  readonly #ownKeyNumbers = new Map<string, number>()
  #receivedAtMs = 0
  /** Service of the previous row: most requests have only one. */
  #lastService = { start: 0, length: -1, index: 0 }

  constructor(rows: SpanRows) {
    this.#rows = rows
    this.#builder = rows.builder
    this.#tagged = new TaggedRow(rows.builder, { errorTextIsError: true })
  }

  /** Call this after the rows are reset. */
  reset(context: DecodeContext): void {
    this.#builder = this.#rows.builder
    this.#receivedAtMs = context.receivedAtMs
    this.#tagged.reset(this.#builder)
    this.#resourceIndexes.clear()
    this.#ownKeyNumbers.clear()
    this.#lastService.length = -1
  }

  /** Appends the span as a row, or counts it as rejected. */
  add(span: ZipkinSpan): void {
    const builder = this.#builder
    const row = builder.beginRow()
    const problem = this.#fill(span, row)
    if (problem === '') builder.endRow()
    else {
      builder.dropRow()
      this.#rows.reject(problem)
    }
  }

  #fill(span: ZipkinSpan, row: number): string {
    const builder = this.#builder
    if (!copyId(span.traceId, builder.traceIds, row * 16)) return 'traceId is missing or all zero'
    if (!copyId(span.id, builder.spanIds, row * 8)) return 'id is missing or all zero'
    copyId(span.parentId, builder.parentSpanIds, row * 8)
    clearOwnParent(builder, row)
    builder.kinds[row] = span.kind
    const { start, length } = span.name
    if (length > 0) builder.names[row] = builder.dictionary.intern(builder.arena.bytes, start, start + length)
    builder.resourceIndexes[row] = this.#resourceIndex(span.localEndpoint)
    const problem = this.#setTimes(span, row)
    if (problem !== '') return problem
    this.#tagged.begin(row)
    this.#addTags(span)
    this.#tagged.end()
    this.#addEndpoint(span.localEndpoint, localKeys)
    this.#addEndpoint(span.remoteEndpoint, peerKeys)
    const peer = span.remoteEndpoint.serviceName
    if (peer.length > 0)
      builder.attributes.add(this.#ownKey(ownKeys.peerService), valueTypes.string, peer.start, peer.length)
    if (span.debug) {
      builder.flags[row] = sampledFlag
      this.#addTrue(ownKeys.debug)
    }
    if (span.shared) this.#addTrue(ownKeys.shared)
    return this.#addEvents(span, row)
  }

  #setTimes(span: ZipkinSpan, row: number): string {
    const builder = this.#builder
    let { timestamp } = span
    if (timestamp === 0) {
      for (const annotation of span.annotations) {
        if (timestamp === 0 || annotation.timestamp < timestamp) timestamp = annotation.timestamp
      }
      if (timestamp === 0) timestamp = this.#receivedAtMs * 1000
      this.#addTrue(ownKeys.startAbsent)
    }
    if (!setMicrosNumber(builder.startWords, row, timestamp)) return microsProblem('timestamp')
    // A negative duration counts as none, as in Zipkin: it comes from v1 halves whose clocks differ.
    if (!setMicrosNumber(builder.durationWords, row, Math.max(0, span.duration))) return 'duration is over 292 years'
    return endFits(builder.startWords, builder.durationWords, row) ? '' : microsProblem('timestamp + duration')
  }

  #addTags(span: ZipkinSpan): void {
    const { dictionary, arena } = this.#builder
    const { tags } = span
    for (let i = 0, at = 0; i < span.tagCount; i++, at += 4) {
      const key = dictionary.intern(arena.bytes, tags[at]!, tags[at]! + tags[at + 1]!)
      this.#tagged.add(key, valueTypes.string, tags[at + 2]!, tags[at + 3]!)
    }
  }

  #addEndpoint(endpoint: ZipkinEndpoint, keys: { address: string; ipv6: string; port: string }): void {
    const { attributes } = this.#builder
    const { ipv4, ipv6, port } = endpoint
    if (ipv4.length > 0) attributes.add(this.#ownKey(keys.address), valueTypes.string, ipv4.start, ipv4.length)
    if (ipv6.length > 0) {
      const key = ipv4.length > 0 ? keys.ipv6 : keys.address
      attributes.add(this.#ownKey(key), valueTypes.string, ipv6.start, ipv6.length)
    }
    if (port > 0) attributes.add(this.#ownKey(keys.port), valueTypes.int, port, 0)
  }

  #addEvents(span: ZipkinSpan, row: number): string {
    if (span.annotations.length === 0) return ''
    const problem = span.annotations.find(({ timestamp }) => !(timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER))
    if (problem !== undefined) return microsProblem('annotation timestamp')
    this.#builder.events.set(
      row,
      span.annotations.map(({ timestamp, value }) => ({
        timeUnixNano: BigInt(timestamp) * 1000n,
        name: value,
        attributes: '',
        droppedAttributesCount: 0,
      })),
    )
    return ''
  }

  #addTrue(key: string): void {
    this.#builder.attributes.add(this.#ownKey(key), valueTypes.bool, 1, 0)
  }

  #ownKey(text: string): number {
    let number = this.#ownKeyNumbers.get(text)
    if (number === undefined) {
      number = this.#builder.internText(text)
      this.#ownKeyNumbers.set(text, number)
    }
    return number
  }

  #resourceIndex({ serviceName }: ZipkinEndpoint): number {
    const { start, length } = serviceName
    const last = this.#lastService
    const bytes = this.#builder.arena.bytes
    if (length === last.length && equalRanges(bytes, start, last.start, length)) return last.index
    const resource = length === 0 ? unknownService : resourceOf(bytes, start, start + length)
    let index = this.#resourceIndexes.get(resource)
    if (index === undefined) {
      index = this.#builder.resources.push(resource) - 1
      this.#resourceIndexes.set(resource, index)
    }
    last.start = start
    last.length = length
    last.index = index
    return index
  }
}

function resourceOf(bytes: Uint8Array, start: number, end: number): Resource {
  return resources.get(byteKey(bytes, start, end), () =>
    makeResource([{ key: 'service.name', value: { type: 'string', value: utf8Text(bytes, start, end) } }]),
  )
}

/** False when all bytes are zero. */
function copyId(from: Uint8Array, to: Uint8Array, at: number): boolean {
  let any = 0
  for (let i = 0; i < from.length; i++) any |= to[at + i] = from[i]!
  return any !== 0
}

function equalRanges(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
