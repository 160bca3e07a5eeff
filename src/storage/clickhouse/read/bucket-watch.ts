/**
 * Which five-minute buckets are not rolled up as they are stored, for a reader whose process writes nothing: it compares the
 * rows of each bucket with those that its rollup was made of. The rows of a part never change, so each part is counted
 * once, when it is new. A merged part has the rows of the parts that it was made of, whose counts are known.
 *
 * A bucket whose rows differ also makes those around it wrong, as a late span may be the parent of a call there or the answer
 * to one (touched-buckets.ts): the ones beside it, and for a span that lasts longer than a bucket those up to its end.
 */
import { bucketSeconds, lastedBucketsMax } from '../../touched-buckets.ts'
import type { Engine } from '../engine.ts'
import { bucketNs, bucketSql } from '../rollup/intervals.ts'
import { readRolledBuckets, type RolledBucket } from '../rollup/stored-buckets.ts'
import type { BucketStates } from './figures/range-pieces.ts'

interface PartBucket {
  readonly bucket: number
  readonly rows: number
  /** The last bucket that a span of this one lasts into. */
  readonly until: number
}

interface Part {
  readonly table: Table
  readonly name: string
  readonly partition: string
  /** First and last block of its rows. */
  readonly from: number
  readonly to: number
  readonly rows: number
}

interface CountedPart extends Part {
  readonly buckets: readonly PartBucket[]
}

/** What the stored parts have in a bucket. */
interface StoredRows {
  spans: number
  events: number
  until: number
}

type Table = 'spans' | 'events'

const tables: readonly Table[] = ['spans', 'events']

/** A merge may take a part away between listing and counting it; the merged part is counted in the next round. */
const roundsMax = 10

export class BucketWatch implements BucketStates {
  readonly #engine: Engine
  /** By table and name of the part. */
  #parts = new Map<string, CountedPart>()
  #stored: ReadonlyMap<number, StoredRows> = new Map()
  readonly #rolled = new Map<number, RolledBucket>()
  readonly #generations = new Map<number, bigint>()
  #newestGeneration = -1n
  #dirty: ReadonlySet<number> = new Set()
  readonly #changes = new Map<number, number>()
  #changeCount = 0
  #changed: ReadonlyMap<number, number> = new Map()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Of the last look. */
  dirtyBuckets(): ReadonlySet<number> {
    return this.#dirty
  }

  rolledBuckets(): ReadonlyMap<number, bigint> {
    return this.#generations
  }

  /** Generations are far above the numbers of changes. */
  changeOf(bucket: number): number | bigint {
    return this.#dirty.has(bucket) ? (this.#changes.get(bucket) ?? 0) : (this.#generations.get(bucket) ?? 0)
  }

  /** At the last look: buckets whose own rows are not those that were rolled up, each with the last bucket that its spans last into. */
  changedBuckets(): ReadonlyMap<number, number> {
    return this.#changed
  }

