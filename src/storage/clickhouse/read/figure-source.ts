/**
 * Where the readers of services, operations, edges and nodes take their rows from: rolled-up rows of the buckets that
 * lie whole in the range and are up to date, and the same figures computed now over the rest: open buckets, buckets
 * that late data touched, and the cut buckets at both ends of the range.
 */
import type { TimeRange } from '../../../model/query.ts'
import { dedicatedByKey } from '../../dedicated.ts'
import { bucketSeconds } from '../../touched-buckets.ts'
import type { Engine } from '../engine.ts'
import type { Figure } from '../rollup/figures.ts'
import { bucketInterval, bucketNs, bucketOf, coverGaps, joinIntervals, type Interval } from '../rollup/intervals.ts'
import type { KeyFacts } from '../compile/conditions.ts'
import type { FigureMemory } from './figures/figure-memory.ts'

/** What the readers of figures need. */
export interface FigureContext {
  readonly engine: Engine
  /** Buckets (epoch seconds) whose rolled-up rows are missing or out of date. */
  readonly rollups: { dirtyBuckets(): ReadonlySet<number> }
  readonly facts?: KeyFacts
  /** Answers without a query what it can; without it every figure is computed by the engine. */
  readonly memory?: FigureMemory
}

/** Without facts every dedicated key may be in the maps too, and no resource key is known. */
export const noFacts: KeyFacts = { irregular: new Set(dedicatedByKey.keys()), resource: new Set() }

export interface RangePlan {
  /** Buckets [from, to) in epoch seconds come rolled up, but for those in `live`; undefined is open. */
  readonly rolledFrom: number | undefined
  readonly rolledTo: number | undefined
  readonly live: readonly Interval[]
}

/** Each interval is a condition in the SQL; past this many, up-to-date buckets between them are computed as well. */
const intervalsMax = 64

function planRange({ startNs, endNs }: TimeRange, dirty: ReadonlySet<number>): RangePlan {
  const rolledFrom = startNs === undefined ? undefined : bucketOf(startNs + bucketNs - 1n)
  const rolledTo = endNs === undefined ? undefined : bucketOf(endNs)
  if (startNs !== undefined && endNs !== undefined && rolledFrom! >= rolledTo!) {
    return { rolledFrom, rolledTo: rolledFrom, live: joinIntervals([{ fromNs: startNs, toNs: endNs }]) }
  }
  const live: Interval[] = []
  if (startNs !== undefined) live.push({ fromNs: startNs, toNs: BigInt(rolledFrom!) * 1_000_000_000n })
  if (endNs !== undefined) live.push({ fromNs: BigInt(rolledTo!) * 1_000_000_000n, toNs: endNs })
  for (const bucket of dirty) {
    if (rolledFrom !== undefined && bucket < rolledFrom) continue
    if (rolledTo !== undefined && bucket >= rolledTo) continue
    live.push(bucketInterval(bucket))
  }
  return { rolledFrom, rolledTo, live: coverGaps(joinIntervals(live), intervalsMax) }
}

/** SQL of all rows of the figure in the range, in the figure's columns, `bucket` among them. */
export function figureSql(figure: Figure, range: TimeRange, context: FigureContext): string {
  const plan = planRange(range, context.rollups.dirtyBuckets())
  const parts: string[] = []
  if (plan.rolledFrom === undefined || plan.rolledTo === undefined || plan.rolledFrom < plan.rolledTo) {
    parts.push(rolledSql(figure, plan))
  }
  if (plan.live.length > 0) parts.push(`SELECT ${figure.columns.join(', ')} FROM (${figure.sql(plan.live)})`)
  return parts.join('\nUNION ALL\n')
}

function rolledSql(figure: Figure, plan: RangePlan): string {
  const conditions: string[] = []
  if (plan.rolledFrom !== undefined) conditions.push(`bucket >= ${plan.rolledFrom}`)
  if (plan.rolledTo !== undefined) conditions.push(`bucket < ${plan.rolledTo}`)
  for (const { fromNs, toNs } of plan.live) {
    conditions.push(`NOT (bucket >= ${bucketOf(fromNs)} AND bucket < ${bucketOf(toNs - 1n) + bucketSeconds})`)
  }
  const where = conditions.length === 0 ? '1' : conditions.join(' AND ')
  return `SELECT ${figure.columns.join(', ')} FROM ${figure.table}
    WHERE ${where} AND (bucket, generation) IN (
      SELECT bucket, max(generation) FROM rollup_buckets WHERE ${where} GROUP BY bucket)`
}
