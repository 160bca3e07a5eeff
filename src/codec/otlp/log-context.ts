/**
 * The trace that a log record names without having it in its own fields: Collectors that read files, and bridges from other
 * loggers, send it as attributes (`trace_id`, `traceparent`, …; names as in record/fields.ts) or leave it in the text.
 * Only records without a trace id are looked at; attributes and body stay as they were sent.
 */
import { valueTypes } from '../../model/attribute-columns.ts'
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { bodyTypes } from '../../model/event-batch.ts'
import { parseSpanId } from '../../model/ids.ts'
import { linkBytes, writeReference } from '../context/row-context.ts'
import { carrierParsers, parseLooseReference, type TraceReference } from '../context/trace-reference.ts'
import { fieldNamed, slots, type Field } from '../record/fields.ts'
import { utf8Text } from '../utf8.ts'

/** Longer values name no trace. */
const valueBytesMax = 256

export class LogContext {
  /** By dictionary number; `null` names no context, a hole was not looked up yet. */
  #fields: (Field | null | undefined)[] = []

  /** To be called after the builder's own reset. */
  reset(): void {
    this.#fields = []
  }

  /** Links the row that is about to end. */
  link(builder: EventBatchBuilder, row: number): void {
    const { traceIds, bodies } = builder
    for (let i = row * 16, end = i + 16; i < end; i++) if (traceIds[i] !== 0) return
    const flags = builder.flags[row]!
    const found = this.#findInAttributes(builder, row)
    if (found !== undefined) writeReference(builder, row, found)
    else if (builder.bodyTypes[row] === bodyTypes.string) {
      linkBytes(builder, row, bodies[row * 2]!, bodies[row * 2 + 1]!)
    }
    // What the record itself says comes first.
    if (flags !== 0) builder.flags[row] = flags
  }

  #findInAttributes(builder: EventBatchBuilder, row: number): TraceReference | undefined {
    const { attributes } = builder
    let trace: TraceReference | undefined
    let span = ''
    for (let i = row === 0 ? 0 : attributes.ends[row - 1]!; i < attributes.count; i++) {
      const field = this.#fieldOf(builder, attributes.keys[i]!)
      const length = attributes.b[i]!
      if (field === null || attributes.types[i] !== valueTypes.string || length > valueBytesMax) continue
      const text = utf8Text(builder.arena.bytes, attributes.a[i]!, attributes.a[i]! + length)
      if (field.slot === slots.carrier) {
        const found = carrierParsers[field.carrier]?.(text)
        if (found !== undefined) return found
      } else if (field.slot === slots.traceId) trace ??= parseLooseReference(text)
      else span ||= text
    }
    return trace && { ...trace, spanId: trace.spanId ?? parseSpanId(span) }
  }

  #fieldOf({ dictionary, arena }: EventBatchBuilder, key: number): Field | null {
    const known = this.#fields[key]
    if (known !== undefined) return known
    const start = dictionary.starts[key]!
    const field = fieldNamed(utf8Text(arena.bytes, start, start + dictionary.lengths[key]!))
    const isContext = field?.slot === slots.carrier || field?.slot === slots.traceId || field?.slot === slots.spanId
    return (this.#fields[key] = isContext ? field : null)
  }
}
