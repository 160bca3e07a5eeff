/** Services and their operations with rate, errors and durations (RED). */
import type { OperationFigures, Quantiles, ServiceFigures } from '../../../../model/figures.ts'
import type { TimeRange } from '../../../../model/query.ts'
import type { FigureContext } from '../figure-source.ts'
import { figureSql } from '../figure-source.ts'
import { figures, quantileLevels } from '../../rollup/figures.ts'
import { readQuantiles, type Digest } from '../figures/digest.ts'
import { shapes, type FigureRow } from '../figures/figure-row.ts'
import { nanosOf } from '../rows.ts'

/** A service whose span names hold ids has as many operations as spans; these are the ones with the most time. */
const operationsMax = 10_000

type ServiceRow = readonly [
  name: string,
  spans: string,
  calls: string,
  errors: string,
  quantiles: (number | null)[],
  last: string,
  newestCalls: string,
  newestErrors: string,
]

/** In order of name. */
export async function readServices(
  context: FigureContext,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<ServiceFigures[]> {
  const kept = await context.memory?.read(shapes.services, range, signal)
  if (kept !== undefined) return kept.map(serviceOf).sort((a, b) => compareText(a.name, b.name))
  const merged = (column: string): string => `quantilesTDigestMergeState(${quantileLevels})(${column})`
  const final = (column: string): string => `quantilesTDigestMerge(${quantileLevels})(${column})`
  // First by bucket, for the newest one; its states are few.
  const sql = `SELECT service_name, sum(spans), if(sum(entries) > 0, sum(entries), sum(roots)) AS calls,
      if(sum(entries) > 0, sum(entry_errors), sum(root_errors)),
      if(sum(entries) > 0, ${final('entry_states')}, ${final('root_states')}),
      ${nanosOf('max(last)')},
      if(sum(entries) > 0, argMax(entries, bucket), argMax(roots, bucket)),
      if(sum(entries) > 0, argMax(entry_errors, bucket), argMax(root_errors, bucket))
    FROM (
      SELECT bucket, toString(service_name) AS service_name, sum(spans) AS spans, max(last_time) AS last,
        sum(entry_calls) AS entries, sum(entry_errors) AS entry_errors, ${merged('entry_durations')} AS entry_states,
        sum(root_calls) AS roots, sum(root_errors) AS root_errors, ${merged('root_durations')} AS root_states
      FROM (${figureSql(figures.services, range, context)}) GROUP BY bucket, service_name
    ) GROUP BY service_name ORDER BY service_name`
  const rows = await context.engine.query<ServiceRow>(sql, { signal })
  return rows.map((row) => ({
    name: row[0],
    spans: Number(row[1]),
    calls: Number(row[2]),
    errors: Number(row[3]),
    ...quantilesOf(row[4]),
    lastSeenNs: BigInt(row[5]),
    newest: { calls: Number(row[6]), errors: Number(row[7]) },
  }))
}

function serviceOf({ names, counts, digests, lastNs, newest }: FigureRow): ServiceFigures {
  const [spans, entries, entryErrors, roots, rootErrors] = counts as [number, number, number, number, number]
  const [entryDurations, rootDurations] = digests as [Digest, Digest]
  const [, newestEntries, newestEntryErrors, newestRoots, newestRootErrors] = newest.counts
  const hasEntries = entries > 0
  return {
    name: names[0]!,
    spans,
    calls: hasEntries ? entries : roots,
    errors: hasEntries ? entryErrors : rootErrors,
    ...digestQuantiles(hasEntries ? entryDurations : rootDurations),
    lastSeenNs: lastNs,
    newest: hasEntries
      ? { calls: newestEntries!, errors: newestEntryErrors! }
      : { calls: newestRoots!, errors: newestRootErrors! },
  }
}

type OperationRow = readonly [
  name: string,
  kind: number,
  calls: string,
  errors: string,
  total: string,
  quantiles: (number | null)[],
]

/** Most time first; empty when the service is unknown in the range. */
export async function readOperations(
  context: FigureContext,
  service: string,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<OperationFigures[]> {
  const kept = await context.memory?.read(shapes.operations, range, signal)
  if (kept !== undefined) return operationsOf(kept, service)
  const rows = await context.engine.query<OperationRow>(
    `SELECT toString(name) AS operation, kind, sum(calls), sum(errors), sum(duration_sum) AS total,
       quantilesTDigestMerge(${quantileLevels})(durations)
     FROM (${figureSql(figures.operations, range, context)}) WHERE service_name = {service:String}
     GROUP BY operation, kind ORDER BY total DESC, operation, kind LIMIT ${operationsMax}`,
    { parameters: { service }, signal },
  )
  return rows.map(([name, kind, calls, errors, total, quantiles]) => ({
    name,
    kind,
    calls: Number(calls),
    errors: Number(errors),
    totalNs: BigInt(total),
    ...quantilesOf(quantiles),
  }))
}

function operationsOf(rows: readonly FigureRow[], service: string): OperationFigures[] {
  const own = rows
    .filter(({ names }) => names[0] === service)
    .map(({ names, counts, digests, total }) => ({ name: names[1]!, kind: Number(names[2]), counts, digests, total }))
    .sort((a, b) => (a.total < b.total ? 1 : a.total > b.total ? -1 : compareText(a.name, b.name) || a.kind - b.kind))
  return own.slice(0, operationsMax).map(({ name, kind, counts, digests, total }) => ({
    name,
    kind,
    calls: counts[0]!,
    errors: counts[1]!,
    totalNs: total,
    ...digestQuantiles(digests[0]!),
  }))
}

/** As the engine sorts texts: by their bytes in UTF-8. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function compareNames(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareText(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return 0
}

const levels = quantileLevels.split(', ').map(Number)

/** Digests do not change, and those of a list that is asked for often are the same ones. */
const knownQuantiles = new WeakMap<Digest, Quantiles>()

export function digestQuantiles(digest: Digest): Quantiles {
  const known = knownQuantiles.get(digest)
  if (known !== undefined) return known
  const quantiles = quantilesOf(readQuantiles(digest, levels))
  knownQuantiles.set(digest, quantiles)
  return quantiles
}

/** The engine gives null for a quantile of nothing. */
export function quantilesOf(values: readonly (number | null | undefined)[]): Quantiles {
  const [p50Ns, p95Ns, p99Ns] = values.map((value) => BigInt(Math.round(value ?? 0))) as [bigint, bigint, bigint]
  return { p50Ns, p95Ns, p99Ns }
}
