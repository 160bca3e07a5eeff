/** Who calls whom, with figures. */
import type { ChildType, EdgeFigures } from '../../../../model/figures.ts'
import type { TimeRange } from '../../../../model/query.ts'
import type { FigureContext } from '../figure-source.ts'
import { figureSql } from '../figure-source.ts'
import { figures, quantileLevels } from '../../rollup/figures.ts'
import { shapes, type FigureRow } from '../figures/figure-row.ts'
import { compareNames, digestQuantiles, quantilesOf } from './services.ts'

/** A client that calls addresses without end cannot make the answer so; these are the ones with the most calls. */
const edgesMax = 50_000

type EdgeRow = readonly [
  parent: string,
  child: string,
  type: ChildType,
  calls: string,
  errors: string,
  quantiles: (number | null)[],
]

/** Most calls first. */
export async function readDependencies(
  context: FigureContext,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<EdgeFigures[]> {
  const kept = await context.memory?.read(shapes.edges, range, signal)
  if (kept !== undefined) return edgesOf(kept)
  const rows = await context.engine.query<EdgeRow>(
    `SELECT toString(parent) AS caller, toString(child) AS callee, toString(child_type) AS type, sum(calls) AS n, sum(errors),
       quantilesTDigestMerge(${quantileLevels})(durations)
     FROM (${figureSql(figures.edges, range, context)})
     GROUP BY caller, callee, type ORDER BY n DESC, caller, callee, type LIMIT ${edgesMax}`,
    { signal },
  )
  return rows.map(([parent, child, childType, calls, errors, quantiles]) => ({
    parent,
    child,
    childType,
    calls: Number(calls),
    errors: Number(errors),
    ...quantilesOf(quantiles),
  }))
}

function edgesOf(rows: readonly FigureRow[]): EdgeFigures[] {
  const sorted = [...rows].sort((a, b) => b.counts[0]! - a.counts[0]! || compareNames(a.names, b.names))
  return sorted.slice(0, edgesMax).map(({ names, counts, digests }) => ({
    parent: names[0]!,
    child: names[1]!,
    childType: names[2] as ChildType,
    calls: counts[0]!,
    errors: counts[1]!,
    ...digestQuantiles(digests[0]!),
  }))
}
