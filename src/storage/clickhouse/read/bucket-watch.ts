/**
 * Which five-minute buckets are not rolled up as they are stored, for a reader whose process writes nothing: it compares the
 * rows of each bucket with those that its rollup was made of. The rows of a part never change, so each part is counted
 * once, when it is new; a merged part is a new one.
 *
 * A bucket whose rows differ also makes those around it wrong, as a late span may be the parent of a call there or the answer
 * to one (touched-buckets.ts): the ones beside it, and for a span that lasts longer than a bucket those up to its end.
 */
import { bucketSeconds, lastedBucketsMax } from '../../touched-buckets.ts'
import type { Engine } from '../engine.ts'
import { bucketNs, bucketSql } from '../rollup/intervals.ts'
import { readRolledBuckets } from '../rollup/stored-buckets.ts'

interface PartBucket {
  readonly bucket: number
  readonly rows: number
  /** The last bucket that a span of this one lasts into. */
  readonly until: number
}

type Table = 'spans' | 'events'

const tables: readonly Table[] = ['spans', 'events']

/** A merge may take a part away between listing and counting it; the merged part is counted in the next round. */
const roundsMax = 10

export class BucketWatch {
  readonly #engine: Engine
  /** By table and name of the part. */
  #parts = new Map<string, readonly PartBucket[]>()
  #dirty: ReadonlySet<number> = new Set()
  #changed: ReadonlyMap<number, number> = new Map()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Of the last look. */
  dirtyBuckets(): ReadonlySet<number> {
    return this.#dirty
  }

  /** At the last look: buckets whose own rows are not those that were rolled up, each with the last bucket that its spans last into. */
  changedBuckets(): ReadonlyMap<number, number> {
    return this.#changed
  }

  /** Afterwards `dirtyBuckets` is right for all that was stored before the call. One call at a time. */
  async look(): Promise<void> {
    await this.#countParts()
    const rolled = await readRolledBuckets(this.#engine)
    const stored = this.#sums()
    const dirty = new Set<number>()
    const changed = new Map<number, number>()
    for (const bucket of new Set([...stored.keys(), ...rolled.keys()])) {
      const { spans = 0, events = 0, until = bucket } = stored.get(bucket) ?? {}
      const made = rolled.get(bucket)
      if (made === undefined ? spans + events === 0 : made.spans === spans && made.events === events) continue
      changed.set(bucket, until)
      for (let near = bucket - bucketSeconds; near <= until + bucketSeconds; near += bucketSeconds) dirty.add(near)
    }
    this.#dirty = dirty
    this.#changed = changed
  }

  async #countParts(): Promise<void> {
    for (let round = 0; round < roundsMax; round++) {
      const listed = await this.#engine.query<[table: Table, name: string]>(
        `SELECT table, name FROM system.parts
         WHERE active AND database = currentDatabase() AND table IN (${tables.map((table) => `'${table}'`).join(', ')})`,
      )
      const known = this.#parts
      const parts = listed.map(([table, name]) => ({ table, name, key: `${table}/${name}` }))
      this.#parts = new Map(parts.flatMap(({ key }) => (known.has(key) ? [[key, known.get(key)!]] : [])))
      const unknown = parts.filter(({ key }) => !known.has(key))
      if (unknown.length === 0) return
      for (const table of tables) {
        await this.#count(
          table,
          unknown.filter((part) => part.table === table).map(({ name }) => name),
        )
      }
      if (parts.every(({ key }) => this.#parts.has(key))) return
    }
  }

  async #count(table: Table, names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const time = table === 'spans' ? 'start_time' : 'time'
    const lasts = table === 'spans' ? `least(intDiv(greatest(duration, 0), ${bucketNs}), ${lastedBucketsMax})` : '0'
    const rows = await this.#engine.query<[part: string, bucket: string, rows: string, lasts: string]>(
      `SELECT _part, ${bucketSql(time)} AS bucket, count(), max(${lasts}) FROM ${table}
       WHERE _part IN {names:Array(String)} GROUP BY _part, bucket`,
      { parameters: { names } },
    )
    for (const [name, own] of Map.groupBy(rows, ([part]) => part)) {
      const buckets = own.map(([, bucket, count, lasted]) => ({
        bucket: Number(bucket),
        rows: Number(count),
        until: Number(bucket) + Number(lasted) * bucketSeconds,
      }))
      this.#parts.set(`${table}/${name}`, buckets)
    }
  }

  #sums(): Map<number, { spans: number; events: number; until: number }> {
    const sums = new Map<number, { spans: number; events: number; until: number }>()
    for (const [key, buckets] of this.#parts) {
      for (const { bucket, rows, until } of buckets) {
        const sum = sums.get(bucket) ?? { spans: 0, events: 0, until: bucket }
        sums.set(bucket, sum)
        if (key.startsWith('spans/')) sum.spans += rows
        else sum.events += rows
        sum.until = Math.max(sum.until, until)
      }
    }
    return sums
  }
}
