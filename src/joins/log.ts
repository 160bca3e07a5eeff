/** The log as the configuration wants it, in the data folder. */
import path from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Log } from '../model/log.ts'
import { openLocalLog } from '../transport/local/local-log.ts'

export function openLog(config: Config, logger: Logger): Promise<Log> {
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
