/** A span as the evaluator reads it; the oracle of compilers. */
import type { AttributeValue } from '../attributes.ts'
import type { Place, View } from './evaluate.ts'
import type { Held } from './held-value.ts'
import { int, once, originOf, text, valuesUnder, type Origin } from './view-parts.ts'
import type { Intrinsic } from '../query.ts'
import type { SpanRow } from '../span-row.ts'

/** Facts about a span that need the whole trace. */
export interface TraceFacts {
  readonly rootName: string
  readonly rootService: string
  readonly durationNs: bigint
}

/**
 * `trace` may be missing when no condition needs it. `readOrigin` reads resources and scopes; a function that remembers
 * them is much quicker for many spans.
 */
export function spanView(span: SpanRow, trace?: TraceFacts, readOrigin: (json: string) => Origin = originOf): View {
  const resource = once(() => readOrigin(span.resource))
  const scope = once(() => readOrigin(span.scope))
  return {
    own: 'span',
    hasWord: () => false,
    intrinsic: (name) => intrinsicOf(name, span, { resource, scope, trace }),
    attribute(place: Place, key: string): AttributeValue[] {
      switch (place) {
        case 'span':
          return valuesUnder(key, span.attributes)
        case 'resource':
          return valuesUnder(key, resource().attributes)
        case 'instrumentation':
          return valuesUnder(key, scope().attributes)
        case 'event':
          return span.events.flatMap(({ attributes }) => valuesUnder(key, attributes))
        case 'link':
          return span.links.flatMap(({ attributes }) => valuesUnder(key, attributes))
      }
    },
  }
}

interface Around {
  readonly resource: () => Origin
  readonly scope: () => Origin
  readonly trace: TraceFacts | undefined
}

function intrinsicOf(name: Intrinsic['name'], span: SpanRow, { resource, scope, trace }: Around): readonly Held[] {
  switch (name) {
    case 'name':
      return [text(span.name)]
    case 'duration':
      return [int(span.durationNano)]
    case 'startTime':
      return [int(span.startTimeUnixNano)]
    case 'status':
      return [{ type: 'status', value: span.statusCode }]
    case 'statusMessage':
      return [text(span.statusMessage)]
    case 'kind':
      return [{ type: 'kind', value: span.kind }]
    case 'service':
      return [text(resource().serviceName ?? '')]
    case 'traceId':
      return [text(span.traceId)]
    case 'spanId':
      return [text(span.spanId)]
    case 'parentId':
      return span.parentSpanId === '' ? [] : [text(span.parentSpanId)]
    case 'instrumentationName':
      return [text(scope().name ?? '')]
    case 'instrumentationVersion':
      return [text(scope().version ?? '')]
    case 'eventName':
      return span.events.map((event) => text(event.name))
    case 'eventTimeSinceStart':
      return span.events.map(({ timeUnixNano }) => int(timeUnixNano - span.startTimeUnixNano))
    case 'linkTraceId':
      return span.links.map(({ traceId }) => text(traceId))
    case 'linkSpanId':
      return span.links.map(({ spanId }) => text(spanId))
    default:
      return traceIntrinsic(name, trace)
  }
}

function traceIntrinsic(name: Intrinsic['name'], trace: TraceFacts | undefined): readonly Held[] {
  if (trace === undefined) return []
  if (name === 'rootName') return [text(trace.rootName)]
  if (name === 'rootService') return [text(trace.rootService)]
  return name === 'traceDuration' ? [int(trace.durationNs)] : []
}
