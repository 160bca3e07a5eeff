/** A query for spans as SQL conditions. */
import type { SpanQuery } from '../../../model/query.ts'
import { requireSpanFilter } from '../../flat-filter.ts'
import { spanConditions, type Conditions, type KeyFacts } from './conditions.ts'

export function compileSpanQuery(query: SpanQuery, facts: KeyFacts): Conditions {
  return spanConditions(requireSpanFilter(query), facts)
}

/** Whether anything but the time is asked for. */
export function isSelective({ where }: SpanQuery): boolean {
  return where.kind !== 'and' || where.of.length > 0
}
