/**
 * The spans or calls of one bucket as numbers, so that the figures of any part of it need no query: the ends of "the last
 * hour" move with every question. Each has its start and its duration; the rows of one set of names lie together, in order of
 * duration, so that what is picked by start is sorted already.
 */
import { edgeCallsSql } from '../../rollup/edges-sql.ts'
import { inIntervals, type Interval } from '../../rollup/intervals.ts'
import { digestOfSorted } from './digest.ts'
import { shapes, type FigureRow, type FigureShape } from './figure-row.ts'

/** Calls of which class count as what, in the order of the shape's counts. */
interface CallShape {
  /** SQL that gives the names of the shape, `class`, `status_code`, `duration` and `start_time` of each. */
  readonly sql: (intervals: readonly Interval[]) => string
  /** By class: places in `counts` of the number of calls and of those with errors, and the place in `digests`. */
  readonly classes: readonly { readonly calls: number; readonly errors: number; readonly digest: number }[]
  /** Place in `counts` of the number of all. */
  readonly all?: number
}

const isEntry = 'kind IN (2, 5)'
const spansOf = (columns: string, intervals: readonly Interval[]): string =>
  `SELECT ${columns}, status_code, duration, start_time FROM spans WHERE ${inIntervals('start_time', intervals)}`

const callShapes = new Map<FigureShape, CallShape>([
  [
    shapes.services,
    {
      sql: (intervals) =>
        spansOf(
          `service_name, multiIf(${isEntry}, 0, parent_span_id = toFixedString('', 8), 1, 2) AS class`,
          intervals,
        ),
      all: 0,
      classes: [
        { calls: 1, errors: 2, digest: 0 },
        { calls: 3, errors: 4, digest: 1 },
      ],
    },
  ],
  [
    shapes.operations,
    {
      sql: (intervals) => spansOf('service_name, name, kind, 0 AS class', intervals),
      classes: [{ calls: 0, errors: 1, digest: 0 }],
    },
  ],
  [
    shapes.edges,
    {
      sql: (intervals) => edgeCallsSql(intervals),
      classes: [{ calls: 0, errors: 1, digest: 0 }],
    },
  ],
])

export interface PackedGroup {
  readonly names: readonly string[]
  readonly class: number
  /** Nanoseconds after the start of the bucket; of a failed call -1 less that. */
  readonly starts: Float64Array
  /** Nanoseconds, ascending; 0 when a clock went back. */
  readonly durations: Float64Array
}

/** Columns of the answer: names, class, starts, durations, longest duration. */
export type PackedColumns = readonly (string | number)[]

/** Undefined when parts of the figure cannot be told from calls. */
export function packedSql(shape: FigureShape, bucket: Interval): string | undefined {
  const calls = callShapes.get(shape)
  if (calls === undefined) return undefined
  const names = shape.names.map((name) => `toString(${name}) AS name_${name}`)
  const offset = `toUnixTimestamp64Nano(start_time) - toInt64('${bucket.fromNs}')`
  const packed = (value: string): string => `base64Encode(CAST(groupArrayState(toFloat64(${value})) AS String))`
  return `SELECT ${names.join(', ')}, class, ${packed('place')}, ${packed('took')}, toString(max(took))
    FROM (SELECT *, if(status_code = 2, -1 - (${offset}), ${offset}) AS place, greatest(duration, 0) AS took
      FROM (${calls.sql([bucket])}))
    GROUP BY ${shape.names.map((name) => `name_${name}`).join(', ')}, class`
}

/** Longer durations are not exact as doubles. */
const durationMax = 2 ** 53

/** Undefined when a duration is too long to be exact. */
export function readPacked(shape: FigureShape, rows: readonly PackedColumns[]): PackedGroup[] | undefined {
  const groups: PackedGroup[] = []
  for (const row of rows) {
    const at = shape.names.length
    if (Number(row[at + 3]) >= durationMax) return undefined
    const [starts, durations] = [decodeDoubles(row[at + 1] as string), decodeDoubles(row[at + 2] as string)]
    const order = Uint32Array.from(starts, (_, i) => i).sort((a, b) => durations[a]! - durations[b]!)
    groups.push({
      names: row.slice(0, at).map(String),
      class: Number(row[at]),
      starts: Float64Array.from(order, (i) => starts[i]!),
      durations: Float64Array.from(order, (i) => durations[i]!),
    })
  }
  return groups
}

