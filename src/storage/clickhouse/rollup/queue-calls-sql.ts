/**
 * Calls over a queue that neither a parent nor a link tells: a consumer span that begins a trace and links to nothing is
 * called by the service whose producer span was the last one before it, by at most five minutes, with the same
 * messaging.system and messaging.destination.name. Where several services produce for one destination this is a guess for
 * each message, and right on average. The producer's own edge to the queue stays, as nobody knows which of its messages
 * were consumed.
 */
import { bucketSql, inIntervals, widen, type Interval } from './intervals.ts'

/** What both ends of a queue have. Both columns are texts of few values. */
const hasQueue = "messaging_system != '' AND messaging_destination_name != ''"
const queueHash = 'cityHash64(messaging_system, messaging_destination_name)'
const nanos = 'toUnixTimestamp64Nano(start_time)'

/** SQL condition on a span. */
export const isLoneConsumer = `kind = 5 AND parent_span_id = toFixedString('', 8) AND links = '' AND ${hasQueue}`

/** `beforeNs` is how long a message may wait. */
export function queueCallsSql(intervals: readonly Interval[], sliced: string, beforeNs: bigint): string {
  const near = inIntervals('start_time', widen(intervals, beforeNs, 0n))
  return `SELECT bucket, parent AS caller, child AS callee, 'service' AS type, status_code, duration, start_time
    FROM (
      SELECT ${bucketSql('start_time')} AS bucket, service_name AS child, status_code, duration, start_time,
        ${queueHash} AS queue, ${nanos} AS consumed_at
      FROM spans WHERE ${inIntervals('start_time', intervals)} AND ${isLoneConsumer} AND ${sliced}
    ) AS consumers
    ASOF JOIN (
      SELECT ${queueHash} AS queue, service_name AS parent, ${nanos} AS produced_at
      FROM spans WHERE ${near} AND kind = 4 AND ${hasQueue}
    ) AS producers ON consumers.queue = producers.queue AND consumers.consumed_at >= producers.produced_at
    WHERE parent != child AND produced_at >= consumed_at - ${beforeNs}`
}
