/**
 * Who calls whom. An edge is
 * - a span whose parent is in another service: parent's service -> span's service, of type `service`;
 * - a consumer span that links to a producer span of another trace and service: likewise, once for each such service;
 * - a consumer span without parent and links, by the queue that it reads from (queue-calls-sql.ts); or
 * - a client or producer span that nobody stored an answer to: its service -> what its peer attributes name, of type
 *   `database`, `messaging` or `external`.
 * The span named first in each case owns the edge: the edge counts in the bucket where that span starts. Spans are
 * matched by a 64-bit hash of trace id and span id: for 10 million spans the chance of one wrong match is 3 in a
 * million (n² / 2^65).
 */
import { answerAfterSeconds } from '../../touched-buckets.ts'
import { isLoneConsumer, queueCallsSql } from './queue-calls-sql.ts'
import { dayNs, inIntervals, instant, bucketSql, widen, type Interval } from './intervals.ts'

const ownHash = 'cityHash64(trace_id, span_id)'
const parentHash = 'cityHash64(trace_id, parent_span_id)'
const hasParent = "parent_span_id != toFixedString('', 8)"

/** A parent starts at most this long before its child (a message may wait in a queue), unless it lasts that long. */
const parentBeforeNs = 300_000_000_000n
/** How far clocks of two machines may differ. */
const skewNs = 30_000_000_000n
/** A server starts at most this long after the client span that called it. */
const answerAfterNs = BigInt(answerAfterSeconds) * 1_000_000_000n

export interface EdgeOptions {
  /** Only the traces of one part of many, to bound memory. */
  readonly slice?: { readonly part: number; readonly parts: number }
  /**
   * False when no span of the intervals has attributes by the old names: half of what peers cost is the
   * reading of whole maps to look for them.
   */
  readonly oldNames?: boolean
  /** False when no consumer in or near the intervals has links. */
  readonly links?: boolean
  /** False when no consumer of the intervals is to be matched by its queue. */
  readonly queues?: boolean
}

/**
 * A row of [oldNames, links, queues] as the options say, each 0 or 1. It stops at the first span of each kind, and reads next
 * to nothing where there is none: the index on keys tells old names, and few spans are consumers.
 */
export function edgeOptionsSql(intervals: readonly Interval[]): string {
  const old = Object.values(oldNames).map((key) => `mapContains(attributes_string, '${key}')`)
  const any = (near: readonly Interval[], condition: string): string =>
    `(SELECT count() FROM (SELECT 1 FROM spans WHERE ${inIntervals('start_time', near)} AND ${condition} LIMIT 1))`
  return `SELECT ${any(intervals, `(${old.join(' OR ')})`)},
    ${any(widen(intervals, skewNs, answerAfterNs), consumerWithLinks)}, ${any(intervals, isLoneConsumer)}`
}

/** `digest` is the SQL of the durations' state. */
export function edgesSql(intervals: readonly Interval[], digest: string, options: EdgeOptions = {}): string {
  const summed = (
    calls: string,
  ): string => `SELECT bucket, any(caller) AS parent, any(callee) AS child, any(type) AS child_type,
      count() AS calls, countIf(status_code = 2) AS errors, ${digest} AS durations,
      min(start_time) AS first_time, max(start_time) AS last_time
    FROM (${calls}) GROUP BY bucket, cityHash64(caller, callee, type)`
  return calls(intervals, options).map(summed).join(' UNION ALL ')
}

/** Each call of its own: `parent`, `child`, `child_type`, `class` (0), `status_code`, `duration`, `start_time`. */
export function edgeCallsSql(intervals: readonly Interval[], options: EdgeOptions = {}): string {
  return calls(intervals, options)
    .map(
      (sql) => `SELECT toString(caller) AS parent, toString(callee) AS child, toString(type) AS child_type, 0 AS class,
        status_code, duration, start_time FROM (${sql})`,
    )
    .join(' UNION ALL ')
}

function calls(intervals: readonly Interval[], options: EdgeOptions): string[] {
  const { slice, oldNames: withOld = true, links = true, queues = true } = options
  const sliced = slice === undefined ? '1' : `cityHash64(trace_id) % ${slice.parts} = ${slice.part}`
  return [
    serviceCalls(intervals, sliced),
    ...(links ? [linkCalls(intervals, sliced)] : []),
    ...(queues ? [queueCallsSql(intervals, sliced, parentBeforeNs)] : []),
    peerCalls(intervals, sliced, { withOld, links }),
  ]
}

/**
 * Zipkin's client and server share one span id: a child of the server then matches both, so what has a server span as
 * parent in its own service is left out. Of an inner ANY join the engine would give one child for each parent; of the
 * left one it gives every child, with an empty parent when there is none.
 */
function serviceCalls(intervals: readonly Interval[], sliced: string): string {
  const servers = parentsSql(`cityHash64(${ownHash}, service_name)`, intervals, `kind IN (2, 5) AND ${sliced}`)
  return `SELECT bucket, parent AS caller, child AS callee, 'service' AS type, status_code, duration, start_time
    FROM (
      SELECT ${bucketSql('start_time')} AS bucket, ${parentHash} AS hash, service_name AS child,
        status_code, duration, start_time
      FROM spans WHERE ${inIntervals('start_time', intervals)} AND ${hasParent} AND ${sliced}
    ) AS children
    LEFT ANY JOIN (${parentsSql(`${ownHash} AS hash, service_name AS parent`, intervals, sliced)}) AS parents
    USING (hash)
    WHERE parent != '' AND parent != child AND cityHash64(hash, child) NOT IN (${servers})`
}