  /**
   * Afterwards the buckets are right for all that was stored before the call. One call at a time. The tables that are said
   * not to have changed since the last look are not read.
   */
  async look({ rows = true, rolled = true } = {}): Promise<void> {
    // In this order: rows that come between the two make a bucket dirty, and no dirty one clean.
    if (rolled) await this.#readRolled()
    const before = this.#stored
    if (rows) {
      await this.#countParts()
      this.#stored = this.#sums()
    }
    const dirty = new Set<number>()
    const changed = new Map<number, number>()
    for (const bucket of new Set([...this.#stored.keys(), ...this.#rolled.keys()])) {
      const stored = this.#stored.get(bucket)
      const made = this.#rolled.get(bucket)
      if ((made?.spans ?? 0) === (stored?.spans ?? 0) && (made?.events ?? 0) === (stored?.events ?? 0)) continue
      changed.set(bucket, stored?.until ?? bucket)
      for (const near of around(bucket, stored)) dirty.add(near)
    }
    this.#dirty = dirty
    this.#changed = changed
    this.#noteChanges(before)
  }

  /** A bucket gets a new number when its rows or those around it are others than at the last look, or it became dirty. */
  #noteChanges(before: ReadonlyMap<number, StoredRows>): void {
    const changed = new Set<number>()
    if (before !== this.#stored) {
      for (const bucket of new Set([...before.keys(), ...this.#stored.keys()])) {
        const [was, is] = [before.get(bucket), this.#stored.get(bucket)]
        if (was?.spans === is?.spans && was?.events === is?.events && was?.until === is?.until) continue
        for (const near of [...around(bucket, was), ...around(bucket, is)]) changed.add(near)
      }
    }
    for (const bucket of this.#changes.keys()) if (!this.#dirty.has(bucket)) this.#changes.delete(bucket)
    for (const bucket of this.#dirty) {
      if (changed.has(bucket) || !this.#changes.has(bucket)) this.#changes.set(bucket, ++this.#changeCount)
    }
  }

  /** Those that were rolled up since the last look. */
  async #readRolled(): Promise<void> {
    for (const [bucket, made] of await readRolledBuckets(this.#engine, this.#newestGeneration)) {
      if (made.generation > this.#newestGeneration) this.#newestGeneration = made.generation
      if (made.spans + made.events > 0) {
        this.#rolled.set(bucket, made)
        this.#generations.set(bucket, made.generation)
      } else {
        this.#rolled.delete(bucket)
        this.#generations.delete(bucket)
      }
    }
  }

  async #countParts(): Promise<void> {
    for (let round = 0; round < roundsMax; round++) {
      const known = this.#parts
      const parts = new Map((await this.#listParts()).map((part) => [`${part.table}/${part.name}`, part]))
      const merges = [...known.values()].filter((part) => !parts.has(`${part.table}/${part.name}`))
      this.#parts = new Map()
      const unknown: Part[] = []
      for (const [key, part] of parts) {
        const counted = known.get(key) ?? mergedFrom(part, merges)
        if (counted === undefined) unknown.push(part)
        else this.#parts.set(key, counted)
      }
      for (const table of tables) {
        await this.#count(
          table,
          unknown.filter((part) => part.table === table),
        )
      }
      if (this.#parts.size === parts.size) return
    }
  }

  async #listParts(): Promise<Part[]> {
    const rows = await this.#engine.query<
      [table: Table, name: string, partition: string, from: string, to: string, rows: string]
    >(
      `SELECT table, name, partition_id, min_block_number, max_block_number, rows FROM system.parts
       WHERE active AND database = currentDatabase() AND table IN (${tables.map((table) => `'${table}'`).join(', ')})`,
    )
    return rows.map(([table, name, partition, from, to, count]) => ({
      table,
      name,
      partition,
      from: Number(from),
      to: Number(to),
      rows: Number(count),
    }))
  }

  async #count(table: Table, parts: readonly Part[]): Promise<void> {
    if (parts.length === 0) return
    const time = table === 'spans' ? 'start_time' : 'time'
    const lasts = table === 'spans' ? `least(intDiv(greatest(duration, 0), ${bucketNs}), ${lastedBucketsMax})` : '0'
    const rows = await this.#engine.query<[part: string, bucket: string, rows: string, lasts: string]>(
      `SELECT _part, ${bucketSql(time)} AS bucket, count(), max(${lasts}) FROM ${table}
       WHERE _part IN {names:Array(String)} GROUP BY _part, bucket`,
      { parameters: { names: parts.map(({ name }) => name) } },
    )
    const byName = new Map(parts.map((part) => [part.name, part]))
    for (const [name, own] of Map.groupBy(rows, ([part]) => part)) {
      const buckets = own.map(([, bucket, count, lasted]) => ({
        bucket: Number(bucket),
        rows: Number(count),
        until: Number(bucket) + Number(lasted) * bucketSeconds,
      }))
      this.#parts.set(`${table}/${name}`, { ...byName.get(name)!, buckets })
    }
  }

  #sums(): Map<number, StoredRows> {
    const sums = new Map<number, StoredRows>()
    for (const { table, buckets } of this.#parts.values()) {
      for (const { bucket, rows, until } of buckets) {
        const sum = sums.get(bucket) ?? { spans: 0, events: 0, until: bucket }
        sums.set(bucket, sum)
        sum[table] += rows
        sum.until = Math.max(sum.until, until)
      }
    }
    return sums
  }
}

/** Of parts that are gone those whose blocks it has, when their rows are all of its rows. */
function mergedFrom(part: Part, gone: readonly CountedPart[]): CountedPart | undefined {
  const sources = gone.filter(
    ({ table, partition, from, to }) =>
      table === part.table && partition === part.partition && from >= part.from && to <= part.to,
  )
  if (sources.reduce((sum, { rows }) => sum + rows, 0) !== part.rows) return undefined
  const buckets = [
    ...Map.groupBy(
      sources.flatMap((source) => source.buckets),
      ({ bucket }) => bucket,
    ),
  ]
  return {
    ...part,
    buckets: buckets.map(([bucket, own]) => ({
      bucket,
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      until: own.reduce((last, { until }) => Math.max(last, until), bucket),
    })),
  }
}

/** The buckets that rows of this one count for. */
function around(bucket: number, stored: StoredRows | undefined): number[] {
  const near: number[] = []
  const until = stored?.until ?? bucket
  for (let at = bucket - bucketSeconds; at <= until + bucketSeconds; at += bucketSeconds) near.push(at)
  return near
}
