/**
 * Jaeger spans as rows (the mapping of the OpenTelemetry Collector's Jaeger receiver), whatever encoding they came in:
 *
 * | Jaeger | row |
 * |---|---|
 * | trace id, span id | ids, big-endian |
 * | parent span id, else the first CHILD_OF, else FOLLOWS_FROM reference to another span of the trace | parent |
 * | other references | links with attribute opentracing.ref_type = child_of, follows_from |
 * | operation name, start (µs), duration (µs) | name, start, duration |
 * | flags | bit 0, sampled, is OTLP's too; when others are set, also attribute jaeger.flags |
 * | tags | attributes with their types, except those in `tagged-row.ts` |
 * | logs | events named by their field `event`, else `log` |
 * | process | resource, see `process.ts` |
 */
import { valueTypes } from '../../model/attribute-columns.ts'
import { printTypedAttributes, type Attribute } from '../../model/attributes.ts'
import type { Resource } from '../../model/resource.ts'
import type { SpanBatchBuilder, SpanEvent, SpanLink } from '../../model/span-batch.ts'
import type { SpanRows } from '../span-rows.ts'
import { endFits, microsProblem } from '../span-times.ts'
import { TaggedRow } from '../tagged-row.ts'
import { clearOwnParent } from '../span-parent.ts'
import { repairText } from '../repairs.ts'
import { internUtf8 } from '../utf8.ts'
import type { Process } from './process.ts'
import { attributeOf, newTag, repairTag, type JaegerTag } from './tag.ts'

const referenceTypes = ['child_of', 'follows_from'] as const

export interface JaegerReference {
  /** 16 and 8 bytes. */
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  /** Index into `referenceTypes`. */
  type: number
}

const sampledFlag = 1

/**
 * Receives spans field by field: `begin`, then ids and times into the builder's columns at `row`, `setName`, `addTag`,
 * `addLog`, `references` and `flags` in any order, then `end`. Mistakes are noted, and counted at the end.
 */
export class JaegerRows {
  readonly #rows: SpanRows
  readonly #tagged: TaggedRow
  readonly #resourceIndexes = new Map<Resource, number>()
  builder: SpanBatchBuilder
  row = 0
  flags = 0
  references: JaegerReference[] = []
  readonly tag: JaegerTag = newTag()
  #problem = ''

  constructor(rows: SpanRows) {
    this.#rows = rows
    this.builder = rows.builder
    this.#tagged = new TaggedRow(rows.builder, { errorTextIsError: false })
  }

  /** Call this after the rows are reset. */
  reset(): void {
    this.builder = this.#rows.builder
    this.#tagged.reset(this.builder)
    this.#resourceIndexes.clear()
  }

  begin(): void {
    this.row = this.builder.beginRow()
    this.builder.traceIds.fill(0, this.row * 16, this.row * 16 + 16)
    this.builder.spanIds.fill(0, this.row * 8, this.row * 8 + 8)
    this.#tagged.begin(this.row)
    this.#problem = ''
    this.flags = 0
    if (this.references.length > 0) this.references = []
  }