/**
 * Spans near the intervals, and those of the day before that last longer than "near": few, and found by the index on
 * duration, which works only when their condition stands alone.
 */
function parentsSql(columns: string, intervals: readonly Interval[], sliced: string): string {
  const near = widen(intervals, parentBeforeNs, skewNs)
  const first = near[0]
  const nearby = `SELECT ${columns} FROM spans WHERE ${inIntervals('start_time', near)} AND ${sliced}`
  if (first === undefined) return nearby
  return `${nearby} UNION ALL SELECT ${columns} FROM spans WHERE duration >= ${parentBeforeNs}
    AND start_time >= ${instant(first.fromNs - dayNs)} AND start_time < ${instant(near.at(-1)!.toNs)}
    AND NOT ${inIntervals('start_time', near)} AND ${sliced}`
}

/** Checked before any JSON is parsed. */
const consumerWithLinks = "kind = 5 AND links != ''"

/**
 * Hashes of the spans of other traces that a span links to. A link within the trace says nothing new: parents connect
 * its spans.
 */
const linkedHashes = `arrayDistinct(arrayMap(
  link -> cityHash64(toFixedString(unhex(link.1), 16), toFixedString(unhex(link.2), 8)),
  arrayFilter(link -> length(link.1) = 32 AND length(link.2) = 16 AND link.1 != lower(hex(trace_id)),
    arrayMap(link -> (JSONExtractString(link, 'traceId'), JSONExtractString(link, 'spanId')),
      JSONExtractArrayRaw(links)))))`

/**
 * By the messaging conventions a consumer may begin a trace of its own and link to what it consumes. A batch of ten
 * messages from one service is one call. The producers are not sliced: they are in other traces than the consumers.
 */
function linkCalls(intervals: readonly Interval[], sliced: string): string {
  const near = inIntervals('start_time', widen(intervals, parentBeforeNs, skewNs))
  const consumers = `SELECT ${bucketSql('start_time')} AS bucket, ${ownHash} AS consumer, service_name AS child,
      status_code, duration, start_time, arrayJoin(${linkedHashes}) AS hash
    FROM spans WHERE ${inIntervals('start_time', intervals)} AND ${consumerWithLinks} AND ${sliced}`
  return `SELECT DISTINCT bucket, parent AS caller, child AS callee, 'service' AS type,
      status_code, duration, start_time, consumer
    FROM (${consumers}) AS consumers
    LEFT ANY JOIN (
      SELECT ${ownHash} AS hash, service_name AS parent FROM spans
      WHERE ${near} AND kind = 4 AND hash IN (SELECT hash FROM (${consumers}))
    ) AS producers USING (hash)
    WHERE parent != '' AND parent != child`
}

/** Names of before OpenTelemetry 1.21 are still what many instrumentations send. */
const oldNames = {
  server_address: 'net.peer.name',
  db_namespace: 'db.name',
  messaging_destination_name: 'messaging.destination',
} as const

const text = (column: keyof typeof oldNames, withOld: boolean): string =>
  withOld ? `if(${column} != '', toString(${column}), attributes_string['${oldNames[column]}'])` : `toString(${column})`
const slash = (name: string): string => `if(${name} = '', '', concat('/', ${name}))`

/** [type, name] of what a client or producer span calls; the name is empty when it does not say. */
const peer = `multiIf(
  peer_system != '', ('database', concat(peer_system, ${slash(`if(peer_database != '', peer_database, peer_address)`)})),
  messaging_system != '', ('messaging', concat(messaging_system, ${slash('peer_destination')})),
  peer_service != '', ('external', toString(peer_service)),
  ('external', peer_address))`

/**
 * A call is answered when a span that is not internal has it as parent, or as Zipkin's server half shares its id, or when
 * a consumer of another trace links to it.
 */
function peerCalls(
  intervals: readonly Interval[],
  sliced: string,
  { withOld, links }: { readonly withOld: boolean; readonly links: boolean },
): string {
  const nearby = inIntervals('start_time', widen(intervals, skewNs, answerAfterNs))
  const linked = links
    ? `UNION ALL SELECT arrayJoin(${linkedHashes}) FROM spans WHERE ${nearby} AND ${consumerWithLinks}`
    : ''
  return `SELECT bucket, service_name AS caller, peer.2 AS callee, peer.1 AS type,
      status_code, duration, start_time
    FROM (
      SELECT ${bucketSql('start_time')} AS bucket, service_name, status_code, duration, start_time,
        if(db_system_name != '', toString(db_system_name), toString(db_system)) AS peer_system,
        ${text('db_namespace', withOld)} AS peer_database, ${text('server_address', withOld)} AS peer_address,
        ${text('messaging_destination_name', withOld)} AS peer_destination, ${peer} AS peer
      FROM spans WHERE ${inIntervals('start_time', intervals)} AND kind IN (3, 4) AND ${sliced}
        AND ${ownHash} NOT IN (
          SELECT arrayJoin(if(kind IN (2, 5), [${parentHash}, ${ownHash}], [${parentHash}]))
          FROM spans WHERE ${nearby} AND kind IN (2, 3, 4, 5) AND ${sliced}
          ${linked})
    ) WHERE callee != ''`
}
