/** Columns -> rows, for the few spans that a person looks at. */
import type { AttributeColumns } from './attribute-columns.ts'
import { valueTypes } from './attribute-columns.ts'
import {
  fromAnyValueJson,
  parseTypedAttributes,
  type AnyValueJson,
  type Attribute,
  type AttributeValue,
} from './attributes.ts'
import { noText, type DictionaryColumn } from './dictionary.ts'
import type { SpanBatch } from './span-batch.ts'
import type { SpanRow } from './span-row.ts'
import { doubleOf, intOf } from './words.ts'

/** What attributes and texts of a batch refer to. */
export interface TextColumns {
  readonly arena: Uint8Array
  readonly texts: readonly string[]
  readonly dictionary: DictionaryColumn
}

/** All spans of a batch, every attribute with its exact type. */
export function spanRowsOf(batch: SpanBatch): SpanRow[] {
  return Array.from({ length: batch.rows }, (_, row) => ({
    traceId: idText(batch.traceIds, row, 16),
    spanId: idText(batch.spanIds, row, 8),
    parentSpanId: withoutZeros(idText(batch.parentSpanIds, row, 8)),
    traceState: referredText(batch.arena, batch.traceStates, row),
    flags: batch.flags[row]!,
    name: entryText(batch, batch.names[row]!),
    kind: batch.kinds[row]!,
    startTimeUnixNano: batch.startTimes[row]!,
    durationNano: batch.durations[row]!,
    attributes: attributesOf(batch, batch.attributes, row),
    droppedAttributesCount: batch.droppedAttributes[row]!,
    events: (batch.events.get(row) ?? []).map((event) => ({
      ...event,
      attributes: parseTypedAttributes(event.attributes),
    })),
    droppedEventsCount: batch.droppedEvents[row]!,
    links: (batch.links.get(row) ?? []).map((link) => ({
      ...link,
      traceId: withoutZeros(idText(link.traceId, 0, 16)),
      spanId: withoutZeros(idText(link.spanId, 0, 8)),
      attributes: parseTypedAttributes(link.attributes),
    })),
    droppedLinksCount: batch.droppedLinks[row]!,
    statusCode: batch.statuses[row]!,
    statusMessage: referredText(batch.arena, batch.statusMessages, row),
    resource: batch.resources[batch.resourceIndexes[row]!]!.json,
    scope: batch.scopes[batch.scopeIndexes[row]!]!.json,
  }))
}

export function attributesOf(batch: TextColumns, columns: AttributeColumns, row: number): Attribute[] {
  const attributes: Attribute[] = []
  for (let entry = row === 0 ? 0 : columns.ends[row - 1]!; entry < columns.ends[row]!; entry++) {
    attributes.push({ key: entryText(batch, columns.keys[entry]!), value: valueOf(batch, columns, entry) })
  }
  return attributes
}

/** The text with this number in the dictionary. */
export function entryText({ arena, dictionary }: TextColumns, entry: number): string {
  return entry === noText ? '' : textAt(arena, dictionary.starts[entry]!, dictionary.lengths[entry]!)
}

/** The text that a column of starts and lengths gives a row. */
export function referredText(arena: Uint8Array, references: Uint32Array, row: number): string {
  return textAt(arena, references[row * 2]!, references[row * 2 + 1]!)
}

/** Lower-case hex of a row's id. */
export function idText(ids: Uint8Array, row: number, bytes: number): string {
  return Buffer.from(ids.buffer, ids.byteOffset + row * bytes, bytes).toString('hex')
}

/** An absent id is all zero in columns and '' in rows. */
export function withoutZeros(id: string): string {
  return /^0*$/.test(id) ? '' : id
}

export function valueOf({ arena, texts }: TextColumns, columns: AttributeColumns, entry: number): AttributeValue {
  const a = columns.a[entry]!
  const b = columns.b[entry]!
  switch (columns.types[entry]) {
    case valueTypes.string:
      return { type: 'string', value: textAt(arena, a, b) }
    case valueTypes.bool:
      return { type: 'bool', value: a === 1 }
    case valueTypes.int:
      return { type: 'int', value: intOf(a, b) }
    case valueTypes.double:
      return { type: 'double', value: doubleOf(a, b) }
    default:
      return fromAnyValueJson(JSON.parse(texts[a]!) as AnyValueJson)
  }
}

function textAt(arena: Uint8Array, start: number, length: number): string {
  return length === 0 ? '' : Buffer.from(arena.buffer, arena.byteOffset + start, length).toString('utf8')
}
