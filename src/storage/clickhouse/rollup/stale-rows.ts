/** Rows of generations that count no more, kept for a while as a query may still read them, then deleted. */
import type { Engine } from '../engine.ts'
import { figures } from './figures.ts'

/** Not waited for: the engine masks the rows in the background, and readers skip them anyway. */
const settings = 'SETTINGS lightweight_deletes_sync=0'

const figureTables = Object.values(figures).map(({ table }) => table)

export interface StaleRows {
  readonly bucket: number
  readonly generation: number
  /** The bucket holds nothing any more, so the note of it goes too. */
  readonly empty: boolean
  readonly sinceMs: number
}

export async function deleteStaleRows(engine: Engine, stale: readonly StaleRows[]): Promise<void> {
  if (stale.length === 0) return
  const pairs = stale.map(({ bucket, generation }) => `(${bucket}, ${generation})`).join(', ')
  for (const table of figureTables)
    await engine.execute(`DELETE FROM ${table} WHERE (bucket, generation) IN (${pairs}) ${settings}`)
  const empty = stale.filter((rows) => rows.empty)
  if (empty.length === 0) return
  const gone = empty
    .map(({ bucket, generation }) => `(bucket = ${bucket} AND generation <= ${generation})`)
    .join(' OR ')
  await engine.execute(`DELETE FROM rollup_buckets WHERE ${gone} ${settings}`)
}

/** At start, when nobody reads: everything that a crash left. */
export async function deleteAllStaleRows(engine: Engine): Promise<void> {
  const valid = '(SELECT bucket, max(generation) FROM rollup_buckets GROUP BY bucket)'
  for (const table of figureTables) {
    const left = await engine.query<[string, string]>(
      `SELECT DISTINCT bucket, generation FROM ${table} WHERE (bucket, generation) NOT IN ${valid}`,
    )
    if (left.length === 0) continue
    const pairs = left.map(([bucket, generation]) => `(${bucket}, ${generation})`).join(', ')
    await engine.execute(`DELETE FROM ${table} WHERE (bucket, generation) IN (${pairs}) ${settings}`)
  }
}

/** The highest generation that any row has, so that a new one is higher, also when the clock went back. */
export async function readNewestGeneration(engine: Engine): Promise<number> {
  const all = ['rollup_buckets', ...figureTables].map((table) => `SELECT max(generation) AS g FROM ${table}`)
  const [row] = await engine.query<[string]>(`SELECT max(g) FROM (${all.join(' UNION ALL ')})`)
  return Number(row?.[0] ?? 0)
}
