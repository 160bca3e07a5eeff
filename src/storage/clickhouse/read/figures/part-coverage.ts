/**
 * Which stored rows figures are made of, told by the blocks of the parts: so that figures that add up are brought up to date
 * from the parts that are new alone. The engine numbers the blocks of a partition, and a part has the rows of all blocks from
 * its first to its last. A merged part of blocks that were all counted has nothing new.
 */
import type { Engine } from '../../engine.ts'

interface ListedPart {
  readonly table: CountedTable
  readonly name: string
  readonly partition: string
  readonly firstBlock: number
  readonly lastBlock: number
  readonly rows: number
}

export type CountedTable = 'spans' | 'events'

/** By table and partition: the last block that is counted, and how many rows there are up to it. */
export type Coverage = ReadonlyMap<string, { readonly lastBlock: number; readonly rows: number }>

export async function listParts(engine: Pick<Engine, 'query'>, signal?: AbortSignal): Promise<ListedPart[]> {
  const rows = await engine.query<
    [table: CountedTable, name: string, partition: string, first: string, last: string, rows: string]
  >(
    `SELECT table, name, partition_id, min_block_number, max_block_number, rows FROM system.parts
     WHERE active AND database = currentDatabase() AND table IN ('spans', 'events')`,
    { signal },
  )
  return rows.map(([table, name, partition, first, last, count]) => ({
    table,
    name,
    partition,
    firstBlock: Number(first),
    lastBlock: Number(last),
    rows: Number(count),
  }))
}

export function coverageOf(parts: readonly ListedPart[]): Coverage {
  const coverage = new Map<string, { lastBlock: number; rows: number }>()
  for (const part of parts) {
    const place = placeOf(part)
    const known = coverage.get(place) ?? { lastBlock: -1, rows: 0 }
    coverage.set(place, { lastBlock: Math.max(known.lastBlock, part.lastBlock), rows: known.rows + part.rows })
  }
  return coverage
}

/**
 * The parts whose rows are not covered. Undefined when they cannot be told apart: new blocks were merged with counted ones, an
 * insert that began earlier ended later than another, or rows left.
 */
export function partsBeyond(parts: readonly ListedPart[], covered: Coverage): ListedPart[] | undefined {
  const fresh: ListedPart[] = []
  const rows = new Map<string, number>()
  for (const part of parts) {
    const place = placeOf(part)
    const last = covered.get(place)?.lastBlock ?? -1
    if (part.firstBlock > last) fresh.push(part)
    else if (part.lastBlock > last) return undefined
    else rows.set(place, (rows.get(place) ?? 0) + part.rows)
  }
  for (const [place, { rows: counted }] of covered) if (rows.get(place) !== counted) return undefined
  return fresh
}

/** SQL conditions for the rows of the parts, by table. */
export function partConditions(parts: readonly ListedPart[]): Record<CountedTable, string> {
  const of = (table: CountedTable): string => {
    const names = parts.filter((part) => part.table === table).map(({ name }) => `'${name}'`)
    return names.length === 0 ? '0' : `_part IN (${names.join(', ')})`
  }
  return { spans: of('spans'), events: of('events') }
}

function placeOf({ table, partition }: ListedPart): string {
  return `${table}/${partition}`
}
