/**
 * The whole of clew: stages built in order, stopped in reverse. Capture feeds the log, the store is filled from the log,
 * the API answers from the store. How a stage is made from the configuration and those before it is in joins/.
 */
import { IntakeCounters } from './capture/counters.ts'
import { FarTimes } from './capture/far-times.ts'
import { Intake } from './capture/intake.ts'
import { startObservers } from './capture/observers.ts'
import { intakeLimits, startReceivers } from './capture/receivers.ts'
import { LargeBodies } from './codec/thread/large-bodies.ts'
import type { Config } from './config/config.ts'
import { exposureWarning } from './config/config-check.ts'
import { startApi } from './joins/api.ts'
import { joinSinks, openFreshTraces } from './joins/fresh.ts'
import { releaseWhenIdle } from './joins/idle-memory.ts'
import { openLog } from './joins/log.ts'
import { OpenStages } from './joins/open-stages.ts'
import { openStoreOf, startRetentionOf } from './joins/store.ts'
import { createLogger } from './operation/logger.ts'
import { lockFolder } from './storage/folder-lock.ts'

export interface Server {
  /** Refuses new requests, stores what is in the log, closes. */
  close(): Promise<void>
  readonly ports: Record<string, number>
  readonly url: string
}

/** Share of `shutdown.timeout` in which the store is filled from the log; what is left then waits for the next start. */
const storeShareOfStop = 0.6

export async function serve(config: Config): Promise<Server> {
  const logger = createLogger(config)
  const startedAtMs = Date.now()
  const stages = new OpenStages()
  let ready = false
  const isReady = (): boolean => ready
  let storeUntilMs = Infinity
  const close = async (): Promise<void> => {
    ready = false
    storeUntilMs = Date.now() + config.shutdown.timeoutMs * storeShareOfStop
    await stages.close()
    logger.info('stopped')
  }
  try {
    const lock = lockFolder(config.data)
    stages.onClose(() => lock.release())

    const log = stages.add(await openLog(config, logger))

    const largeBodies = stages.add(new LargeBodies())
    const store = await openStoreOf({ config, log, largeBodies, logger })
    stages.onClose(() => store.close(storeUntilMs))
    const retention = await startRetentionOf(config, store, logger)
    stages.onClose(() => retention.stop())

    const fresh = openFreshTraces({ log, store, logger, spansMax: config.fresh.spans })
    const sink = joinSinks([store.writer], fresh)

    const [counters, farTimes] = [new IntakeCounters(), new FarTimes(config.retention)]
    const limits = intakeLimits(config)
    const intake = stages.add(new Intake({ log, sink, counters, farTimes, largeBodies, ...limits }))

    const receivers = stages.add(await startReceivers({ config, intake, logger }))
    const { tailFigures } = stages.add(await startObservers({ config, intake, log, logger }))

    const received = { counters, farTimes, receivers, tailFigures }
    const api = stages.add(await startApi({ config, logger, startedAtMs, log, store, fresh, ...received, isReady }))

    const idle = releaseWhenIdle({ store, fresh, logger })
    stages.onClose(() => idle.stop())

    ready = true
    const url = `http://${config.host}:${api.port}`
    // What listens is in the banner that the command prints.
    logger.info({ data: config.data }, `clew is ready: ${url}`)
    const exposure = exposureWarning(config)
    if (exposure !== undefined) logger.warn(exposure)
    const ports = Object.fromEntries(receivers.listeners.map(({ name, port }) => [name, port]))
    return { close, ports: { ui: api.port, ...ports }, url }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}
