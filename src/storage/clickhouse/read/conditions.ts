/** What readers of spans need of the compiler, under the names they know. */
import { queryOfFilter, type SpanFilter } from '../../../model/span-filter.ts'
import type { Conditions, KeyFacts } from '../compile/conditions.ts'
import { compileSpanQuery } from '../compile/predicate.ts'

export { addTimeRange, Conditions, type KeyFacts } from '../compile/conditions.ts'

export function spanConditions(filter: SpanFilter, facts: KeyFacts): Conditions {
  return compileSpanQuery(queryOfFilter(filter), facts)
}
