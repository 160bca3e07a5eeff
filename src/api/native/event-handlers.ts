/** Handler of the events route. */
import { printTime } from '../../base/time.ts'
import { toAnyValueJson, type Attribute } from '../../model/attributes.ts'
import { nodeLabel } from '../../model/node.ts'
import { resourceAttributesOf } from '../../model/resource.ts'
import type { EventRow } from '../../model/span-row.ts'
import type { EventItem } from './contract.ts'
import type { Handlers } from './handler.ts'
import { eventQueryOf } from './parameters.ts'

export const eventHandlers = {
  async events({ reader }, { query, signal }) {
    const { events, total } = await reader.findEvents({ query: eventQueryOf(query), limit: query.limit }, { signal })
    // The events of a single trace come oldest first, because people read them in that order.
    const inOrder = query.traceId === undefined ? events : events.toReversed()
    return { events: inOrder.map(printEvent), total }
  },
} satisfies Partial<Handlers>

function printEvent(event: EventRow): EventItem {
  return {
    time: printTime(event.timeUnixNano),
    timeUnixNano: event.timeUnixNano.toString(),
    type: event.type,
    source: {
      service: event.service,
      node: nodeLabel(resourceAttributesOf(event.resource)),
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

/** By key. A key that the sender gave more than once has an array of all its values in their order. */
function printAttributes(attributes: readonly Attribute[]): EventItem['attributes'] {
  const values = Map.groupBy(attributes, ({ key }) => key)
  return Object.fromEntries(
    [...values].map(([key, given]) => {
      const [first, ...more] = given.map(({ value }) => value)
      return [key, toAnyValueJson(more.length === 0 ? first! : { type: 'array', value: [first!, ...more] })]
    }),
  )
}

function scopeName(scope: string): string {
  return scope === '' ? '' : ((JSON.parse(scope) as { name?: string }).name ?? '')
}
