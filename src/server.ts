/**
 * The whole of clew: stages built in order, stopped in reverse. Capture feeds the log, the writer reads
 * the log into the store, the API answers from the store.
 */
import path from 'node:path'
import type { Logger } from 'pino'
import { bufferPool } from './base/buffer-pool.ts'
import { startHttpServer, type HttpServer } from './api/http-server.ts'
import { catalogHandlers } from './api/native/catalog-handlers.ts'
import { eventHandlers } from './api/native/event-handlers.ts'
import { traceHandlers } from './api/native/trace-handlers.ts'
import { IntakeCounters } from './capture/counters.ts'
import { FarTimes } from './capture/far-times.ts'
import { Intake } from './capture/intake.ts'
import { startObservers } from './capture/observers.ts'
import { startReceivers } from './capture/receivers.ts'
import { openDecoder } from './decoder.ts'
import { joinSinks, openFreshTraces } from './fresh.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { watchQuiet } from './quiet.ts'
import { readerOf } from './reading.ts'
import { createStatus, type Status } from './status.ts'
import { lockFolder } from './storage/folder-lock.ts'
import { startRetention, type Retention } from './storage/clickhouse/retention.ts'
import type { FreshTraces } from './storage/fresh-traces.ts'
import { openStore, type Store } from './storage/clickhouse/store.ts'
import type { Log } from './model/log.ts'
import { openLocalLog } from './transport/local/local-log.ts'
import { clewVersion } from './base/version.ts'
import type { Config } from './config.ts'
import { exposureWarning } from './config-check.ts'

export interface Server {
  /** Refuses new requests, stores what is in the log, closes. */
  close(): Promise<void>
  readonly ports: Record<string, number>
  readonly url: string
}

/** Of the time an orderly stop may take, after which what is still in the log is left to the next start. */
const storeShareOfStop = 0.6

export async function serve(config: Config): Promise<Server> {
  const logger = createLogger(config)
  const startedAtMs = Date.now()
  const stops: (() => Promise<void> | void)[] = []
  let ready = false
  let storeUntilMs = Infinity
  const close = async (): Promise<void> => {
    ready = false
    storeUntilMs = Date.now() + config.shutdown.timeoutMs * storeShareOfStop
    // A stage that cannot be closed must not keep the others open, the lock among them.
    const failures: unknown[] = []
    for (const stop of stops.splice(0).reverse()) {
      await Promise.resolve()
        .then(stop)
        .catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
    logger.info('stopped')
  }
  const opened = <Stage extends { close(): Promise<void> }>(stage: Stage): Stage => {
    stops.push(() => stage.close())
    return stage
  }
  try {
    const lock = lockFolder(config.data)
    stops.push(() => lock.release())
    const log = opened(await openLog(config, logger))
    const counters = new IntakeCounters()
    const farTimes = new FarTimes(config.retention)
    const store = await openStoreOf(config, log, logger)
    stops.push(() => store.close(storeUntilMs))
    const retention = await startRetentionOf(config, store, logger)
    stops.push(() => retention.stop())
    const fresh = openFreshTraces({ log, store, logger, spansMax: config.fresh.spans })
    const sink = joinSinks([store.writer], fresh)
    const intake = opened(new Intake({ log, sink, counters, farTimes, ...intakeLimits(config) }))
    const receivers = opened(await startReceivers({ config, intake, logger }))
    const { tailFigures } = opened(await startObservers({ config, intake, log, logger }))
    const version = clewVersion()
    const status = createStatus({
      config,
      version,
      startedAtMs,
      log,
      store,
      counters,
      farTimes,
      isReady: () => ready,
      receivers,
      tailFigures,
    })
    const metrics = createMetrics({ ...store, counters, log, fresh, tailFigures })
    const api = opened(await startApi({ config, logger, version, store, fresh, status, metrics, isReady: () => ready }))
    status.listening({ name: 'ui', protocol: 'tcp', address: api.address, port: api.port })
    const quiet = watchQuiet({
      progress: () => store.writer.blocks,
      release: (quietMs) => release(store, fresh, quietMs),
      onProblem: (message, error) => logger.warn({ err: error }, message),
    })
    stops.push(() => quiet.stop())
    ready = true
    const ports = { ui: api.port, ...Object.fromEntries(receivers.listeners.map(({ name, port }) => [name, port])) }
    const url = `http://${config.host}:${api.port}`
    // What listens is in the banner that the command prints.
    logger.info({ data: config.data }, `clew is ready: ${url}`)
    warnOfExposure(config, logger)
    return { close, ports, url }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

function warnOfExposure(config: Config, logger: Logger): void {
  const exposure = exposureWarning(config)
  if (exposure !== undefined) logger.warn(exposure)
}

function openLog(config: Config, logger: Logger): Promise<Log> {
  return openLocalLog({
    dir: path.join(config.data, 'log'),
    sync: config.durability.sync,
    maxBytes: config.log.maxBytes,
    heldBy: config.log.heldBy,
    segmentBytes: config.log.segmentBytes,
    retryWindowMs: config.log.retryWindowMs,
    minFreeBytes: config.disk.minFreeBytes,
    onProblem: (problem) => logger.error({ problem }, problem.message),
  })
}

function openStoreOf(config: Config, log: Log, logger: Logger): Promise<Store> {
  return openStore({
    dataDir: config.data,
    log,
    decode: openDecoder(config.limits.bodyBytes, logger),
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

function startRetentionOf({ retention }: Config, store: Store, logger: Logger): Promise<Retention> {
  return startRetention({
    engine: store.engine,
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

/** A trace is fresh for five minutes; an idle log is not trimmed, so time has to tell. */
const freshMs = 5 * 60_000

async function release(store: Store, fresh: FreshTraces | undefined, quietMs: number): Promise<void> {
  if (quietMs >= freshMs) fresh?.forget()
  else fresh?.release()
  bufferPool.release()
  await store.release()
}

function intakeLimits(config: Config): { bodyBytesMax: number; concurrentMax: number } {
  return { bodyBytesMax: config.limits.bodyBytes, concurrentMax: config.limits.concurrentRequests }
}

interface ApiParts {
  readonly config: Config
  readonly logger: Logger
  readonly version: string
  readonly store: Store
  readonly fresh: FreshTraces | undefined
  readonly status: Status
  readonly metrics: () => Promise<string>
  readonly isReady: () => boolean
}

/** Spans of one trace that the API gives at most: what a loop without end may cost. */
const traceSpansMax = 1_000_000

function startApi(parts: ApiParts): Promise<HttpServer> {
  const { config, logger, version, store, fresh, status, metrics, isReady } = parts
  return startHttpServer({
    host: config.host,
    port: config.ui.port,
    limits: { requestTimeoutMs: config.limits.requestTimeoutMs, connectionsMax: config.limits.connections },
    allowedHosts: config.allowedHosts,
    allowedOrigins: config.cors.origins,
    version,
    uiDir: path.join(import.meta.dirname, '../web/dist'),
    handlers: { ...traceHandlers, ...eventHandlers, ...catalogHandlers, status: (context) => context.status() },
    onBug: (error) => logger.error({ err: error }, 'cannot answer a request'),
    context: {
      reader: readerOf(store, fresh, config.query.timeoutMs),
      status: () => status.answer(),
      metrics,
      problems: () => status.problems(),
      isReady,
      traceSpansMax,
    },
  })
}
