/**
 * Finds the trace of a log record whose own fields do not name it. Collectors that read files, and bridges from other
 * loggers, send it as attributes (`trace_id`, `traceparent`, …; names as in record/fields.ts), in maps of these, in a
 * body that is a map, or in the text.
 * Only records without a trace id are searched; attributes and body stay as they were sent.
 */
import { fromAnyValueJson, type AnyValueJson, type Attribute, type AttributeValue } from '../../model/attributes.ts'
import { valueTypes } from '../../model/attribute-columns.ts'
import type { EventBatchBuilder } from '../../model/event-batch.ts'
import { bodyTypes } from '../../model/event-batch.ts'
import { linkBytes, writeReference } from '../context/row-context.ts'
import {
  carrierParsers,
  parseDatadog,
  parseLooseReference,
  withSpan,
  type TraceReference,
} from '../context/trace-reference.ts'
import { fieldNamed, isIdMap, mayHoldIds, nestedFieldNamed, slots, type Field } from '../record/fields.ts'
import { utf8Text } from '../utf8.ts'

/** Longer values name no trace. */
const valueBytesMax = 256
/** Longer maps are not searched. */
const mapCharsMax = 16 * 1024

const contextSlots: ReadonlySet<number> = new Set<number>([
  slots.carrier,
  slots.traceId,
  slots.spanId,
  slots.datadogTrace,
  slots.datadogSpan,
])

/** What the record names so far; the first of several counts. */
interface Named {
  carried: TraceReference | undefined
  trace: TraceReference | undefined
  span: string
  datadogTrace: string
  datadogSpan: string
}

/** What an attribute's key means: `trace` is an id when it is text, and may contain one when it is a map. */
interface Meaning {
  readonly field: Field | undefined
  /** Name of the map; '' for one without ids. */
  readonly map: string
}

export class LogContext {
  /** By dictionary number; `null` names no context, a hole was not looked up yet. */
  #meanings: (Meaning | null | undefined)[] = []

  /** Call this after the builder's own reset. */
  reset(): void {
    this.#meanings = []
  }

  /** Links the row that is about to end. */
  link(builder: EventBatchBuilder, row: number): void {
    const { traceIds, bodies } = builder
    for (let i = row * 16, end = i + 16; i < end; i++) if (traceIds[i] !== 0) return
    const flags = builder.flags[row]!
    const start = bodies[row * 2]!
    const length = bodies[row * 2 + 1]!
    const bodyType = builder.bodyTypes[row]
    let found = this.#findInAttributes(builder, row)
    if (found === undefined && bodyType === bodyTypes.json && length <= mapCharsMax) {
      found = findInBody(utf8Text(builder.arena.bytes, start, start + length))
    }
    if (found !== undefined) writeReference(builder, row, found)
    else if (bodyType === bodyTypes.string) linkBytes(builder, row, start, length)
    // The record's own fields come first.
    if (flags !== 0) builder.flags[row] = flags
  }

  #findInAttributes(builder: EventBatchBuilder, row: number): TraceReference | undefined {
    const { attributes, texts, arena } = builder
    let named: Named | undefined
    for (let i = row === 0 ? 0 : attributes.ends[row - 1]!; i < attributes.count; i++) {
      const meaning = this.#meaningOf(builder, attributes.keys[i]!)
      if (meaning === null) continue
      const type = attributes.types[i]
      const a = attributes.a[i]!
      const length = attributes.b[i]!
      const { field, map } = meaning
      if (field !== undefined && type === valueTypes.string && length <= valueBytesMax) {
        note((named ??= nothing()), field, utf8Text(arena.bytes, a, a + length))
      } else if (map !== '' && type === valueTypes.other && texts[a]!.length <= mapCharsMax) {
        noteMap((named ??= nothing()), map, entriesOf(texts[a]!))
      }
    }
    return named && chosen(named)
  }

  #meaningOf({ dictionary, arena }: EventBatchBuilder, key: number): Meaning | null {
    const known = this.#meanings[key]
    if (known !== undefined) return known
    const start = dictionary.starts[key]!
    const name = utf8Text(arena.bytes, start, start + dictionary.lengths[key]!)
    const found = fieldNamed(name)
    const field = found !== undefined && contextSlots.has(found.slot) ? found : undefined
    const map = mayHoldIds(name.toLowerCase()) ? name.toLowerCase() : ''
    return (this.#meanings[key] = field === undefined && map === '' ? null : { field, map })
  }
}

function findInBody(json: string): TraceReference | undefined {
  if (!/race|b3|request|activity/i.test(json)) return undefined
  const named = nothing()
  for (const { key, value } of entriesOf(json)) {
    const field = fieldNamed(key)
    if (value.type === 'map') noteMap(named, key.toLowerCase(), value.value)
    else if (field !== undefined) noteValue(named, field, value)
  }
  return chosen(named)
}

/** Entries of a map as OTLP JSON of its AnyValue; none for a value of another kind. */
function entriesOf(json: string): readonly Attribute[] {
  const value = fromAnyValueJson(JSON.parse(json) as AnyValueJson)
  return value.type === 'map' ? value.value : []
}

function nothing(): Named {
  return { carried: undefined, trace: undefined, span: '', datadogTrace: '', datadogSpan: '' }
}

function noteMap(named: Named, parent: string, entries: readonly Attribute[]): void {
  for (const { key, value } of entries) {
    const inner = key.toLowerCase()
    if (value.type === 'map' && isIdMap(inner) && !isIdMap(parent)) noteMap(named, inner, value.value)
    const field = nestedFieldNamed(parent, key)
    if (field !== undefined) noteValue(named, field, value)
  }
}

function noteValue(named: Named, field: Field, value: AttributeValue): void {
  const isText = value.type === 'string' || value.type === 'int'
  if (isText && contextSlots.has(field.slot)) note(named, field, String(value.value).slice(0, valueBytesMax))
}

function note(named: Named, field: Field, text: string): void {
  if (field.slot === slots.carrier) named.carried ??= carrierParsers[field.carrier]?.(text)
  else if (field.slot === slots.traceId) named.trace ??= parseLooseReference(text)
  else if (field.slot === slots.spanId) named.span ||= text
  else if (field.slot === slots.datadogTrace) named.datadogTrace ||= text
  else named.datadogSpan ||= text
}

function chosen({ carried, trace, span, datadogTrace, datadogSpan }: Named): TraceReference | undefined {
  return carried ?? (trace === undefined ? parseDatadog(datadogTrace, datadogSpan) : withSpan(trace, span))
}
