/**
 * Keeps the rolled-up figures up to date: rolls a five-minute bucket up a minute after it has closed, when nothing came to
 * it for some seconds, and again after late data. It sleeps until the next bucket is due, so an idle store is left alone.
 */
import type { Lease } from '../../../model/lease.ts'
import type { Engine } from '../engine.ts'
import { generationShift, takeUpkeepLease } from '../lease/lease.ts'
import { answerAfterSeconds, bucketSeconds } from '../../touched-buckets.ts'
import { BucketWatch } from '../read/bucket-watch.ts'
import { countRows, insertFigures, recordBuckets, type BucketRows } from './roll-up.ts'
import { deleteStaleRows, findLeftRows, readNewestGeneration, type StaleRows } from './stale-rows.ts'
import { findStaleBuckets, readRolledBuckets, type RolledBucket } from './stored-buckets.ts'

export interface RollupOptions {
  readonly engine: Engine
  /** Nothing is rolled up once it is lost. Without one, that of the store is taken. */
  readonly lease?: Lease
  /** Least pause between runs. */
  readonly intervalMs: number
  /**
   * Whether other processes store rows too, which nobody tells of by `touch`: then each run looks at the store first. By default,
   * where other processes can use the store.
   */
  readonly othersWrite?: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly onProblem: (message: string, error: unknown) => void
}

export interface Rollups {
  /** Buckets (epoch seconds) that got rows; to be called once the rows can be read. */
  touch(buckets: Iterable<number>): void
  /** Buckets whose rolled-up rows are missing or out of date: readers compute these now. */
  dirtyBuckets(): ReadonlySet<number>
  /** Generation of each bucket that is rolled up. */
  rolledBuckets(): ReadonlyMap<number, bigint>
  /** A number that becomes another one, never seen before, whenever the bucket is touched or rolled up. */
  changeOf(bucket: number): number | bigint
  /** Rolls up what is due; returns how many buckets. Runs by itself; tests call it. */
  runDue(): Promise<number>
  /** Compares with what is stored, after rows were dropped. */
  checkStored(): Promise<void>
  /** Waits for the run under way. */
  stop(): Promise<void>
}

/**
 * What counts for a bucket still comes for this long after it has closed: the answers to its last calls begin later, and
 * exporters send every few seconds.
 */
export const graceMs = answerAfterSeconds * 1000 + 10_000
/** After that a bucket is rolled up when it was quiet for this long, ... */
export const quietMs = 5_000
/** ... or when it waited this long while late data kept coming. */
const waitMaxMs = 60_000
/** Buckets that start further ahead come from wrong clocks and will not close soon: they count as closed. */
const aheadMaxMs = 3_600_000
/** Longer than any query may run on rows of an older generation, for all but the longest timeouts. */
export const staleKeepMs = 300_000

/** How often the store is looked at for rows that others stored. */
const lookPeriodMs = 10_000

const runBucketsMax = 48
const runSpansMax = 2_000_000

/** Resolves when what an earlier process left is known; the writer should start after it. */
export async function startRollups(options: RollupOptions): Promise<Rollups> {
  const { engine, now } = options
  const lease = options.lease ?? (await takeUpkeepLease(options))
  const left = (await findLeftRows(engine)).map((rows) => ({ ...rows, empty: false, sinceMs: now() }))
  // Where no other process reads, nobody reads yet.
  if (engine.abilities.exclusive) await deleteStaleRows(engine, left)
  const rolled = await readRolledBuckets(engine)
  const scheduler = new Scheduler({ ...options, lease }, rolled, await readNewestGeneration(engine))
  if (!engine.abilities.exclusive) scheduler.deleteLater(left)
  scheduler.markStale(await findStaleBuckets(engine, rolled))
  return scheduler
}

interface Touched {
  readonly firstMs: number
  lastMs: number
  /** Number of the last touch, of all buckets. */
  change: number
}

class Scheduler implements Rollups {
  readonly #options: RollupOptions & { readonly lease: Lease }
  readonly #touched = new Map<number, Touched>()
  #running: ReadonlyMap<number, Touched> = new Map()
  /** The valid generation of each bucket that is rolled up. */
  readonly #rolled: Map<number, bigint>
  #stale: StaleRows[] = []
  #generation: bigint
  #changes = 0
  #timer: NodeJS.Timeout | undefined
  #work: Promise<unknown> = Promise.resolve()
  #lastRunMs = 0
  /** `undefined` where every writer calls `touch`. */
  readonly #watch: BucketWatch | undefined
  readonly #stopping = new AbortController()
  /** Aborted when it is to end, for either reason. */
  readonly #ended: AbortSignal

