/** SQL conditions of a search for events: on rows of `events`, and on the spans whose events may meet it. */
import { fieldComparison, type EventQuery, type Predicate, type TimeRange } from '../../../model/query.ts'
import { addTimeRange, Conditions, type KeyFacts } from '../compile/conditions.ts'
import { eventsTable } from '../compile/events-table.ts'
import { addPredicate } from '../compile/predicate.ts'
import { spanMayHave } from '../compile/span-events.ts'
import { nanosOf } from './rows.ts'

export function eventConditions(query: EventQuery, facts: KeyFacts): Conditions {
  const conditions = new Conditions()
  addTimeRange(conditions, 'time', query)
  addPredicate(query.where, { table: eventsTable, facts, conditions })
  return conditions
}

export interface SpanEventConditions {
  /** Every span with an event that meets the query meets them. */
  readonly conditions: Conditions
  /** SQL: an array of those events of a span that may meet the query, each with its time. */
  readonly matching: string
  /** Whether the events in `matching` are exactly those that meet the query; otherwise only reading them tells. */
  readonly isExact: boolean
}

/** Of the texts of a span's events just what tells which are asked for: parsing no more takes a sixth of the time. */
const eventList = "JSONExtract(events, 'Array(Tuple(time UInt64, name String))')"

/** `undefined` when no event of a span can meet the query. */
export function spanEventConditions(query: EventQuery, facts: KeyFacts): SpanEventConditions | undefined {
  const conditions = new Conditions()
  conditions.add("events != ''")
  const mayHave = spanMayHave(query.where, facts, conditions)
  if (mayHave === '0') return undefined
  conditions.add(mayHave)
  addOverlap(conditions, query)
  const plain = plainParts(query.where)
  const wanted = plain?.types.map((type) => `e.name = ${conditions.bind(type, 'String')}`) ?? []
  const time = (timeNs: bigint): string => conditions.bind(timeNs < 0n ? 0n : timeNs, 'UInt64')
  if (query.startNs !== undefined) wanted.push(`e.time >= ${time(query.startNs)}`)
  if (query.endNs !== undefined) wanted.push(`e.time < ${time(query.endNs)}`)
  const isExact = plain !== undefined
  if (wanted.length === 0) return { conditions, matching: eventList, isExact }
  conditions.add(`arrayExists(e -> ${wanted.join(' AND ')}, ${eventList})`)
  return { conditions, matching: `arrayFilter(e -> ${wanted.join(' AND ')}, ${eventList})`, isExact }
}

/** The types asked for, when the query asks only for what columns of spans and names of events tell. */
function plainParts(where: Predicate): { readonly types: readonly string[] } | undefined {
  const types: string[] = []
  for (const part of where.kind === 'and' ? where.of : [where]) {
    const { field, operator, value } = (part.kind === 'compare' && fieldComparison(part)) || {}
    if (field?.kind !== 'intrinsic' || operator !== '=' || value?.type !== 'string') return undefined
    if (field.name === 'type') types.push(value.value)
    else if (field.name !== 'service' && field.name !== 'traceId' && field.name !== 'spanId') return undefined
  }
  return { types }
}

/** Spans that began longer before the range are found by the index on duration. */
const longSpanNs = 3_600_000_000_000n

/** Spans that have a part in the range, as their events are within them. */
function addOverlap(conditions: Conditions, { startNs, endNs }: TimeRange): void {
  if (endNs !== undefined) conditions.add(`start_time < ${conditions.bind(endNs, 'DateTime64(9)')}`)
  if (startNs === undefined || startNs <= longSpanNs) return
  const near = conditions.bind(startNs - longSpanNs, 'DateTime64(9)')
  conditions.add(`(start_time >= ${near} OR duration >= ${longSpanNs})`)
  const start = conditions.bind(startNs, 'Int64')
  conditions.add(`(duration >= ${start} - ${nanosOf('start_time')} OR ${nanosOf('start_time')} >= ${start})`)
}
