/** Events: rows of `events`, and the span events that lie in the rows of `spans`. */
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import { eventView } from '../../../model/evaluate/event-view.ts'
import type { Predicate } from '../../../model/query.ts'
import type { AttributeCondition } from '../../../model/span-filter.ts'
import type { EventRow } from '../../../model/span-row.ts'
import type { Engine } from '../engine.ts'
import { parseEvents } from '../block/span-lists.ts'
import type { Conditions, KeyFacts } from './conditions.ts'
import { eventPredicate, recordConditions, spanConditionsOf } from './event-conditions.ts'
import { attributeSelects, hexOrEmpty, nanosOf } from './rows.ts'

export interface EventSearch {
  /** Words that the event must contain, all of them (`word` in model/query.ts). */
  readonly words: readonly string[]
  readonly service?: string
  readonly type?: string
  readonly severityMin?: number
  readonly traceId?: string
  readonly spanId?: string
  readonly attributes: readonly AttributeCondition[]
  /** Beside the conditions above. */
  readonly where?: Predicate
  readonly startNs?: bigint
  readonly endNs?: bigint
  readonly limit: number
  readonly signal?: AbortSignal
}

export interface EventPage {
  /** Newest first; those of one trace oldest first, as a story is read. */
  readonly events: readonly EventRow[]
  readonly total: number
}

export async function searchEvents(engine: Engine, search: EventSearch, facts: KeyFacts): Promise<EventPage> {
  const [records, spanEvents] = await Promise.all([
    searchRecords(engine, search, facts),
    wantsSpanEvents(search) ? searchSpanEvents(engine, search, facts) : { events: [], total: 0 },
  ])
  const events = [...records.events, ...spanEvents.events].sort((a, b) =>
    a.timeUnixNano < b.timeUnixNano ? 1 : a.timeUnixNano > b.timeUnixNano ? -1 : 0,
  )
  const page = events.slice(0, search.limit)
  if (search.traceId !== undefined) page.reverse()
  return { events: page, total: records.total + spanEvents.total }
}

/** Span events have no severity. */
function wantsSpanEvents(search: EventSearch): boolean {
  return search.severityMin === undefined
}

/** Of the newest so many spans that have the keys asked for, the events are looked at. */
const spansLookedAtMax = 10_000

const everyColumn = attributeSelects((column) => column.startsWith('attributes_'))

async function searchRecords(engine: Engine, search: EventSearch, facts: KeyFacts): Promise<EventPage> {
  const conditions = recordConditions(search, facts)
  const options = {
    parameters: conditions.parameters,
    signal: search.signal,
  }
  const where = conditions.where()
  const [rows, [count]] = await Promise.all([
    engine.query<readonly unknown[]>(
      `SELECT ${recordColumns} FROM events ${where} ORDER BY time DESC LIMIT ${search.limit}`,
      options,
    ),
    engine.query<[string]>(`SELECT count() FROM events ${where}`, options),
  ])
  return { events: rows.map(eventRow), total: Number(count?.[0] ?? 0) }
}

/** Log records of one trace in time order, at most `limit`. */
export async function readTraceEvents(
  engine: Engine,
  traceId: string,
  options: { readonly limit: number; readonly signal?: AbortSignal },
): Promise<EventRow[]> {
  const rows = await engine.query<readonly unknown[]>(
    `SELECT ${recordColumns} FROM events WHERE trace_id = {traceId:FixedString(16)} ORDER BY time LIMIT {limit:UInt64}`,
    {
      parameters: { traceId, limit: options.limit },
      signal: options.signal,
    },
  )
  return rows.map(eventRow)
}

const recordColumns = [
  nanosOf('time'),
  'time_given',
  nanosOf('observed_time'),
  hexOrEmpty('trace_id', 16),
  hexOrEmpty('span_id', 8),
  'flags',
  'severity_number',
  'severity_text',
  'type',
  'protocol',
  'service_name',
  'body_type',
  'body',
  'dropped_attributes_count',
  'resource',
  'scope',
  ...everyColumn.sql,
].join(', ')

function eventRow(row: readonly unknown[]): EventRow {
  return {
    timeUnixNano: BigInt(row[0] as string),
    timeGiven: row[1] === true,
    observedTimeUnixNano: BigInt(row[2] as string),
    traceId: row[3] as string,
    spanId: row[4] as string,
    flags: row[5] as number,
    severityNumber: row[6] as number,
    severityText: row[7] as string,
    type: row[8] as string,
    protocol: row[9] as string,
    service: row[10] as string,
    bodyType: row[11] as number,
    body: row[12] as string,
    droppedAttributesCount: row[13] as number,
    resource: row[14] as string,
    scope: row[15] as string,
    attributes: everyColumn.read(row, 16),
  }
}

