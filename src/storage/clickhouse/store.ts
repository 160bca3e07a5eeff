/** The embedded store as a whole: engine, schema, the consumer that fills it, and its upkeep, opened and closed in order. */
import fs from 'node:fs'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { Lease } from '../../model/lease.ts'
import type { Log } from '../../model/log.ts'
import type { Reader } from '../../model/reader.ts'
import type { DecodeRecord } from '../batch-queue.ts'
import { startConsumer, type Consumer } from '../consumer.ts'
import { Quarantine } from '../quarantine.ts'
import { tellDamagedParts, type DamagedPart } from './damaged-parts.ts'
import type { Engine } from './engine.ts'
import { openChildEngine } from './engine/child-engine.ts'
import { KnownKeys } from './known-keys.ts'
import { takeUpkeepLease } from './lease/lease.ts'
import { TraceSummaries } from './read/trace-summaries.ts'
import { ClickHouseReader } from './reader.ts'
import { startRollups, type Rollups } from './rollup/scheduler.ts'
import { migrate } from './schema/migrate.ts'
import { ClickHouseSink } from './sink.ts'
import { startTidy } from './tidy.ts'

export interface StoreOptions {
  /** The data folder; the store's own files are in `store/` below it. */
  readonly dataDir: string
  readonly log: Log
  readonly decode: DecodeRecord
  readonly sync: boolean
  readonly memoryBytesMax: number
  readonly queryMemoryBytesMax: number
  readonly queryTimeoutMs: number
  readonly readers: number
  readonly queriesWaitingMax: number
  readonly blockRows: number
  readonly blockWaitMs: number
  readonly batchesBytesMax: number
  /** Partitions up to this size are joined to one part when nothing comes, but never those over 16 MiB. */
  readonly joinBytesMax?: number
  /** Least pause between runs of the rollups. */
  readonly rollupIntervalMs: number
  readonly onProblem: (message: string, error: unknown) => void
  readonly onStep?: (message: string) => void
}

export interface Store {
  readonly engine: Engine
  /** What rollups, tidying and retention run under. */
  readonly lease: Lease
  readonly keys: KnownKeys
  /** The log's consumer that fills the store. */
  readonly writer: Consumer
  /** Spans that came since the start and were stored already. */
  readonly repeatedSpans: () => number
  readonly rollups: Rollups
  readonly quarantine: Quarantine
  readonly summaries: TraceSummaries
  readonly reader: Reader
  /** Whether neither it nor the log had a span when it was opened. */
  readonly startedEmpty: boolean
  /** What could not be read when it was opened. */
  readonly damagedParts: readonly DamagedPart[]
  /** Gives back memory that is not in use, once nothing comes. */
  release(): Promise<void>
  /** Stores what is in the log, but no longer than until `untilMs` (a time); the rest waits there for the next start. */
  close(untilMs?: number): Promise<void>
}

export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, log, rollupIntervalMs: intervalMs, onProblem } = options
  const engine = await openChildEngine({ ...options, dir: path.join(dataDir, 'store') })
  let rollups: Rollups | undefined
  try {
    await migrate(engine, {
      sync: options.sync,
      onStep: ({ version, what }) => options.onStep?.(`migrating the store to schema version ${version}: ${what}`),
    })
    const damagedParts = await tellDamagedParts(engine, options.onProblem)
    const keys = new KnownKeys()
    await keys.load(engine)
    const startedEmpty = keys.spans === 0 && log.stats().pendingRecords === 0
    const summaries = new TraceSummaries(engine)
    const quarantine = new Quarantine(path.join(dataDir, 'quarantine'), log)
    // Before the writer, so that nothing is stored that the rollups are not told of.
    const lease = await takeUpkeepLease({ engine, onProblem })
    const started = (rollups = await startRollups({ engine, lease, intervalMs, now: Date.now, onProblem }))
    const sink = new ClickHouseSink({
      engine,
      keys,
      inserting({ buckets, holds }) {
        const settled = summaries.inserting(holds)
        return Promise.resolve(() => {
          settled()
          started.touch(buckets)
        })
      },
    })
    const writer = await startConsumer({
      ...options,
      sink,
      logId: readLogId(path.join(dataDir, 'log')),
      quarantine: (partition, from, end, reason) => quarantine.keep(partition, from, end, reason),
    })
    const progress = (): number => writer.blocks
    const tidy = startTidy({ engine, lease, progress, onProblem, partitionBytesMax: options.joinBytesMax })
    return {
      engine,
      lease,
      keys,
      writer,
      repeatedSpans: () => sink.repeatedSpans,
      rollups: started,
      quarantine,
      summaries,
      reader: new ClickHouseReader({ engine, kept: { rollups: started, keys, summaries } }),
      startedEmpty,
      damagedParts,
      async release() {
        writer.release()
        sink.release()
        await engine.releaseMemory()
      },
      async close(untilMs) {
        try {
          await tidy.stop()
          await writer.stop(untilMs)
          await started.stop()
          await lease.release()
        } finally {
          await engine.close()
        }
      },
    }
  } catch (error) {
    await rollups?.stop()
    await engine.close()
    throw error
  }
}

/** It is in the log's folder, so that a log that was removed is not taken for the old one. */
function readLogId(logDir: string): string {
  const file = path.join(logDir, 'id')
  if (fs.existsSync(file)) {
    const id = fs.readFileSync(file, 'utf8').trim()
    if (/^[0-9a-f-]{36}$/.test(id)) return id
  }
  const id = randomUUID()
  fs.writeFileSync(file, id + '\n', { flush: true })
  return id
}