/** The state of `groupArray`: the number of values as a varint, then the values. */
function decodeDoubles(base64: string): Float64Array {
  const bytes = Buffer.from(base64, 'base64')
  let at = 0
  while (bytes[at]! >= 0x80) at++
  const copy = new Uint8Array(bytes.length - at - 1)
  copy.set(bytes.subarray(at + 1))
  return new Float64Array(copy.buffer)
}

/** Figures of what starts within the interval, which is a part of the bucket. */
export function figuresOf(
  shape: FigureShape,
  groups: readonly PackedGroup[],
  bucket: Interval,
  part: Interval,
): FigureRow[] {
  const calls = callShapes.get(shape)!
  const from = Number(part.fromNs - bucket.fromNs)
  const to = Number(part.toNs - bucket.fromNs)
  const rows = new Map<string, FigureRow & { counts: number[]; digests: Float32Array[] }>()
  for (const group of groups) {
    const picked = pick(group, from, to)
    if (picked.count === 0) continue
    const key = group.names.join('\0')
    const counts = rows.get(key)?.counts ?? shape.counts.map(() => 0)
    const digests = rows.get(key)?.digests ?? shape.digests.map(() => new Float32Array(0))
    if (calls.all !== undefined) counts[calls.all]! += picked.count
    const places = calls.classes[group.class]
    if (places !== undefined) {
      counts[places.calls]! += picked.count
      counts[places.errors]! += picked.errors
      digests[places.digest] = digestOfSorted(picked.durations)
    }
    const before = rows.get(key)
    const lastNs = bucket.fromNs + BigInt(picked.last)
    rows.set(key, {
      key,
      names: group.names,
      counts,
      digests,
      total: picked.total,
      lastNs: before !== undefined && before.lastNs > lastNs ? before.lastNs : lastNs,
      newest: { bucket: Number(bucket.fromNs / 1_000_000_000n), counts },
    })
  }
  return [...rows.values()]
}

interface Picked {
  readonly count: number
  readonly errors: number
  readonly total: bigint
  /** Of the starts, after the start of the bucket. */
  readonly last: number
  readonly durations: Float64Array
}

function pick({ starts, durations }: PackedGroup, from: number, to: number): Picked {
  const picked = new Float64Array(starts.length)
  let [count, errors, last, sum] = [0, 0, 0, 0]
  let total = 0n
  for (let i = 0; i < starts.length; i++) {
    const place = starts[i]!
    const start = place < 0 ? -1 - place : place
    if (start < from || start >= to) continue
    if (place < 0) errors++
    if (start > last) last = start
    const duration = durations[i]!
    // A sum that could get past what a double holds exactly goes on in a bigint.
    if (sum + duration >= durationMax) {
      total += BigInt(sum)
      sum = 0
    }
    sum += duration
    picked[count++] = duration
  }
  return { count, errors, total: total + BigInt(sum), last, durations: picked.subarray(0, count) }
}

/** About. */
export function packedBytes(groups: readonly PackedGroup[]): number {
  return groups.reduce((sum, { starts, names }) => sum + 400 + names.join('').length + starts.byteLength * 2, 200)
}

/** SQL: spans stored in the bucket. */
export function spansInSql(bucket: Interval): string {
  return `SELECT count() FROM spans WHERE ${inIntervals('start_time', [bucket])}`
}

/** SQL: the newest start of anything in the bucket, in nanoseconds. */
export function newestSql(bucket: Interval): string {
  const newest = (table: string, time: string): string =>
    `SELECT toUnixTimestamp64Nano(max(${time})) AS t, count() AS c FROM ${table} WHERE ${inIntervals(time, [bucket])}`
  return `SELECT maxIf(t, c > 0) FROM (${newest('spans', 'start_time')} UNION ALL ${newest('events', 'time')})`
}
