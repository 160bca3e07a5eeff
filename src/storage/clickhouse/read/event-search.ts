/** Events: rows of `events`, and the span events that are inside the rows of `spans`. */
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import { eventView } from '../../../model/evaluate/event-view.ts'
import type { EventPage, EventSearch } from '../../../model/event-search.ts'
import type { TimeRange } from '../../../model/query.ts'
import type { ReadOptions, TraceEventsOptions } from '../../../model/reader.ts'
import type { EventRow } from '../../../model/span-row.ts'
import { parseEvents } from '../block/span-lists.ts'
import type { KeyFacts } from '../compile/conditions.ts'
import type { Engine } from '../engine.ts'
import { eventConditions, spanEventConditions } from './event-conditions.ts'
import { attributeSelects, hexOrEmpty, nanosOf } from './rows.ts'

type SignalledSearch = EventSearch & ReadOptions

export async function searchEvents(engine: Engine, search: SignalledSearch, facts: KeyFacts): Promise<EventPage> {
  const [records, spanEvents] = await Promise.all([
    searchRecords(engine, search, facts),
    searchSpanEvents(engine, search, facts),
  ])
  const events = [...records.events, ...spanEvents.events].sort((a, b) =>
    a.timeUnixNano < b.timeUnixNano ? 1 : a.timeUnixNano > b.timeUnixNano ? -1 : 0,
  )
  return { events: events.slice(0, search.limit), total: records.total + spanEvents.total }
}

/** Only the events of this many of the newest spans that have the keys asked for are searched. */
const spansLookedAtMax = 10_000

const everyColumn = attributeSelects((column) => column.startsWith('attributes_'))

async function searchRecords(engine: Engine, search: SignalledSearch, facts: KeyFacts): Promise<EventPage> {
  const conditions = eventConditions(search.query, facts)
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
  options: TraceEventsOptions,
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

async function searchSpanEvents(engine: Engine, search: SignalledSearch, facts: KeyFacts): Promise<EventPage> {
  const { query, limit, signal } = search
  const found = spanEventConditions(query, facts)
  if (found === undefined) return { events: [], total: 0 }
  const { conditions, matching, isExact } = found
  const options = { parameters: conditions.parameters, signal }
  const [rows, [count]] = await Promise.all([
    engine.query<[string, string, string, string, string, string]>(
      `SELECT lower(hex(trace_id)), lower(hex(span_id)), service_name, events, resource, scope FROM spans
       ${conditions.where()} ORDER BY arrayMax(${matching}.time) DESC LIMIT ${isExact ? limit : spansLookedAtMax}`,
      options,
    ),
    isExact ? engine.query<[string]>(`SELECT sum(length(${matching})) FROM spans ${conditions.where()}`, options) : [],
  ])
  const isMet = compileTest(query.where)
  const events = rows.flatMap(([traceId, spanId, service, text, resource, scope]) =>
    parseEvents(text)
      .filter(({ timeUnixNano }) => isWithin(timeUnixNano, query))
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
  return { events, total: isExact ? Number(count?.[0] ?? 0) : events.length }
}

function isWithin(timeNs: bigint, { startNs, endNs }: TimeRange): boolean {
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
