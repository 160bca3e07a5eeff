/** Every receiver, one row each: its name, the option for its port, and the function that starts it. */
import type { Logger } from 'pino'
import { UnavailableError } from '../base/errors.ts'
import { withPortOption } from '../base/listen.ts'
import type { Config } from '../config/config.ts'
import type { Intake, IntakeOptions } from './intake.ts'
import { startOtlpGrpc } from './otlp/otlp-grpc.ts'
import { startOtlpHttp } from './otlp/otlp-http.ts'
import type { Accepts, Listener, ReceiverLimits } from './receiver.ts'
import type { ReceiverRow } from './receiver-row.ts'
import { spanReceivers } from './span-receivers.ts'
import { streamReceivers } from './stream-receivers.ts'

const table: readonly ReceiverRow[] = [
  {
    name: 'otlp-grpc',
    accepts: 'otlp-grpc',
    port: (config) => config.otlp.grpc.port,
    flag: '--otlp-grpc-port',
    start: (context, config) => startOtlpGrpc(context, config.otlp.http.port),
  },
  {
    name: 'otlp-http',
    accepts: 'otlp-http',
    port: (config) => config.otlp.http.port,
    flag: '--otlp-http-port',
    start: (context, config) => startOtlpHttp(context, config.otlp.grpc.port),
  },
  ...spanReceivers,
  ...streamReceivers,
]

export interface ReceiverListener extends Listener {
  readonly accepts: Accepts
}

export interface Receivers {
  readonly listeners: readonly ReceiverListener[]
  close(): Promise<void>
}

/** For each listener that accepts requests. */
export function requestLimits({ limits }: Config): ReceiverLimits {
  const { connections, requestTimeoutMs } = limits
  return { connectionsMax: connections, requestTimeoutMs, idleTimeoutMs: requestTimeoutMs * 2 }
}

/** Of the intake, which all receivers and observers share. */
export function intakeLimits({ limits }: Config): Pick<IntakeOptions, 'bodyBytesMax' | 'concurrentMax'> {
  return { bodyBytesMax: limits.bodyBytes, concurrentMax: limits.concurrentRequests }
}

/** Starts all; when one cannot start, those before it are stopped again. */
export async function startReceivers(options: { config: Config; intake: Intake; logger: Logger }): Promise<Receivers> {
  const { config, intake, logger } = options
  const listeners: ReceiverListener[] = []
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()))
  }
  const limits = requestLimits(config)
  for (const row of table) {
    if (row.enabled?.(config) === false) continue
    try {
      const listener = await row.start(
        {
          intake,
          logger,
          host: config.host,
          port: row.port(config),
          limits,
          corsOrigins: config.cors.origins,
          allowedHosts: config.allowedHosts,
        },
        config,
      )
      listeners.push({ ...listener, accepts: row.accepts })
    } catch (error) {
      await close()
      throw error instanceof UnavailableError ? withPortOption(error, row.flag) : error
    }
  }
  return { listeners, close }
}
