/** What the native API answers for an event, flattened so that a test reads well. */
import type { EventItem } from '../../src/api/native/contract.ts'
import { fromAnyValueJson, type AnyValueJson } from '../../src/model/attributes.ts'
import { plain } from './event-rows.ts'

export interface FlatEvent {
  readonly body: unknown
  readonly service: string
  readonly node: string
  readonly protocol: string
  readonly type: string
  readonly severity: string
  readonly traceId: string
  readonly spanId: string
  /** Ints are bigints, doubles numbers. */
  readonly attributes: Readonly<Record<string, unknown>>
}

export function flatEvent(item: EventItem): FlatEvent {
  const attributes = Object.entries(item.attributes as Record<string, AnyValueJson>)
  return {
    body: item.body,
    service: item.source.service,
    node: item.source.node,
    protocol: item.source.protocol,
    type: item.type,
    severity: item.severityNumber === 0 ? '' : `${item.severityNumber} ${item.severityText}`,
    traceId: item.traceId,
    spanId: item.spanId,
    attributes: Object.fromEntries(attributes.map(([key, value]) => [key, plain(fromAnyValueJson(value))])),
  }
}