  /** Leaves out the span for this reason; only the first reason counts. */
  note(problem: string): void {
    if (this.#problem === '') this.#problem = problem
  }

  countObject(): void {
    this.#rows.countObject()
  }

  setName(start: number, end: number): void {
    const { builder, row } = this
    const number = internUtf8(builder.dictionary, builder.arena.bytes, start, end)
    const { bytes } = builder.arena
    builder.names[row] = number >= 0 ? number : builder.internText(repairText('the operation name', bytes, start, end))
  }

  /** Adds the value in `tag` to the span. */
  addTag(): void {
    const { builder, tag } = this
    repairTag(tag, builder)
    const { bytes } = builder.arena
    const key = builder.dictionary.intern(bytes, tag.keyStart, tag.keyEnd)
    if (tag.type !== valueTypes.other) return this.#tagged.add(key, tag.type, tag.a, tag.b)
    this.#rows.countObject()
    builder.attributes.addValue(key, attributeOf(tag, bytes).value, builder)
  }

  /** Adds the value in `tag` as a field of a log. */
  field(): Attribute {
    this.#rows.countObject()
    return attributeOf(this.tag, this.builder.arena.bytes)
  }

  addLog(timeUnixNano: bigint, fields: readonly Attribute[]): void {
    this.#rows.countObject()
    if (timeUnixNano < 0n || timeUnixNano >= 1n << 63n) return this.note(microsProblem('log timestamp'))
    const nameField = fields.find(({ key, value }) => key === 'event' && value.type === 'string')
    const event: SpanEvent = {
      timeUnixNano,
      name: nameField?.value.type === 'string' ? nameField.value.value : 'log',
      attributes: printTypedAttributes(fields.filter((field) => field !== nameField)),
      droppedAttributesCount: 0,
    }
    append(this.builder.events, this.row, event)
  }

  /** Completes the span as a row of the process, or counts it as rejected. */
  end(process: Process): void {
    const { builder, row } = this
    if (typeof process === 'string') this.note(process)
    else builder.resourceIndexes[row] = this.#resourceIndex(process)
    if (isZero(builder.traceIds, row * 16, 16)) this.note('trace id is missing or all zero')
    if (isZero(builder.spanIds, row * 8, 8)) this.note('span id is missing or all zero')
    if (!endFits(builder.startWords, builder.durationWords, row)) this.note(microsProblem('start time + duration'))
    builder.flags[row] = this.flags & sampledFlag
    if ((this.flags & ~sampledFlag) !== 0) {
      const key = builder.internText('jaeger.flags')
      builder.attributes.add(key, valueTypes.int, this.flags >>> 0, 0)
    }
    this.#tagged.end()
    clearOwnParent(builder, row)
    this.#settleReferences()
    if (this.#problem === '') builder.endRow()
    else {
      builder.dropRow()
      this.#rows.reject(this.#problem)
    }
  }

  #settleReferences(): void {
    if (this.references.length === 0) return
    const { builder, row, references } = this
    const parentId = builder.parentSpanIds.subarray(row * 8, row * 8 + 8)
    const traceId = builder.traceIds.subarray(row * 16, row * 16 + 16)
    const spanId = builder.spanIds.subarray(row * 8, row * 8 + 8)
    const isOwn = (reference: JaegerReference): boolean =>
      equal(reference.spanId, spanId) && equal(reference.traceId, traceId)
    const inTrace = references.filter((reference) => equal(reference.traceId, traceId))
    if (isZero(parentId, 0, 8)) {
      // A reference to the span itself or to no span does not give a parent; the next one may.
      const parents = inTrace.filter((reference) => !isZero(reference.spanId, 0, 8) && !isOwn(reference))
      const parent = parents.find(({ type }) => type === 0) ?? parents[0]
      if (parent !== undefined) parentId.set(parent.spanId)
    }
    // The parent has its own field; a FOLLOWS_FROM parent also stays a link, as that field cannot express the type.
    const isParent = (reference: JaegerReference): boolean =>
      reference.type === 0 && inTrace.includes(reference) && equal(reference.spanId, parentId)
    // Clients use ids of zeros for a context that had only baggage or a debug id: it is no span.
    const isOther = (reference: JaegerReference): boolean =>
      !isZero(reference.traceId, 0, 16) && !isZero(reference.spanId, 0, 8) && !isOwn(reference)
    const links = references.filter((reference) => isOther(reference) && !isParent(reference)).map(linkOf)
    if (links.length > 0) builder.links.set(row, links)
  }

  #resourceIndex(resource: Resource): number {
    let index = this.#resourceIndexes.get(resource)
    if (index === undefined) {
      index = this.builder.resources.push(resource) - 1
      this.#resourceIndexes.set(resource, index)
    }
    return index
  }
}

function linkOf({ traceId, spanId, type }: JaegerReference): SpanLink {
  const value = { type: 'string', value: referenceTypes[type] ?? 'child_of' } as const
  const attributes = printTypedAttributes([{ key: 'opentracing.ref_type', value }])
  return { traceId, spanId, traceState: '', attributes, droppedAttributesCount: 0, flags: 0 }
}

function append<T>(map: Map<number, T[]>, row: number, item: T): void {
  const list = map.get(row)
  if (list === undefined) map.set(row, [item])
  else list.push(item)
}

function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) if (bytes[i] !== 0) return false
  return true
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Writes two words as 8 bytes, big-endian. */
export function setIdWords(to: Uint8Array, at: number, low: number, high: number): void {
  for (let i = 0; i < 4; i++) {
    to[at + i] = high >>> (24 - 8 * i)
    to[at + 4 + i] = low >>> (24 - 8 * i)
  }
}
