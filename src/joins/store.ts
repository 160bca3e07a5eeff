/** The store as the configuration wants it, filled from the log, and what drops its old data. */
import type { Logger } from 'pino'
import type { LargeBodies } from '../codec/thread/large-bodies.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../model/log.ts'
import { startRetention, type Retention } from '../storage/clickhouse/retention.ts'
import { openStore, type Store } from '../storage/clickhouse/store.ts'
import { openDecoder } from './decoder.ts'

export interface StoreParts {
  readonly config: Config
  readonly log: Log
  readonly largeBodies: LargeBodies
  readonly logger: Logger
}

/** It begins to store what is in the log at once. */
export function openStoreOf({ config, log, largeBodies, logger }: StoreParts): Promise<Store> {
  return openStore({
    dataDir: config.data,
    log,
    decode: openDecoder(config.limits.bodyBytes, logger, largeBodies),
    sync: config.durability.sync,
    memoryBytesMax: config.store.memoryBytes,
    queryMemoryBytesMax: config.query.memoryBytes,
    queryTimeoutMs: config.query.timeoutMs,
    readers: config.store.readers,
    queriesWaitingMax: config.query.waiting,
    blockRows: config.writer.blockRows,
    blockWaitMs: config.writer.blockWaitMs,
    rollupIntervalMs: config.rollup.intervalMs,
    batchesBytesMax: config.memory.batchesInFlightBytes,
    // Retention by size drops whole parts, so these must stay small beside the cap.
    ...(config.retention.maxBytes === 0 ? {} : { joinBytesMax: config.retention.maxBytes / 64 }),
    onProblem: (message, error) => logger.warn({ err: error }, message),
    onStep: (message) => logger.info(message),
  })
}

/** Until it is stopped it drops what is older than the configuration allows, and the oldest when the store is too large. */
export function startRetentionOf({ retention }: Config, store: Store, logger: Logger): Promise<Retention> {
  return startRetention({
    engine: store.engine,
    lease: store.lease,
    spansMs: retention.spansMs,
    eventsMs: retention.eventsMs,
    maxBytes: retention.maxBytes,
    now: Date.now,
    onDropped: () => {
      store.summaries.forget()
      return store.rollups.checkStored()
    },
    onProblem: (message, error) => logger.warn({ err: error }, message),
  })
}