  constructor(
    options: RollupOptions & { readonly lease: Lease },
    rolled: ReadonlyMap<number, RolledBucket>,
    newestGeneration: bigint,
  ) {
    this.#options = options
    this.#rolled = new Map([...rolled].map(([bucket, { generation }]) => [bucket, generation]))
    const { engine, lease, othersWrite = !engine.abilities.exclusive } = options
    this.#watch = othersWrite ? new BucketWatch(engine) : undefined
    const first = BigInt(lease.generation) << BigInt(generationShift)
    this.#generation = newestGeneration > first ? newestGeneration : first
    this.#ended = AbortSignal.any([this.#stopping.signal, lease.lost])
  }

  #isEnded(): boolean {
    return !this.#options.lease.isHeld() || this.#ended.aborted
  }

  deleteLater(rows: readonly StaleRows[]): void {
    this.#stale.push(...rows)
    this.wake()
  }

  touch(buckets: Iterable<number>): void {
    const now = this.#options.now()
    for (const bucket of buckets) {
      this.#mark(bucket)
      if (this.#closedAtMs(bucket, now) + graceMs <= now) this.#markNeighbours(bucket)
    }
    this.wake()
  }

  /** To be rolled up again, as their rows are not those that were. */
  markStale(buckets: readonly number[]): void {
    for (const bucket of buckets) {
      this.#mark(bucket)
      this.#markNeighbours(bucket)
    }
    this.wake()
  }

  #mark(bucket: number): void {
    const now = this.#options.now()
    const known = this.#touched.get(bucket)
    const change = ++this.#changes
    if (known === undefined) this.#touched.set(bucket, { firstMs: now, lastMs: now, change })
    else {
      known.lastMs = now
      known.change = change
    }
  }

  /** A late span may be the parent of a child in the next bucket, or the answer to a call in the one before. */
  #markNeighbours(bucket: number): void {
    for (const near of [bucket - bucketSeconds, bucket + bucketSeconds]) if (this.#rolled.has(near)) this.#mark(near)
  }

  dirtyBuckets(): ReadonlySet<number> {
    return new Set([...this.#touched.keys(), ...this.#running.keys()])
  }

  rolledBuckets(): ReadonlyMap<number, bigint> {
    return this.#rolled
  }

  /** Generations are far above the numbers of touches. */
  changeOf(bucket: number): number | bigint {
    return (this.#touched.get(bucket) ?? this.#running.get(bucket))?.change ?? this.#rolled.get(bucket) ?? 0
  }

  /** Sets the timer for the next thing to do; none when there is nothing. */
  wake(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isEnded() || this.#running.size > 0) return
    const now = this.#options.now()
    let dueMs = Infinity
    for (const [bucket, touched] of this.#touched) dueMs = Math.min(dueMs, this.#dueAtMs(bucket, touched, now))
    if (this.#watch !== undefined) dueMs = Math.min(dueMs, Math.max(this.#lastRunMs, now - lookPeriodMs) + lookPeriodMs)
    if (this.#stale.length > 0) dueMs = Math.min(dueMs, this.#stale[0]!.sinceMs + staleKeepMs)
    if (dueMs === Infinity) return
    const waitMs = Math.max(dueMs, this.#lastRunMs + this.#options.intervalMs) - now
    this.#timer = setTimeout(() => void this.runDue(), Math.min(Math.max(waitMs, 0), 2 ** 31 - 1)).unref()
  }

  #closedAtMs(bucket: number, now: number): number {
    const startMs = bucket * 1000
    return startMs > now + aheadMaxMs ? 0 : startMs + bucketSeconds * 1000
  }

  #dueAtMs(bucket: number, { firstMs, lastMs }: Touched, now: number): number {
    const graceOverMs = this.#closedAtMs(bucket, now) + graceMs
    return Math.max(graceOverMs, Math.min(lastMs + quietMs, Math.max(firstMs, graceOverMs) + waitMaxMs))
  }

  runDue(): Promise<number> {
    const run = this.#work.then(() => this.#run())
    this.#work = run
    return run
  }

  async #run(): Promise<number> {
    let count = 0
    try {
      await this.#find()
      // On only while more is due than one round takes: what became due meanwhile is cheaper together, at the next run.
      for (let due = this.#takeDue(); due.size > 0;) {
        count += due.size
        await this.#rollUp(due)
        due = due.size < runBucketsMax ? new Map<number, Touched>() : this.#takeDue()
      }
      await this.#deleteStale()
    } catch (error) {
      if (this.#isEnded()) return count
      this.#options.onProblem('cannot roll up figures, trying again', error)
    }
    this.#lastRunMs = this.#options.now()
    this.wake()
    return count
  }

  /**
   * Marks what others stored. Of an open bucket nothing is marked, because it is found again when it has closed. So the buckets
   * around it, which it may have changed while it was open, are rolled up again together with it.
   */
  async #find(): Promise<void> {
    if (this.#watch === undefined || this.#isEnded()) return
    await this.#watch.look()
    const now = this.#options.now()
    for (const [bucket, until] of this.#watch.changedBuckets()) {
      // Its quiet time counts from when it was found first.
      if (this.#touched.has(bucket) || this.#closedAtMs(bucket, now) + graceMs > now) continue
      this.#mark(bucket)
      for (let near = bucket - bucketSeconds; near <= until + bucketSeconds; near += bucketSeconds) {
        if (this.#rolled.has(near)) this.#mark(near)
      }
    }
  }

  /** Some of the buckets that are due, oldest first; they stay dirty while they are worked on. */
  #takeDue(): ReadonlyMap<number, Touched> {
    if (this.#isEnded()) return new Map()
    const now = this.#options.now()
    const due = [...this.#touched]
      .filter(([bucket, touched]) => this.#dueAtMs(bucket, touched, now) <= now)
      .sort(([a], [b]) => a - b)
      .slice(0, runBucketsMax)
    for (const [bucket] of due) this.#touched.delete(bucket)
    return (this.#running = new Map(due))
  }

  async #rollUp(due: ReadonlyMap<number, Touched>): Promise<void> {
    const left = new Map(due)
    try {
      // Counted before the figures are made: a row that comes between them makes the bucket stale after a crash.
      const counts = await countRows(this.#options.engine, [...due.keys()])
      for (const group of groupsOf([...due.keys()], counts)) {
        if (this.#isEnded()) return
        await this.#rollUpGroup(group)
        for (const bucket of group.keys()) left.delete(bucket)
      }
    } finally {
      const now = this.#options.now()
      for (const [bucket, { firstMs, change }] of left) {
        const again = this.#touched.get(bucket)
        this.#touched.set(bucket, {
          firstMs: Math.max(firstMs, now - waitMaxMs + quietMs),
          lastMs: again?.lastMs ?? now,
          change: again?.change ?? change,
        })
      }
      this.#running = new Map()
    }
  }

  async #rollUpGroup(group: ReadonlyMap<number, BucketRows>): Promise<void> {
    const rows = new Map(
      [...group].filter(([bucket, { spans, events }]) => spans + events > 0 || this.#rolled.has(bucket)),
    )
    if (rows.size === 0) return
    const sinceMs = this.#options.now()
    const generation = ++this.#generation
    const stale = (bucket: number, old: bigint): StaleRows => ({ bucket, generation: old, empty: false, sinceMs })
    try {
      await insertFigures(this.#options.engine, rows, generation, this.#ended)
      // A generation that is not named never counts.
      if (this.#isEnded()) throw new Error('the rollups end')
    } catch (error) {
      this.#stale.push(...[...rows.keys()].map((bucket) => stale(bucket, generation)))
      throw error
    }
    await recordBuckets(this.#options.engine, rows, { generation, lease: this.#options.lease })
    for (const [bucket, { spans, events }] of rows) {
      const old = this.#rolled.get(bucket)
      if (old !== undefined) this.#stale.push(stale(bucket, old))
      if (spans + events > 0) this.#rolled.set(bucket, generation)
      else {
        this.#rolled.delete(bucket)
        this.#stale.push({ ...stale(bucket, generation), empty: true })
      }
    }
  }

  async #deleteStale(): Promise<void> {
    const old = this.#options.now() - staleKeepMs
    const due = this.#stale.filter(({ sinceMs }) => sinceMs <= old)
    if (due.length === 0 || this.#isEnded()) return
    await deleteStaleRows(this.#options.engine, due)
    this.#stale = this.#stale.filter((rows) => !due.includes(rows))
  }

  async checkStored(): Promise<void> {
    const { engine } = this.#options
    this.markStale(await findStaleBuckets(engine, await readRolledBuckets(engine)))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#work
  }
}

/** Buckets that are rolled up by the same statements. */
function* groupsOf(
  buckets: readonly number[],
  counts: ReadonlyMap<number, BucketRows>,
): Generator<ReadonlyMap<number, BucketRows>> {
  let group = new Map<number, BucketRows>()
  let spans = 0
  for (const bucket of buckets) {
    const rows = counts.get(bucket) ?? { spans: 0, events: 0 }
    if (group.size > 0 && spans + rows.spans > runSpansMax) {
      yield group
      group = new Map()
      spans = 0
    }
    group.set(bucket, rows)
    spans += rows.spans
  }
  if (group.size > 0) yield group
}
