/**
 * Span events, links and rare fields as they are in the columns `events`, `links` and `rest` of `spans`: typed JSON
 * (model/attributes.ts), '' when there are none. Text rather than nested columns because few spans have them and a
 * nested column costs seven streams in every read.
 *   events = [{"time":"nanoseconds","name":"…","attributes":{…},"dropped":n}, …]
 *   links  = [{"traceId":"hex or empty","spanId":"hex or empty","traceState":"…","attributes":{…},"dropped":n,"flags":n}, …]
 *   rest   = {"traceState":"…","droppedAttributes":n,"droppedEvents":n,"droppedLinks":n}
 * Absent parts are left out. Times are text, because other programs round JSON numbers of 19 digits.
 */
import { parseTyped, TypedHolder, fromTyped, type Attribute } from '../../../model/attributes.ts'
import type { SpanBatch, SpanEvent, SpanLink } from '../../../model/span-batch.ts'
import type { SpanEventRow, SpanLinkRow, SpanRow } from '../../../model/span-row.ts'
import { utf8Slice } from '../native/byte-writer.ts'

type SpanRest = Pick<SpanRow, 'traceState' | 'droppedAttributesCount' | 'droppedEventsCount' | 'droppedLinksCount'>

export function printEvents(events: readonly SpanEvent[]): string {
  return `[${events.map(printEvent).join(',')}]`
}

function printEvent(event: SpanEvent): string {
  const attributes = event.attributes === '' ? '' : `,"attributes":${event.attributes}`
  const dropped = event.droppedAttributesCount === 0 ? '' : `,"dropped":${event.droppedAttributesCount}`
  return `{"time":"${event.timeUnixNano}","name":${JSON.stringify(event.name)}${attributes}${dropped}}`
}

export function printLinks(links: readonly SpanLink[]): string {
  return `[${links.map(printLink).join(',')}]`
}

function printLink(link: SpanLink): string {
  const ids = `"traceId":"${hex(link.traceId)}","spanId":"${hex(link.spanId)}"`
  const state = link.traceState === '' ? '' : `,"traceState":${JSON.stringify(link.traceState)}`
  const attributes = link.attributes === '' ? '' : `,"attributes":${link.attributes}`
  return `{${ids}${state}${attributes}${part('dropped', link.droppedAttributesCount)}${part('flags', link.flags)}}`
}

function part(name: string, value: number): string {
  return value === 0 ? '' : `,"${name}":${value}`
}

export function printRest(batch: SpanBatch, row: number): string {
  const stateLength = batch.traceStates[row * 2 + 1]!
  const attributes = batch.droppedAttributes[row]!
  const events = batch.droppedEvents[row]!
  const links = batch.droppedLinks[row]!
  if (stateLength === 0 && attributes === 0 && events === 0 && links === 0) return ''
  const state = stateLength === 0 ? '' : utf8Slice(batch.arena, batch.traceStates[row * 2]!, stateLength)
  const text =
    (state === '' ? '' : `,"traceState":${JSON.stringify(state)}`) +
    part('droppedAttributes', attributes) +
    part('droppedEvents', events) +
    part('droppedLinks', links)
  return `{${text.slice(1)}}`
}

type Loose = Record<string, unknown>

export function parseEvents(text: string): SpanEventRow[] {
  if (text === '') return []
  return (parseTyped(text) as Loose[]).map((event) => ({
    timeUnixNano: BigInt(event['time'] as string),
    name: event['name'] as string,
    attributes: attributesOf(event['attributes']),
    droppedAttributesCount: numberOf(event['dropped']),
  }))
}

export function parseLinks(text: string): SpanLinkRow[] {
  if (text === '') return []
  return (parseTyped(text) as Loose[]).map((link) => ({
    traceId: link['traceId'] as string,
    spanId: link['spanId'] as string,
    traceState: (link['traceState'] as string | undefined) ?? '',
    attributes: attributesOf(link['attributes']),
    droppedAttributesCount: numberOf(link['dropped']),
    flags: numberOf(link['flags']),
  }))
}

export function parseRest(text: string): SpanRest {
  const rest = (text === '' ? {} : JSON.parse(text)) as Record<string, string | number>
  return {
    traceState: (rest['traceState'] as string | undefined) ?? '',
    droppedAttributesCount: (rest['droppedAttributes'] as number | undefined) ?? 0,
    droppedEventsCount: (rest['droppedEvents'] as number | undefined) ?? 0,
    droppedLinksCount: (rest['droppedLinks'] as number | undefined) ?? 0,
  }
}

function attributesOf(value: unknown): Attribute[] {
  if (value === undefined) return []
  return Object.entries(value as Loose).map(([key, item]) => ({ key, value: fromTyped(item) }))
}

function numberOf(value: unknown): number {
  return value instanceof TypedHolder && value.typed.type === 'int' ? Number(value.typed.value) : 0
}

/** '' for all zeros: the link has no id. */
function hex(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return ''
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
