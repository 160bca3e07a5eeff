/** The parts that hold what was stored: how much there is and from when, read from the engine's own notes alone. */
import type { Engine } from './engine.ts'

/** Tables that hold what arrived, with their time columns; the tables of rolled-up figures follow them. */
export const storedTables = [
  { table: 'spans', time: 'start_time', signal: 'spans' },
  { table: 'traces', time: 'start_time', signal: 'spans' },
  { table: 'events', time: 'time', signal: 'events' },
] as const

export type StoredSignal = (typeof storedTables)[number]['signal']

export interface StoredPart {
  readonly table: string
  readonly signal: StoredSignal
  readonly name: string
  readonly bytes: number
  /** Time of its newest row. */
  readonly newestNs: bigint
}

export async function readParts(engine: Engine): Promise<StoredPart[]> {
  const known = await engine.query<[table: string, name: string, bytes: string]>(
    `SELECT table, name, bytes_on_disk FROM system.parts
     WHERE active AND database = currentDatabase() AND rows > 0`,
  )
  const newest = await engine.query<[string, string, string]>(
    storedTables
      .map(
        ({ table, time }) =>
          `SELECT '${table}', _part, toUnixTimestamp64Nano(max(${time})) FROM ${table} GROUP BY _part`,
      )
      .join(' UNION ALL '),
  )
  const times = new Map(newest.map(([table, part, time]) => [`${table}/${part}`, BigInt(time)]))
  return known.flatMap(([table, name, bytes]) => {
    const newestNs = times.get(`${table}/${name}`)
    const signal = storedTables.find((stored) => stored.table === table)?.signal
    // A part that was merged away between the two looks is seen at the next.
    if (newestNs === undefined || signal === undefined) return []
    return [{ table, signal, name, bytes: Number(bytes), newestNs }]
  })
}

/** Bytes on disk of all tables. */
export async function readStoreBytes(engine: Engine): Promise<number> {
  const [row] = await engine.query<[string]>(
    'SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()',
  )
  return Number(row?.[0] ?? 0)
}
