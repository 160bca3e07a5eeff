/** Handler of the events route. */
import { printTime } from '../../base/time.ts'
import { parseTyped, fromTyped, toAnyValueJson, type Attribute } from '../../model/attributes.ts'
import { plainText } from '../../model/resource.ts'
import type { EventRow } from '../../model/span-row.ts'
import { searchEvents } from '../../storage/clickhouse/read/event-search.ts'
import type { EventItem } from './contract.ts'
import type { Handlers } from './handler.ts'
import { attributesOf, rangeOf, spanIdOf, traceIdOf } from './parameters.ts'

/** Lowest OTLP severity number of each name (logs data model, "Severity Fields"). */
const severityFloors = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const

export const eventHandlers = {
  async events(context, { query, signal }) {
    const { service, type, severity, traceId, spanId, limit } = query
    const found = await searchEvents(
      context.engine,
      {
        words: (query.query ?? '').split(/\s+/).filter((word: string) => word !== ''),
        service,
        type,
        severityMin: severityFloors[severity as keyof typeof severityFloors],
        traceId: traceId === undefined ? undefined : traceIdOf(traceId),
        spanId: spanId === undefined ? undefined : spanIdOf(spanId),
        attributes: [],
        where: attributesOf(query.attribute, 'event'),
        ...rangeOf(query),
        limit,
        signal,
      },
      context.facts,
    )
    return { events: found.events.map(printEvent), total: found.total }
  },
} satisfies Partial<Handlers>

function printEvent(event: EventRow): EventItem {
  return {
    time: printTime(event.timeUnixNano),
    timeUnixNano: event.timeUnixNano.toString(),
    type: event.type,
    source: {
      service: event.service,
      node: nodeOf(event.resource),
      scope: scopeName(event.scope),
      protocol: event.protocol,
    },
    severityNumber: event.severityNumber,
    severityText: event.severityText,
    body: event.body,
    attributes: printAttributes(event.attributes),
    traceId: event.traceId,
    spanId: event.spanId,
  }
}

/** By key; of a key that the sender gave more than once, an array of all its values in their order. */
function printAttributes(attributes: readonly Attribute[]): EventItem['attributes'] {
  const values = Map.groupBy(attributes, ({ key }) => key)
  return Object.fromEntries(
    [...values].map(([key, given]) => {
      const [first, ...more] = given.map(({ value }) => value)
      return [key, toAnyValueJson(more.length === 0 ? first! : { type: 'array', value: [first!, ...more] })]
    }),
  )
}

/** What of the resource names the node best. */
const nodeKeys = ['service.instance.id', 'k8s.pod.name', 'host.name', 'host.id', 'container.id']

function nodeOf(resource: string): string {
  if (resource === '') return ''
  const attributes = (parseTyped(resource) as { attributes?: Record<string, unknown> }).attributes ?? {}
  for (const key of nodeKeys) if (attributes[key] !== undefined) return plainText(fromTyped(attributes[key]))
  return ''
}

function scopeName(scope: string): string {
  return scope === '' ? '' : ((JSON.parse(scope) as { name?: string }).name ?? '')
}
