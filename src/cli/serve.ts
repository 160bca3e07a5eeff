import { Command } from 'commander'
import { messageOf, UnavailableError } from '../base/errors.ts'
import type { Config } from '../config/config.ts'
import { addConfigFlags, loadConfigOf, withPlace } from './option-flags.ts'
import { write } from './terminal/output.ts'

/** A running clew. */
export interface RunningServer {
  /** Rejects new requests, flushes, closes. */
  close(): Promise<void>
  /** Listeners and their ports. */
  readonly ports: Readonly<Record<string, number>>
  /** Address of the web UI and the API. */
  readonly url: string
}

export type StartServer = (config: Config) => Promise<RunningServer>

export function serveCommand(startServer: StartServer): Command {
  return addConfigFlags(new Command('serve').description('Run clew: receive, store, answer, show.'))
    .addHelpText(
      'after',
      `
Each option is also an environment variable (CLEW_OTLP_HTTP_PORT for --otlp-http-port) and a key of the configuration
file (otlp.http.port). \`clew config\` prints what is in force.

Examples:
  clew serve
  clew serve --data ./traces --ui-port 8080
  clew serve --retention-spans 3d --retention-max-bytes 20GiB

SIGTERM and SIGINT stop it in order; a second one at once.`,
    )
    .action(async (_options, command: Command) => {
      const { config, origins } = loadConfigOf(command)
      await runServe(config, (given) =>
        startServer(given).catch((error: unknown) => Promise.reject(withPlace(error, origins))),
      )
    })
}

/** Resolves after an orderly stop. */
async function runServe(config: Config, startServer: StartServer): Promise<void> {
  // Installed before anything else, so that a signal during the start is not lost.
  const { stopAsked, stopListening } = stopSignals()
  try {
    const starting = startServer(config)
    const server = await starting.catch((error: unknown) => Promise.reject(startError(error)))
    await write(banner(server))
    await stopAsked
    await closeInTime(server, config.shutdown.timeoutMs)
  } finally {
    stopListening()
  }
}

function banner({ url, ports }: RunningServer): string {
  const listeners = Object.entries(ports).map(([name, port]) => `  ${name}: ${port}\n`)
  return `clew is ready: ${url}\n${listeners.join('')}`
}

function stopSignals(): { stopAsked: Promise<void>; stopListening: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    asked += 1
    // A shell reports 128 + the number of the signal for a process that a signal ended.
    if (asked > 1) process.exit(signal === 'SIGINT' ? 130 : 143)
    process.stderr.write(`clew stops (${signal}); once more to stop at once\n`)
    resolve()
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  return { stopAsked: promise, stopListening: () => process.off('SIGTERM', onSignal).off('SIGINT', onSignal) }
}

/** After the close, the process exits on its own once nothing is open; this is how long it may take. */
const endAfterCloseMs = 1000

/** Acknowledged data is in the log, so giving up on a slow close loses nothing: the next start reads it back. */
async function closeInTime(server: RunningServer, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => {
    process.stderr.write(
      `cannot stop clew within ${timeoutMs} ms: ends now, the next start reads the rest from the log\n`,
    )
    process.exit(1)
  }, timeoutMs)
  try {
    await server.close()
  } finally {
    clearTimeout(timer)
  }
  const guard = setTimeout(() => {
    process.stderr.write('clew has stopped, but something in it is still open: ends now\n')
    process.exit(0)
  }, endAfterCloseMs)
  guard.unref() // does not keep the process running
}

/** Errors written for people are kept; an error of the system gets a text that says what failed. */
function startError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  const isSystemError = error instanceof Error && 'syscall' in error && typeof code === 'string'
  return isSystemError
    ? new UnavailableError('io_failed', `cannot start clew: ${messageOf(error)}`, { cause: error })
    : error
}
