/** The newest part of a range: what a question looks at that would be too dear over all of it. */
import type { Engine } from '../engine.ts'
import { Conditions } from '../compile/conditions.ts'
import type { TimeRange } from '../../../model/query.ts'

/** Rows of `spans` the engine would read for the conditions, from its index alone. */
export async function estimateRows(engine: Engine, conditions: Conditions, signal?: AbortSignal): Promise<number> {
  const rows = await engine.query<[string, string, string, string]>(
    `EXPLAIN ESTIMATE SELECT trace_id FROM spans ${conditions.where()}`,
    { parameters: conditions.parameters, signal },
  )
  return rows.reduce((sum, [, , , count]) => sum + Number(count), 0)
}

/**
 * The end of the range that holds at least `spansMin` spans by the counts of rolled-up buckets; the whole range when it
 * has fewer. Buckets that are still open come on top.
 */
export async function newestRange(
  engine: Engine,
  range: TimeRange,
  { spansMin, signal }: { readonly spansMin: number; readonly signal: AbortSignal | undefined },
): Promise<TimeRange> {
  const conditions = new Conditions()
  if (range.endNs !== undefined) conditions.add(`bucket * 1000000000 < ${conditions.bind(range.endNs, 'Int64')}`)
  const [row] = await engine.query<[string | null]>(
    `SELECT maxOrNull(bucket) FROM (
       SELECT bucket, sum(n) OVER (ORDER BY bucket DESC) AS newer FROM (
         SELECT bucket, argMax(span_rows, generation) AS n FROM rollup_buckets ${conditions.where()} GROUP BY bucket))
     WHERE newer >= ${spansMin}`,
    { parameters: conditions.parameters, signal },
  )
  const cut = row?.[0] ?? undefined
  if (cut === undefined) return range
  const cutNs = BigInt(cut) * 1_000_000_000n
  return range.startNs === undefined || cutNs > range.startNs ? { ...range, startNs: cutNs } : range
}
