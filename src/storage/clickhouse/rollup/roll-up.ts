/**
 * Computes all figures of some buckets as one generation. Readers take the new rows only when the last statement has
 * named the generation in `rollup_buckets`, so a crash before it changes nothing.
 */
import type { Lease } from '../../../model/lease.ts'
import type { Engine } from '../engine.ts'
import { isNewestHolderSql } from '../lease/lease-steps.ts'
import { figures, type Figure } from './figures.ts'
import { edgeOptionsSql, type EdgeOptions } from './edges-sql.ts'
import { bucketInterval, bucketSql, inIntervals, joinIntervals, type Interval } from './intervals.ts'

export interface BucketRows {
  readonly spans: number
  readonly events: number
}

/** Spans of one statement that joins parents and children: some 100 MB of hash tables. */
const joinRowsMax = 1_000_000

/** One core at most, and states that outgrow memory go to disk: ingest comes first. */
const settings = 'SETTINGS max_threads=1, max_memory_usage=500000000, max_bytes_before_external_group_by=150000000'

type RowsOfBuckets = ReadonlyMap<number, BucketRows>

/** Stops between two statements when aborted. */
export async function insertFigures(
  engine: Engine,
  rows: RowsOfBuckets,
  generation: bigint,
  signal: AbortSignal,
): Promise<void> {
  const intervals = joinIntervals([...rows.keys()].map(bucketInterval))
  const spans = [...rows.values()].reduce((sum, bucket) => sum + bucket.spans, 0)
  const edgeOptions = await readEdgeOptions(engine, intervals)
  for (const figure of Object.values(figures)) {
    const parts = figure === figures.edges ? Math.ceil(spans / joinRowsMax) : 1
    for (let part = 0; part < parts; part++) {
      signal.throwIfAborted()
      await engine.execute(
        insertSql(figure, figure.sql(intervals, { slice: { part, parts }, ...edgeOptions }), generation),
      )
    }
  }
}

/** What the statement for edges must look for in the intervals. */
export async function readEdgeOptions(
  engine: Pick<Engine, 'query'>,
  intervals: readonly Interval[],
  signal?: AbortSignal,
): Promise<EdgeOptions> {
  const [row] = await engine.query<(string | number)[]>(edgeOptionsSql(intervals), { signal })
  const [oldNames, links, queues] = row!.map((count) => Number(count) > 0)
  return { oldNames, links, queues }
}

/**
 * Makes the generation the one that readers take for the buckets. The engine itself looks whether the lease is still the newest,
 * so a process that stood still on the way here names nothing.
 */
export async function recordBuckets(
  engine: Engine,
  rows: RowsOfBuckets,
  { generation, lease }: { readonly generation: bigint; readonly lease: Lease },
): Promise<void> {
  const lines = [...rows].map(
    ([bucket, { spans, events }]) =>
      `(toInt64(${bucket}), toUInt64(${generation}), toUInt64(${spans}), toUInt64(${events}))`,
  )
  await engine.execute(
    `INSERT INTO rollup_buckets (bucket, generation, span_rows, event_rows)
     SELECT row.1, row.2, row.3, row.4 FROM (SELECT arrayJoin([${lines.join(', ')}]) AS row) WHERE ${isNewestHolderSql(lease)}`,
    { signal: lease.lost },
  )
}

function insertSql(figure: Figure, rowsSql: string, generation: bigint): string {
  const columns = figure.columns.join(', ')
  return `INSERT INTO ${figure.table} (generation, ${columns}) SELECT ${generation}, ${columns} FROM (${rowsSql}) ${settings}`
}

/** Rows that the buckets hold now; a bucket without any is not in the answer. */
export async function countRows(engine: Engine, buckets: readonly number[]): Promise<Map<number, BucketRows>> {
  const intervals = joinIntervals(buckets.map(bucketInterval))
  return readCounts(engine, (time) => inIntervals(time, intervals))
}

/** `where` makes the condition for a table from its time column. */
export async function readCounts(engine: Engine, where: (time: string) => string): Promise<Map<number, BucketRows>> {
  const counted = (table: string, time: string, counts: string): string =>
    `SELECT ${bucketSql(time)} AS bucket, ${counts} FROM ${table} WHERE ${where(time)} GROUP BY bucket`
  const rows = await engine.query<[string, string, string]>(
    `SELECT bucket, sum(s), sum(e) FROM (
       ${counted('spans', 'start_time', 'count() AS s, toUInt64(0) AS e')} UNION ALL
       ${counted('events', 'time', 'toUInt64(0) AS s, count() AS e')}) GROUP BY bucket`,
  )
  return new Map(
    rows.map(([bucket, spans, events]) => [Number(bucket), { spans: Number(spans), events: Number(events) }]),
  )
}
