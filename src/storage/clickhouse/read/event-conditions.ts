/** What event searches ask, as a predicate; and what a span must have for one of its events to meet it. */
import { and, attribute, compare, int, intrinsic, spelled, text, word, type Predicate } from '../../../model/query.ts'
import { addPredicate } from '../compile/predicate.ts'
import { addTimeRange, Conditions, type KeyFacts } from '../compile/conditions.ts'
import { eventsTable } from '../compile/events-table.ts'
import { spanMayHave } from '../compile/span-events.ts'
import type { EventSearch } from './event-search.ts'

/** The search in all but its time range, as a predicate over events. */
export function eventPredicate(search: EventSearch): Predicate {
  const parts: Predicate[] = []
  const equal = (name: 'service' | 'type' | 'traceId' | 'spanId', value: string | undefined): void => {
    if (value !== undefined) parts.push(compare(intrinsic(name), '=', text(value)))
  }
  equal('service', search.service)
  equal('type', search.type)
  equal('traceId', search.traceId)
  equal('spanId', search.spanId)
  if (search.severityMin !== undefined) {
    parts.push(compare(intrinsic('severity'), '>=', int(BigInt(search.severityMin))))
  }
  for (const one of search.words) parts.push(word(one))
  for (const { scope, key, value } of search.attributes) {
    parts.push(compare(attribute(scope === 'span' ? 'event' : scope, key), '=', spelled(value)))
  }
  if (search.where !== undefined) parts.push(search.where)
  return and(...parts)
}

export function recordConditions(search: EventSearch, facts: KeyFacts): Conditions {
  const conditions = new Conditions()
  addTimeRange(conditions, 'time', search)
  addPredicate(eventPredicate(search), { table: eventsTable, facts, conditions })
  return conditions
}

/**
 * Spans that may have an event that meets the search: every such span, and others; only reading their events tells. The
 * time range is left to the caller.
 */
export function spanConditionsOf(search: EventSearch, facts: KeyFacts): Conditions {
  const conditions = new Conditions()
  conditions.add("events != ''")
  conditions.add(spanMayHave(eventPredicate(search), facts, conditions))
  return conditions
}
