/**
 * Compares what is rolled up with what is stored, for the start after a crash and after old data was dropped. Days whose
 * row counts agree as a whole are not looked into: rows only ever come to a bucket or leave with their day's parts.
 */
import type { Engine } from '../engine.ts'
import { readCounts, type BucketRows } from './roll-up.ts'

export interface RolledBucket extends BucketRows {
  readonly generation: bigint
}

/**
 * The valid generation of each bucket that is rolled up, with the rows it was made of; of those alone whose generation is
 * above the given one.
 */
export async function readRolledBuckets(engine: Engine, above = -1n): Promise<Map<number, RolledBucket>> {
  const rows = await engine.query<[string, string, string, string]>(
    `SELECT bucket, max(generation), argMax(span_rows, generation), argMax(event_rows, generation)
     FROM rollup_buckets ${above < 0 ? '' : `WHERE generation > ${above}`} GROUP BY bucket`,
  )
  return new Map(
    rows.map(([bucket, generation, spans, events]) => [
      Number(bucket),
      { generation: BigInt(generation), spans: Number(spans), events: Number(events) },
    ]),
  )
}

/** Buckets whose stored rows are not those that were rolled up. */
export async function findStaleBuckets(engine: Engine, rolled: ReadonlyMap<number, BucketRows>): Promise<number[]> {
  const changed = await changedDays(engine, rolled)
  if (changed.size === 0) return []
  const days = [...changed].map((day) => `'${day}'`).join(', ')
  const stored = await readCounts(engine, () => `_partition_id IN (${days})`)
  const stale: number[] = []
  for (const [bucket, rows] of stored) if (!sameRows(rows, rolled.get(bucket))) stale.push(bucket)
  for (const [bucket, rows] of rolled) {
    if (!stored.has(bucket) && changed.has(dayOf(bucket)) && rows.spans + rows.events > 0) stale.push(bucket)
  }
  return stale
}

function sameRows(a: BucketRows, b: BucketRows | undefined): boolean {
  return b !== undefined && a.spans === b.spans && a.events === b.events
}

async function changedDays(engine: Engine, rolled: ReadonlyMap<number, BucketRows>): Promise<Set<string>> {
  const parts = await engine.query<[string, string, string]>(
    `SELECT table, partition_id, sum(rows) FROM system.parts
     WHERE active AND database = currentDatabase() AND table IN ('spans', 'events') GROUP BY table, partition_id`,
  )
  const differences = new Map<string, { spans: number; events: number }>()
  const add = (day: string, spans: number, events: number): void => {
    const sum = differences.get(day) ?? { spans: 0, events: 0 }
    differences.set(day, { spans: sum.spans + spans, events: sum.events + events })
  }
  for (const [table, day, rows] of parts)
    add(day, table === 'spans' ? Number(rows) : 0, table === 'events' ? Number(rows) : 0)
  for (const [bucket, rows] of rolled) add(dayOf(bucket), -rows.spans, -rows.events)
  return new Set([...differences].filter(([, sum]) => sum.spans !== 0 || sum.events !== 0).map(([day]) => day))
}

/** Id of the partition that holds the bucket's rows: days since the epoch. */
function dayOf(bucket: number): string {
  return String(Math.floor(bucket / 86_400))
}
