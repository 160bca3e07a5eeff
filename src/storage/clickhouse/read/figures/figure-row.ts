/** Rows of figures in memory: how they are asked for, read from the engine's answer, and summed up. */
import { bucketSeconds } from '../../../touched-buckets.ts'
import { figures, type Figure } from '../../rollup/figures.ts'
import { nanosOf } from '../rows.ts'
import { decodeDigest, mergeDigests, type Digest } from './digest.ts'

/** Which columns of a figure tell its rows apart, and how the others are summed up. */
export interface FigureShape {
  readonly figure: Figure
  readonly names: readonly string[]
  readonly counts: readonly string[]
  readonly digests: readonly string[]
  /** A sum that may be past what a double holds exactly. */
  readonly total?: string
  /** A time of which the latest counts. */
  readonly last?: string
  /** New rows only add to the figures of those before them. */
  readonly isAdditive: boolean
}

export const shapes = {
  services: {
    figure: figures.services,
    names: ['service_name'],
    counts: ['spans', 'entry_calls', 'entry_errors', 'root_calls', 'root_errors'],
    digests: ['entry_durations', 'root_durations'],
    last: 'last_time',
    isAdditive: true,
  },
  operations: {
    figure: figures.operations,
    names: ['service_name', 'name', 'kind'],
    counts: ['calls', 'errors'],
    digests: ['durations'],
    total: 'duration_sum',
    isAdditive: true,
  },
  edges: {
    figure: figures.edges,
    names: ['parent', 'child', 'child_type'],
    counts: ['calls', 'errors'],
    digests: ['durations'],
    isAdditive: false,
  },
  attributeKeys: {
    figure: figures.attributeKeys,
    names: ['scope', 'key', 'type'],
    counts: ['rows'],
    digests: [],
    isAdditive: true,
  },
} as const satisfies Record<string, FigureShape>

export interface FigureRow {
  /** The names in one text. */
  readonly key: string
  readonly names: readonly string[]
  /** In the order of the shape's. */
  readonly counts: readonly number[]
  readonly digests: readonly Digest[]
  readonly total: bigint
  readonly lastNs: bigint
  /** The newest five minutes in which the row has something, and the counts of these alone. */
  readonly newest: { readonly bucket: number; readonly counts: readonly number[] }
}

/** Columns of the engine's answer as texts: start of the piece, names, counts, digests, total, last, newest bucket and its counts. */
export type FigureColumns = readonly string[]

/**
 * `source` is SQL that gives the columns of the figure. Its rows are summed up by names within pieces of so many seconds
 * since the epoch.
 */
export function rowsSql(shape: FigureShape, source: string, pieceSeconds: number): string {
  const states = 'quantilesTDigestMergeState(0.5, 0.95, 0.99)'
  const columns = [
    ...shape.names.map((name) => `toString(${name}) AS name_${name}`),
    ...shape.counts.map((count) => `sum(${count})`),
    ...shape.digests.map((digest) => `base64Encode(CAST(${states}(${digest}) AS String))`),
    shape.total === undefined ? "'0'" : `sum(${shape.total})`,
    shape.last === undefined ? "'0'" : nanosOf(`max(${shape.last})`),
    'max(bucket)',
    ...shape.counts.map((count) => `argMax(${count}, bucket)`),
  ]
  const start = pieceSeconds === bucketSeconds ? 'bucket' : `bucket - positiveModulo(bucket, ${pieceSeconds})`
  return `SELECT ${start} AS piece, ${columns.join(', ')} FROM (${source})
    GROUP BY piece, ${shape.names.map((name) => `name_${name}`).join(', ')}`
}

export function readFigureRow(shape: FigureShape, columns: FigureColumns): FigureRow {
  const countsAt = 1 + shape.names.length
  const digestsAt = countsAt + shape.counts.length
  const totalAt = digestsAt + shape.digests.length
  const names = columns.slice(1, countsAt)
  return {
    key: names.join('\0'),
    names,
    counts: columns.slice(countsAt, digestsAt).map(Number),
    digests: columns.slice(digestsAt, totalAt).map(decodeDigest),
    total: BigInt(columns[totalAt]!),
    lastNs: BigInt(columns[totalAt + 1]!),
    newest: { bucket: Number(columns[totalAt + 2]), counts: columns.slice(totalAt + 3).map(Number) },
  }
}

/** One row for each set of names, of all rows given. */
export function sumRows(lists: readonly (readonly FigureRow[])[]): FigureRow[] {
  const groups = new Map<string, FigureRow[]>()
  for (const list of lists) {
    for (const row of list) {
      const group = groups.get(row.key)
      if (group === undefined) groups.set(row.key, [row])
      else group.push(row)
    }
  }
  return [...groups.values()].map((group) => (group.length === 1 ? group[0]! : sumGroup(group)))
}

function sumGroup(group: readonly FigureRow[]): FigureRow {
  const first = group[0]!
  const counts = first.counts.map((_, i) => group.reduce((sum, row) => sum + row.counts[i]!, 0))
  let { total, lastNs, newest } = first
  for (const row of group.slice(1)) {
    total += row.total
    if (row.lastNs > lastNs) lastNs = row.lastNs
    if (row.newest.bucket > newest.bucket) newest = row.newest
  }
  const digests = first.digests.map((_, i) => mergeDigests(group.map((row) => row.digests[i]!)))
  return { key: first.key, names: first.names, counts, digests, total, lastNs, newest }
}

/** About; objects and texts are counted as 400 bytes a row. */
export function bytesOf(rows: readonly FigureRow[]): number {
  return rows.reduce(
    (sum, { key, digests }) => sum + 400 + key.length + digests.reduce((all, digest) => all + digest.byteLength, 0),
    200,
  )
}
