/** Log lines on stderr: pretty for a person, JSON for a machine. */
import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from '../config/config.ts'

export function createLogger(config: Config): Logger {
  const forPerson = config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stderr.isTTY)
  const options = { level: config.logLevel, base: undefined }
  if (forPerson) return pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname' }))
  return pino(options, pino.destination({ dest: 2, sync: true }))
}
