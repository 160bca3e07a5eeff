/**
 * Joins the parts of a partition once nothing has come for a while. The engine stops merging when a handful of parts is
 * left, which is right while data arrives; but a search pays for each part, and five cost it half as much again as one
 * (docs/performance.md). A large part is written again only together with at least a fifth of its size of others, so
 * however the data trickles in, a row is rewritten a bounded number of times.
 */
import type { Engine } from './engine.ts'

export interface TidyOptions {
  readonly engine: Engine
  /** A number that grows while there is work. */
  readonly progress: () => number
  readonly onProblem: (message: string, error: unknown) => void
  readonly quietMs?: number
  /** Larger partitions are merged by the engine alone; default 512 MiB, as a rewrite takes a core for a while. */
  readonly partitionBytesMax?: number
}

export interface Tidy {
  /** Joins what is worth it now; returns how many partitions. Runs by itself; tests call it. */
  run(): Promise<number>
  stop(): Promise<void>
}

/** Below this a rewrite costs next to nothing: always worth it. */
const smallBytes = 16 * 2 ** 20
/** Joins of what stays apart, in one quiet time. */
const triesMax = 10
const tables = ['traces', 'spans', 'events']

export function startTidy(options: TidyOptions): Tidy {
  const quietMs = options.quietMs ?? 20_000
  const bytesMax = options.partitionBytesMax ?? 512 * 2 ** 20
  let seen = options.progress()
  let isDone = false
  let tries = 0
  let stopping = false
  let work: Promise<unknown> = Promise.resolve()
  const run = (): Promise<number> => {
    const running = joinParts(options.engine, bytesMax, () => stopping || options.progress() !== seen)
    work = running.catch((error: unknown) => options.onProblem('cannot join the parts of the store', error))
    return running
  }
  // Done is what leaves nothing to join: parts that the engine itself was merging it leaves as they are, without a word.
  const runUntilDone = async (): Promise<void> => {
    isDone = true
    tries++
    if ((await run()) > 0 && tries < triesMax) isDone = false
  }
  const timer = setInterval(() => {
    const now = options.progress()
    const wasQuiet = now === seen
    seen = now
    if (!wasQuiet) [isDone, tries] = [false, 0]
    else if (!isDone) runUntilDone().catch(() => {})
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

async function joinParts(engine: Engine, bytesMax: number, isBusy: () => boolean): Promise<number> {
  const rows = await engine.query<[table: string, partition: string]>(
    `SELECT table, partition_id FROM system.parts
     WHERE active AND database = currentDatabase() AND table IN (${tables.map((table) => `'${table}'`).join(', ')})
     GROUP BY table, partition_id
     HAVING count() > 1 AND sum(bytes_on_disk) <= ${bytesMax}
       AND (sum(rows) - max(rows) >= max(rows) / 5 OR sum(bytes_on_disk) <= ${smallBytes})
     ORDER BY sum(bytes_on_disk)`,
  )
  let joined = 0
  for (const [table, partition] of rows) {
    if (isBusy()) break
    if (!tables.includes(table) || !/^\w+$/.test(partition)) continue
    await engine.execute(`OPTIMIZE TABLE ${table} PARTITION ID '${partition}' FINAL`)
    joined++
  }
  return joined
}
