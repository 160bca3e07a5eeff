/**
 * One whole trace. In a large store first where it lies, from `traces`, so that only its own buckets, services and
 * columns are read. In a small one that question costs more than it saves: the filters on trace ids are read whole, and
 * columns that no span uses are left out. What counts is the number of column streams (bench/query).
 */
import type { TraceReadOptions } from '../../../model/reader.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import { withoutRepeats } from '../../../model/trace/repeated-spans.ts'
import { SkeletonBuilder, type TraceSkeleton } from '../../../model/trace-skeleton.ts'
import { parseEvents, parseLinks, parseRest } from '../block/span-lists.ts'
import { servicesOf } from '../block/trace-summary.ts'
import { presentColumns } from '../block/span-block.ts'
import type { Engine, QueryParameter } from '../engine.ts'
import { attributeSelects, hexOrEmpty, nanosOf } from './rows.ts'

type PlaceRow = readonly [count: string, start: string, end: string, columns: number, summaries: string[]]

/** Of the whole store (known-keys.ts). */
export interface StoreFacts {
  readonly columns: number
  readonly spans: number
}

/** Up to here the filters on trace ids are at most 5000 granules of 1.2 KB. */
const smallStoreSpansMax = 5_000_000

interface Place {
  /** Bits of the columns to read. */
  readonly columns: number
  readonly sql: string
  readonly parameters: Record<string, QueryParameter>
}

/** Spans in start order; empty when the trace is unknown. `traceId` is 32 hex digits. */
export async function readTrace(
  engine: Engine,
  traceId: string,
  options: TraceReadOptions & { readonly known: StoreFacts },
): Promise<SpanRow[]> {
  const place = await placeOf(engine, traceId, options)
  if (place === undefined) return []
  const { columns } = place
  const present = (column: string): boolean => (columns & (1 << presentColumns.indexOf(column))) !== 0
  const attributes = attributeSelects(present)
  const lists = ['events', 'links', 'rest'].filter(present)
  const sql = `SELECT lower(hex(span_id)), ${hexOrEmpty('parent_span_id', 8)}, flags, name, kind,
    ${nanosOf('start_time')}, duration, status_code, status_message, resource, scope,
    ${[...lists, ...attributes.sql].join(', ') || '1'}
    FROM spans
    WHERE trace_id = {traceId:FixedString(16)} ${place.sql}
    ORDER BY start_time, duration DESC LIMIT {limit:UInt64}`
  const rows = await engine.query<readonly unknown[]>(sql, {
    parameters: { traceId, ...place.parameters, limit: options.spansMax },
    signal: options.signal,
    settings: { max_threads: 1 },
  })
  const listAt = (name: string): number => (lists.includes(name) ? fixedColumns + lists.indexOf(name) : -1)
  const [eventsAt, linksAt, restAt] = ['events', 'links', 'rest'].map(listAt) as [number, number, number]
  const textAt = (row: readonly unknown[], at: number): string => (at < 0 ? '' : (row[at] as string))
  const spans = rows.map((row) => {
    const rest = parseRest(textAt(row, restAt))
    return {
      traceId,
      spanId: row[0] as string,
      parentSpanId: row[1] as string,
      flags: row[2] as number,
      name: row[3] as string,
      kind: row[4] as number,
      startTimeUnixNano: BigInt(row[5] as string),
      durationNano: BigInt(row[6] as string),
      statusCode: row[7] as number,
      statusMessage: row[8] as string,
      resource: row[9] as string,
      scope: row[10] as string,
      events: parseEvents(textAt(row, eventsAt)),
      links: parseLinks(textAt(row, linksAt)),
      ...rest,
      attributes: attributes.read(row, fixedColumns + lists.length),
    }
  })
  return withoutRepeats(spans)
}

/** Columns before the lists and attributes in the query above. */
const fixedColumns = 11

/** Without attributes, status messages, events and links. */
export async function readSkeleton(
  engine: Engine,
  traceId: string,
  options: TraceReadOptions & { readonly known: StoreFacts },
): Promise<TraceSkeleton> {
  const built = new SkeletonBuilder()
  const place = await placeOf(engine, traceId, options)
  if (place === undefined) return built.finish(traceId)
  const rows = engine.stream<SkeletonRow>(
    `SELECT lower(hex(span_id)), ${hexOrEmpty('parent_span_id', 8)}, ${nanosOf('start_time')}, duration, kind, status_code,
       service_name, name
     FROM spans WHERE trace_id = {traceId:FixedString(16)} ${place.sql}
     ORDER BY start_time, duration DESC LIMIT {limit:UInt64}`,
    { parameters: { traceId, ...place.parameters, limit: options.spansMax }, signal: options.signal },
  )
  for await (const [spanId, parentSpanId, start, duration, kind, statusCode, service, name] of rows) {
    const [startTimeUnixNano, durationNano] = [BigInt(start), BigInt(duration)]
    built.add({ spanId, parentSpanId, startTimeUnixNano, durationNano, kind, statusCode, service, name })
  }
  return built.finish(traceId)
}

type SkeletonRow = readonly [
  spanId: string,
  parentSpanId: string,
  start: string,
  duration: string,
  kind: number,
  statusCode: number,
  service: string,
  name: string,
]

/** Where the trace may be; `undefined` when it is known to be nowhere. */
async function placeOf(
  engine: Engine,
  traceId: string,
  { known, signal }: TraceReadOptions & { readonly known: StoreFacts },
): Promise<Place | undefined> {
  if (known.spans > smallStoreSpansMax) return readPlace(engine, traceId, signal)
  return { columns: known.columns, sql: '', parameters: {} }
}

async function readPlace(engine: Engine, traceId: string, signal: AbortSignal | undefined): Promise<Place | undefined> {
  const [row] = await engine.query<PlaceRow>(
    `SELECT count(), ${nanosOf('min(start_time)')}, ${nanosOf('max(end_time)')}, groupBitOr(columns),
      groupArray(summary)
     FROM traces WHERE trace_id = {traceId:FixedString(16)}`,
    { parameters: { traceId }, signal, settings: { max_threads: 1 } },
  )
  if (row === undefined || row[0] === '0') return undefined
  const [, start, end, columns, summaries] = row
  return {
    columns,
    sql: `AND start_time >= {start:DateTime64(9)} AND start_time <= {end:DateTime64(9)}
      AND service_name IN {services:Array(String)}`,
    parameters: { start: BigInt(start), end: BigInt(end), services: servicesOf(summaries) },
  }
}
