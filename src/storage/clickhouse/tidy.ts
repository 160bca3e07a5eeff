/**
 * Joins the parts of a small partition once nothing has come for a while. The engine stops merging when a handful of parts
 * is left, which is right while data arrives; but a search pays for each part, and five cost it half as much again as one
 * (docs/performance.md). Of a large partition only the engine joins parts: to write a million spans again takes a sixth of
 * the CPU that taking them in did, and saves a search 2 to 6 ms.
 */
import type { Lease } from '../../model/lease.ts'
import type { Engine } from './engine.ts'

export interface TidyOptions {
  readonly engine: Engine
  /** Nothing is joined once it is lost. Without one, no other process uses the store. */
  readonly lease?: Lease
  /** A number that grows while there is work. */
  readonly progress: () => number
  readonly onProblem: (message: string, error: unknown) => void
  readonly quietMs?: number
  /** Larger partitions are merged by the engine alone; never more than 16 MiB. */
  readonly partitionBytesMax?: number
}

export interface Tidy {
  /** Joins what is worth it now; returns how many partitions. Runs by itself; tests call it. */
  run(): Promise<number>
  stop(): Promise<void>
}

/** Joins of what stays apart, in one quiet time. */
const triesMax = 10
/** A rewrite of so much takes half a second. */
const smallBytes = 16 * 2 ** 20
const tables = ['traces', 'spans', 'events']

export function startTidy(options: TidyOptions): Tidy {
  const quietMs = options.quietMs ?? 20_000
  const bytesMax = Math.min(options.partitionBytesMax ?? Infinity, smallBytes)
  let seen = options.progress()
  let triesLeft = triesMax
  let stopping = false
  let work: Promise<unknown> = Promise.resolve()
  const run = (): Promise<number> => {
    const isOver = (): boolean => stopping || options.lease?.isHeld() === false || options.progress() !== seen
    const running = joinParts(options.engine, bytesMax, isOver)
    work = running.catch((error: unknown) => options.onProblem('cannot join the parts of the store', error))
    return running
  }
  // OPTIMIZE silently skips parts that are being merged, so it is done only when nothing was left to join.
  const runUntilDone = async (): Promise<void> => {
    const left = triesLeft - 1
    triesLeft = 0
    if ((await run()) > 0) triesLeft = left
  }
  const timer = setInterval(() => {
    const now = options.progress()
    const wasQuiet = now === seen
    seen = now
    if (!wasQuiet) triesLeft = triesMax
    else if (triesLeft > 0) runUntilDone().catch(() => {})
  }, quietMs)
  timer.unref()
  return {
    run,
    async stop() {
      stopping = true
      clearInterval(timer)
      await work
    },
  }
}

async function joinParts(engine: Engine, bytesMax: number, isOver: () => boolean): Promise<number> {
  const rows = await engine.query<[table: string, partition: string]>(
    `SELECT table, partition_id FROM system.parts
     WHERE active AND database = currentDatabase() AND table IN (${tables.map((table) => `'${table}'`).join(', ')})
     GROUP BY table, partition_id
     HAVING count() > 1 AND sum(bytes_on_disk) <= ${bytesMax}
     ORDER BY sum(bytes_on_disk)`,
  )
  let joined = 0
  for (const [table, partition] of rows) {
    if (isOver()) break
    if (!tables.includes(table) || !/^\w+$/.test(partition)) continue
    await engine.execute(`OPTIMIZE TABLE ${table} PARTITION ID '${partition}' FINAL`)
    joined++
  }
  return joined
}
