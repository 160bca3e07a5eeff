/**
 * Cuts a table along its sorting key into ranges of about `rowsWanted` rows, so that each is one query that reads a few runs of
 * the parts and needs no order. The order of the ranges is the table's own:
 *
 *     spans   (bucket of 5 minutes, service, name, start)       events  (bucket, service, time)
 *
 * Keys are looked up for several ranges at a time. A range ends with its last key, so rows of one key are never parted: many
 * log records may have the same time. Ranges that hold far more rows for that reason are read in slices.
 */
import type { TimeRange } from '../../../../model/query.ts'
import { addTimeRange, Conditions } from '../../compile/conditions.ts'
import type { Engine } from '../../engine.ts'
import { nanosOf } from '../rows.ts'

export interface ExportTable {
  readonly name: 'spans' | 'events'
  readonly time: string
  /** Columns of the sorting key between bucket and time. */
  readonly names: readonly string[]
  readonly columns: readonly string[]
  /** SQL that tells rows of one key apart. */
  readonly hash: string
}

/** Bucket, names, nanoseconds, as the engine's JSON has them. */
export type Key = readonly string[]

export interface KeyRange {
  /** Exclusive; nothing before the first range. */
  readonly after: Key | undefined
  /** Inclusive; nothing after the last range. */
  readonly upTo: Key | undefined
  /** In how many parts it is to be read. */
  readonly slices: number
}

/** Ranges whose ends are looked up by one query. */
const rangesPerLookup = 16

interface CutOptions {
  readonly range: TimeRange
  readonly rowsWanted: number
  readonly signal: AbortSignal | undefined
}

/** Ranges that together hold every row of the time range once. */
export async function* keyRanges(engine: Engine, table: ExportTable, options: CutOptions): AsyncGenerator<KeyRange> {
  let after: Key | undefined
  for (;;) {
    const ends = await lookUpEnds(engine, table, after, options)
    for (const end of ends) {
      // The rows of one key fill more than a range.
      if (isSame(end, after)) continue
      const repeats = ends.filter((other) => isSame(other, end)).length
      if (repeats === 1) yield { after, upTo: end, slices: 1 }
      else yield { after, upTo: end, slices: await slicesOf(engine, table, { after, upTo: end }, options) }
      after = end
    }
    if (ends.length < rangesPerLookup) break
  }
  yield { after, upTo: undefined, slices: 1 }
}

/** The keys of every `rowsWanted`th row. */
async function lookUpEnds(
  engine: Engine,
  table: ExportTable,
  after: Key | undefined,
  { range, rowsWanted, signal }: CutOptions,
): Promise<Key[]> {
  const conditions = rangeConditions(table, { after, upTo: undefined }, range)
  const key = keySql(table)
  const names = key.map((_, i) => `k${i}`)
  return engine.query<string[]>(
    `SELECT ${names.join(', ')} FROM (
       SELECT ${names.join(', ')}, rowNumberInAllBlocks() AS n FROM (
         SELECT ${key.map((sql, i) => `${sql} AS k${i}`).join(', ')} FROM ${table.name} ${conditions.where()}
         ORDER BY ${key.join(', ')} LIMIT ${rowsWanted * rangesPerLookup}))
     WHERE n % ${rowsWanted} = ${rowsWanted - 1}`,
    { parameters: conditions.parameters, signal, settings: { max_threads: 1 } },
  )
}

async function slicesOf(
  engine: Engine,
  table: ExportTable,
  part: Pick<KeyRange, 'after' | 'upTo'>,
  { range, rowsWanted, signal }: CutOptions,
): Promise<number> {
  const conditions = rangeConditions(table, part, range)
  const [row] = await engine.query<[string]>(`SELECT count() FROM ${table.name} ${conditions.where()}`, {
    parameters: conditions.parameters,
    signal,
  })
  return Math.ceil(Number(row?.[0] ?? 0) / rowsWanted)
}

function keySql({ names, time }: ExportTable): string[] {
  return [`intDiv(${nanosOf(time)}, 300000000000)`, ...names, nanosOf(time)]
}

/** What the rows of a range meet. */
export function rangeConditions(
  table: ExportTable,
  { after, upTo }: Pick<KeyRange, 'after' | 'upTo'>,
  range: TimeRange,
): Conditions {
  const conditions = new Conditions()
  addTimeRange(conditions, table.time, range)
  if (after !== undefined) conditions.add(beyond(conditions, table, after, '>'))
  if (upTo !== undefined) conditions.add(beyond(conditions, table, upTo, '<'))
  return conditions
}

/**
 * After the key (`>`), or up to and with it (`<`). Written out, with the first part alone in front, as the engine finds the
 * parts and marks to read by simple comparisons.
 */
function beyond(conditions: Conditions, { names, time }: ExportTable, key: Key, side: '>' | '<'): string {
  const start = BigInt(key[0]!) * bucketNs
  const timeValue = conditions.bind(BigInt(key.at(-1)!), 'DateTime64(9)')
  const edge = side === '>' ? '>' : '<='
  const inner = [...names].reverse().reduce((rest, name, i) => {
    const value = conditions.bind(key[names.length - i]!, 'String')
    return `(${name} ${side} ${value} OR (${name} = ${value} AND ${rest}))`
  }, `${time} ${edge} ${timeValue}`)
  const bucketStart = conditions.bind(start, 'DateTime64(9)')
  const bucketEnd = conditions.bind(start + bucketNs, 'DateTime64(9)')
  return side === '>'
    ? `${time} >= ${bucketStart} AND (${time} >= ${bucketEnd} OR ${inner})`
    : `${time} < ${bucketEnd} AND (${time} < ${bucketStart} OR ${inner})`
}

const bucketNs = 300_000_000_000n

function isSame(a: Key, b: Key | undefined): boolean {
  return b !== undefined && a.every((part, i) => part === b[i])
}
