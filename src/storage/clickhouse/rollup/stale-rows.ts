/** Rows of generations that count no more, kept for a while as a query may still read them, then deleted. */
import type { Engine } from '../engine.ts'
import { figures } from './figures.ts'

/** Not waited for: the engine masks the rows in the background, and readers skip them anyway. */
const settings = 'SETTINGS lightweight_deletes_sync=0'

const figureTables = Object.values(figures).map(({ table }) => table)

export interface StaleRows {
  readonly bucket: number
  readonly generation: bigint
  /** The bucket holds nothing any more, so the note of it goes too. */
  readonly empty: boolean
  readonly sinceMs: number
}

/** Rows that count are left, whatever the caller believes: the process before this one may have named them late. */
export async function deleteStaleRows(engine: Engine, stale: readonly StaleRows[]): Promise<void> {
  if (stale.length === 0) return
  const valid = new Map(
    await engine.query<[string, string]>(
      `SELECT bucket, max(generation) FROM rollup_buckets WHERE bucket IN (${stale.map(({ bucket }) => bucket).join(', ')})
       GROUP BY bucket`,
    ),
  )
  const pairs = stale
    .filter(({ bucket, generation, empty }) => empty || valid.get(String(bucket)) !== String(generation))
    .map(({ bucket, generation }) => `(${bucket}, ${generation})`)
    .join(', ')
  if (pairs === '') return
  for (const table of figureTables)
    await engine.execute(`DELETE FROM ${table} WHERE (bucket, generation) IN (${pairs}) ${settings}`)
  const empty = stale.filter((rows) => rows.empty)
  if (empty.length === 0) return
  const gone = empty
    .map(({ bucket, generation }) => `(bucket = ${bucket} AND generation <= ${generation})`)
    .join(' OR ')
  await engine.execute(`DELETE FROM rollup_buckets WHERE ${gone} ${settings}`)
}

/** Rows of generations that do not count: what an earlier process left. */
export async function findLeftRows(engine: Engine): Promise<{ bucket: number; generation: bigint }[]> {
  const left = figureTables.map(
    (table) => `SELECT DISTINCT bucket, generation FROM ${table}
      WHERE (bucket, generation) NOT IN (SELECT bucket, max(generation) FROM rollup_buckets GROUP BY bucket)`,
  )
  const rows = await engine.query<[string, string]>(
    `SELECT DISTINCT bucket, generation FROM (${left.join(' UNION ALL ')})`,
  )
  return rows.map(([bucket, generation]) => ({ bucket: Number(bucket), generation: BigInt(generation) }))
}

/** The highest generation that any row has. */
export async function readNewestGeneration(engine: Engine): Promise<bigint> {
  const all = ['rollup_buckets', ...figureTables].map((table) => `SELECT max(generation) AS g FROM ${table}`)
  const [row] = await engine.query<[string]>(`SELECT max(g) FROM (${all.join(' UNION ALL ')})`)
  return BigInt(row?.[0] ?? 0)
}
