/**
 * Keeps what a reader has in memory right where another process writes: looks before each question how far the tables
 * have grown, and reads only what is new. The engine numbers the blocks of a partition as they are stored, and a merged
 * part names the last of its blocks, so the highest number says whether rows came. Rows leave with whole parts.
 */
import type { Engine } from '../engine.ts'
import type { KnownKeys } from '../known-keys.ts'
import { BucketWatch } from './bucket-watch.ts'
import type { TraceSummaries } from './trace-summaries.ts'

/** How far a partition has come. */
interface Mark {
  readonly table: string
  readonly partition: string
  readonly block: number
  readonly rows: number
}

/** SQL conditions for the rows of a table that came since the last look; no entry when none came. */
export type NewRows = ReadonlyMap<string, string>

const watchedTables = ['spans', 'events', 'rollup_buckets', 'traces', 'irregular_keys', 'key_kinds']

export class StoreWatch {
  readonly #engine: Engine
  readonly #keys: KnownKeys
  readonly #summaries: TraceSummaries
  readonly #buckets: BucketWatch
  #marks: readonly Mark[] = []
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(engine: Engine, keys: KnownKeys, summaries: TraceSummaries) {
    this.#engine = engine
    this.#keys = keys
    this.#summaries = summaries
    this.#buckets = new BucketWatch(engine)
  }

  /** Buckets whose rolled-up rows were missing or out of date at the last look. */
  dirtyBuckets(): ReadonlySet<number> {
    return this.#buckets.dirtyBuckets()
  }

  rolledBuckets(): ReadonlyMap<number, bigint> {
    return this.#buckets.rolledBuckets()
  }

  changeOf(bucket: number): number | bigint {
    return this.#buckets.changeOf(bucket)
  }

  /** Resolves when keys, summaries and buckets are right for all that was stored at the time of the call. */
  catchUp(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    // What is running may have looked before the last rows came. All who call meanwhile share the next look.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.#start()
      })
    return this.#next
  }

  #start(): Promise<void> {
    const run = this.#look().finally(() => {
      this.#running = undefined
    })
    this.#running = run
    return run
  }

  async #look(): Promise<void> {
    const marks = await readMarks(this.#engine)
    const changed = (table: string): boolean => !isSame(tableMarks(marks, table), tableMarks(this.#marks, table))
    if (changed('traces')) this.#summaries.forget()
    const changes = { rows: changed('spans') || changed('events'), rolled: changed('rollup_buckets') }
    if (changes.rows || changes.rolled) await this.#buckets.look(changes)
    const spans = tableMarks(marks, 'spans').reduce((sum, { rows }) => sum + rows, 0)
    await this.#keys.loadNew(this.#engine, newRows(marks, this.#marks), spans)
    this.#marks = marks
  }
}

async function readMarks(engine: Engine): Promise<Mark[]> {
  const rows = await engine.query<[table: string, partition: string, block: string, rows: string]>(
    `SELECT table, partition_id, max(max_block_number), sum(rows) FROM system.parts
     WHERE active AND database = currentDatabase() AND table IN (${watchedTables.map((table) => `'${table}'`).join(', ')})
     GROUP BY table, partition_id ORDER BY table, partition_id`,
    { settings: { max_threads: 1 } },
  )
  return rows.map(([table, partition, block, count]) => ({
    table,
    partition,
    block: Number(block),
    rows: Number(count),
  }))
}

function tableMarks(marks: readonly Mark[], table: string): Mark[] {
  return marks.filter((mark) => mark.table === table)
}

function isSame(a: readonly Mark[], b: readonly Mark[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ partition, block, rows }, i) => {
      const other = b[i]!
      return other.partition === partition && other.block === block && other.rows === rows
    })
  )
}

/** Parts are told by their names, `partition_firstBlock_lastBlock_level`: a merge between look and read loses nothing. */
function newRows(marks: readonly Mark[], before: readonly Mark[]): NewRows {
  const known = new Map(before.map(({ table, partition, block }) => [`${table}/${partition}`, block]))
  const conditions = new Map<string, string[]>()
  for (const { table, partition, block } of marks) {
    const from = known.get(`${table}/${partition}`) ?? -1
    if (block <= from) continue
    const list = conditions.get(table) ?? []
    list.push(`(_partition_id = '${partition}' AND toInt64(splitByChar('_', _part)[3]) > ${from})`)
    conditions.set(table, list)
  }
  return new Map([...conditions].map(([table, list]) => [table, list.length > partitionsMax ? '1' : list.join(' OR ')]))
}

/** More partitions than this are read whole. */
const partitionsMax = 100