async function searchSpanEvents(engine: Engine, search: EventSearch, facts: KeyFacts): Promise<EventPage> {
  const { conditions, matching } = spanEventConditions(search, facts)
  const options = {
    parameters: conditions.parameters,
    signal: search.signal,
  }
  // Whether an event of a span is the one asked for, only reading it tells.
  const isRead = search.words.length > 0 || search.attributes.length > 0 || !isEmpty(search.where)
  const [rows, [count]] = await Promise.all([
    engine.query<[string, string, string, string, string, string]>(
      `SELECT lower(hex(trace_id)), lower(hex(span_id)), service_name, events, resource, scope FROM spans
       ${conditions.where()} ORDER BY arrayMax(${matching}.time) DESC LIMIT ${isRead ? spansLookedAtMax : search.limit}`,
      options,
    ),
    isRead ? [] : engine.query<[string]>(`SELECT sum(length(${matching})) FROM spans ${conditions.where()}`, options),
  ])
  const isMet = compileTest(eventPredicate(search))
  const events = rows.flatMap(([traceId, spanId, service, text, resource, scope]) =>
    parseEvents(text)
      .filter(({ timeUnixNano }) => isWithin(timeUnixNano, search))
      .map((event): EventRow => ({
        ...emptyEvent,
        ...event,
        traceId,
        spanId,
        service,
        type: event.name,
        resource,
        scope,
      }))
      .filter((event) => isMet(eventView(event))),
  )
  return { events, total: isRead ? events.length : Number(count?.[0] ?? 0) }
}

/** Of the texts of a span's events just what tells which are asked for: parsing no more takes a sixth of the time. */
const eventList = "JSONExtract(events, 'Array(Tuple(time UInt64, name String))')"

/** Conditions on spans, and SQL of those of a span's events that have the type and lie in the range. */
function spanEventConditions(search: EventSearch, facts: KeyFacts): { conditions: Conditions; matching: string } {
  const conditions = spanConditionsOf(search, facts)
  addOverlap(conditions, search)
  const wanted: string[] = []
  const time = (timeNs: bigint): string => conditions.bind(timeNs < 0n ? 0n : timeNs, 'UInt64')
  if (search.startNs !== undefined) wanted.push(`e.time >= ${time(search.startNs)}`)
  if (search.endNs !== undefined) wanted.push(`e.time < ${time(search.endNs)}`)
  if (search.type !== undefined) {
    const name = conditions.bind(search.type, 'String')
    wanted.push(`e.name = ${name}`)
  }
  if (wanted.length === 0) return { conditions, matching: eventList }
  conditions.add(`arrayExists(e -> ${wanted.join(' AND ')}, ${eventList})`)
  return { conditions, matching: `arrayFilter(e -> ${wanted.join(' AND ')}, ${eventList})` }
}

/** Spans that began longer before the range are found by the index on duration. */
const longSpanNs = 3_600_000_000_000n

/** Spans that have a part in the range, as their events lie in them. */
function addOverlap(conditions: Conditions, { startNs, endNs }: Pick<EventSearch, 'startNs' | 'endNs'>): void {
  if (endNs !== undefined) conditions.add(`start_time < ${conditions.bind(endNs, 'DateTime64(9)')}`)
  if (startNs === undefined || startNs <= longSpanNs) return
  const near = conditions.bind(startNs - longSpanNs, 'DateTime64(9)')
  conditions.add(`(start_time >= ${near} OR duration >= ${longSpanNs})`)
  const start = conditions.bind(startNs, 'Int64')
  conditions.add(`(duration >= ${start} - ${nanosOf('start_time')} OR ${nanosOf('start_time')} >= ${start})`)
}

function isWithin(timeNs: bigint, { startNs, endNs }: Pick<EventSearch, 'startNs' | 'endNs'>): boolean {
  return (startNs === undefined || timeNs >= startNs) && (endNs === undefined || timeNs < endNs)
}

const emptyEvent = {
  timeGiven: true,
  observedTimeUnixNano: 0n,
  flags: 0,
  severityNumber: 0,
  severityText: '',
  protocol: 'span_event',
  bodyType: 0,
  body: '',
} as const

function isEmpty(where: Predicate | undefined): boolean {
  return where === undefined || (where.kind === 'and' && where.of.length === 0)
}
