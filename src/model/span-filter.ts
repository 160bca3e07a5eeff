/** The short form of a search for spans: conditions that one span must meet together, each by a name of its own. */
import {
  and,
  attribute,
  compare,
  duration,
  intrinsic,
  spelled,
  status,
  text,
  type Predicate,
  type SpanQuery,
} from './query.ts'

export interface SpanFilter {
  readonly service?: string
  readonly operation?: string
  /** OTLP status code: 0 unset, 1 ok, 2 error. */
  readonly status?: number
  readonly durationMinNs?: bigint
  readonly durationMaxNs?: bigint
  readonly attributes: readonly AttributeCondition[]
  /** Beside the conditions above. */
  readonly where?: Predicate
  /** Start time of the span: [startNs, endNs) in nanoseconds since the epoch. */
  readonly startNs?: bigint
  readonly endNs?: bigint
}

export interface AttributeCondition {
  /** Where the key may be; `any` is everything that is shown of a span. */
  readonly scope: 'any' | 'span' | 'resource'
  readonly key: string
  /** As a person writes it: matches the text, the number or the boolean it spells. */
  readonly value: string
}

export function queryOfFilter(filter: SpanFilter): SpanQuery {
  const parts: Predicate[] = []
  if (filter.service !== undefined) parts.push(compare(intrinsic('service'), '=', text(filter.service)))
  if (filter.operation !== undefined) parts.push(compare(intrinsic('name'), '=', text(filter.operation)))
  if (filter.status !== undefined) parts.push(compare(intrinsic('status'), '=', status(filter.status)))
  if (filter.durationMinNs !== undefined) {
    parts.push(compare(intrinsic('duration'), '>=', duration(filter.durationMinNs)))
  }
  if (filter.durationMaxNs !== undefined) {
    parts.push(compare(intrinsic('duration'), '<=', duration(filter.durationMaxNs)))
  }
  for (const { scope, key, value } of filter.attributes) parts.push(compare(attribute(scope, key), '=', spelled(value)))
  if (filter.where !== undefined) parts.push(filter.where)
  return { where: and(...parts), startNs: filter.startNs, endNs: filter.endNs }
}
