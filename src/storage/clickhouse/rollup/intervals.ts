/** Sets of time intervals [fromNs, toNs), in nanoseconds since the epoch, and SQL conditions on them. */

import { bucketSeconds } from '../../touched-buckets.ts'

export interface Interval {
  readonly fromNs: bigint
  readonly toNs: bigint
}

export const bucketNs = 300_000_000_000n
export const dayNs = 86_400_000_000_000n

const timeMin = -(1n << 63n)
const timeMax = (1n << 63n) - 1n

/** Start in seconds of the bucket that holds the time. */
export function bucketOf(timeNs: bigint): number {
  const quotient = timeNs / bucketNs
  const floor = timeNs < 0n && quotient * bucketNs !== timeNs ? quotient - 1n : quotient
  return Number(floor) * bucketSeconds
}

export function bucketInterval(bucket: number): Interval {
  const fromNs = BigInt(bucket) * 1_000_000_000n
  return { fromNs: clamp(fromNs), toNs: clamp(fromNs + bucketNs) }
}

/** Sorted, with those that touch or overlap joined. */
export function joinIntervals(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals
    .filter(({ fromNs, toNs }) => fromNs < toNs)
    .sort((a, b) => (a.fromNs < b.fromNs ? -1 : a.fromNs > b.fromNs ? 1 : 0))
  const joined: Interval[] = []
  for (const { fromNs, toNs } of sorted) {
    const last = joined.at(-1)
    if (last === undefined || fromNs > last.toNs) joined.push({ fromNs, toNs })
    else if (toNs > last.toNs) joined[joined.length - 1] = { fromNs: last.fromNs, toNs }
  }
  return joined
}

/** At most `countMax` of them, by covering the smallest gaps; the given ones are joined already. */
export function coverGaps(intervals: readonly Interval[], countMax: number): Interval[] {
  if (intervals.length <= countMax) return [...intervals]
  const gaps = intervals.slice(1).map(({ fromNs }, i) => ({ at: i + 1, size: fromNs - intervals[i]!.toNs }))
  gaps.sort((a, b) => (a.size > b.size ? -1 : a.size < b.size ? 1 : 0))
  const cuts = gaps
    .slice(0, countMax - 1)
    .map(({ at }) => at)
    .sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => ({
    fromNs: intervals[from]!.fromNs,
    toNs: intervals[(cuts[i] ?? intervals.length) - 1]!.toNs,
  }))
}

/** Each begun earlier and ended later, then joined. */
export function widen(intervals: readonly Interval[], beforeNs: bigint, afterNs: bigint): Interval[] {
  return joinIntervals(
    intervals.map(({ fromNs, toNs }) => ({ fromNs: clamp(fromNs - beforeNs), toNs: clamp(toNs + afterNs) })),
  )
}

/** SQL: the time column is in one of the intervals. */
export function inIntervals(column: string, intervals: readonly Interval[]): string {
  if (intervals.length === 0) return '0'
  const parts = intervals.map(({ fromNs, toNs }) => {
    const upper = toNs === timeMax ? '' : ` AND ${column} < ${instant(toNs)}`
    return `${column} >= ${instant(fromNs)}${upper}`
  })
  return parts.length === 1 ? `(${parts[0]})` : `(${parts.map((part) => `(${part})`).join(' OR ')})`
}

/** SQL literal of a time. */
export function instant(timeNs: bigint): string {
  return `fromUnixTimestamp64Nano(toInt64('${clamp(timeNs)}'))`
}

/** SQL: start in seconds of the bucket that holds the time, also before 1970. */
export function bucketSql(column: string): string {
  const nanos = `toUnixTimestamp64Nano(${column})`
  return `intDiv(${nanos} - if(${nanos} < 0, ${bucketNs - 1n}, 0), ${bucketNs}) * ${bucketSeconds}`
}

/** Times are 64-bit integers, also in the engine, where what is beyond begins again at the other end. */
export function clamp(timeNs: bigint): bigint {
  return timeNs < timeMin ? timeMin : timeNs > timeMax ? timeMax : timeNs
}
