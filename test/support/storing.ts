/**
 * Capture, log and writer on a real store in this process, joined as server.ts joins them, with an engine between whose
 * inserts a test can hold up or refuse.
 */
import { join } from 'node:path'
import { pino } from 'pino'
import { IntakeCounters } from '../../src/capture/counters.ts'
import { Intake } from '../../src/capture/intake.ts'
import { startOtlpHttp } from '../../src/capture/otlp/otlp-http.ts'
import type { Listener } from '../../src/capture/receiver.ts'
import { openDecoder } from '../../src/joins/decoder.ts'
import type { Log } from '../../src/model/log.ts'
import type { DecodeRecord } from '../../src/storage/batch-queue.ts'
import type { Block, Engine } from '../../src/storage/clickhouse/engine.ts'
import { migrate } from '../../src/storage/clickhouse/schema/migrate.ts'
import { KnownKeys } from '../../src/storage/clickhouse/known-keys.ts'
import { Quarantine } from '../../src/storage/quarantine.ts'
import { ClickHouseSink } from '../../src/storage/clickhouse/sink.ts'
import { startConsumer, type Consumer } from '../../src/storage/consumer.ts'
import { openLocalLog } from '../../src/transport/local/local-log.ts'
import type { Ending } from './served.ts'
import { openEngine } from './temporary-store.ts'

export interface StoringOptions {
  readonly dir: string
  readonly logBytesMax?: number
  readonly batchesBytesMax?: number
  readonly blockRows?: number
  readonly blockWaitMs?: number
  /** Called before each insert, which waits for it, fails with what it throws and takes the block it answers instead. */
  readonly beforeInsert: (block: Block) => Promise<Block | void>
  /** The log as the writer sees it. */
  readonly wrapLog?: (log: Log) => Log
  /** How the writer decodes what it reads from the log. */
  readonly wrapDecode?: (decode: DecodeRecord) => DecodeRecord
}

export interface Storing {
  readonly otlpUrl: string
  readonly engine: Engine
  readonly log: Log
  readonly writer: Consumer
  readonly quarantine: Quarantine
  /** Resolves when all in the log is stored. */
  drained(): Promise<void>
  close(): Promise<void>
}

const bodyBytesMax = 4 << 20

/** Closed when the test ends, if not before. */
export async function openStoring(t: Ending, options: StoringOptions): Promise<Storing> {
  const { dir, logBytesMax: maxBytes = 1 << 28, batchesBytesMax = 1 << 24 } = options
  const logger = pino({ level: 'silent' })
  const log = await openLocalLog({
    dir: join(dir, 'log'),
    sync: true,
    maxBytes,
    segmentBytes: 1 << 20,
    minFreeBytes: 0,
  })
  const engine = openEngine(join(dir, 'store'))
  await migrate(engine, { sync: true })
  const keys = new KnownKeys()
  await keys.load(engine)
  const quarantine = new Quarantine(join(dir, 'quarantine'), log)
  const decode = openDecoder(bodyBytesMax, logger)
  const gated = withGate(engine, options.beforeInsert)
  const writer = await startConsumer({
    log: options.wrapLog?.(log) ?? log,
    logId: 'log',
    sink: new ClickHouseSink({ engine: gated, keys, inserting: () => Promise.resolve(() => {}) }),
    decode: options.wrapDecode?.(decode) ?? decode,
    blockRows: options.blockRows ?? 50_000,
    blockWaitMs: options.blockWaitMs ?? 100,
    batchesBytesMax,
    onProblem: () => {},
    quarantine: (partition, from, end, reason) => quarantine.keep(partition, from, end, reason),
  })
  const intake = new Intake({
    log,
    sink: writer,
    counters: new IntakeCounters(),
    bodyBytesMax,
    concurrentMax: 512,
  })
  const limits = { connectionsMax: 100, requestTimeoutMs: 10_000, idleTimeoutMs: 10_000 }
  const receiver: Listener = await startOtlpHttp({ intake, logger, host: '127.0.0.1', port: 0, limits })
  const close = async (): Promise<void> => {
    await receiver.close()
    await intake.close()
    await writer.stop()
    await engine.close()
    await log.close()
  }
  let closing: Promise<void> | undefined
  const closeOnce = (): Promise<void> => (closing ??= close())
  t.after(closeOnce)
  return {
    otlpUrl: `http://127.0.0.1:${receiver.port}`,
    engine,
    log,
    writer,
    quarantine,
    async drained() {
      while (log.stats().pendingRecords > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    close: closeOnce,
  }
}

function withGate(engine: Engine, beforeInsert: StoringOptions['beforeInsert']): Engine {
  return {
    async insert(block) {
      const instead = await beforeInsert(block)
      await engine.insert(instead ?? block)
    },
    query: (sql, options) => engine.query(sql, options),
    queryBlocks: (sql, options) => engine.queryBlocks(sql, options),
    stream: (sql, options) => engine.stream(sql, options),
    execute: (sql, options) => engine.execute(sql, options),
    abilities: engine.abilities,
    releaseMemory: () => engine.releaseMemory(),
    state: () => engine.state(),
    close: () => engine.close(),
  }
}
