/** The command line of the demo. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../src/base/duration.ts'

export interface DemoOptions {
  readonly rate: number
  readonly seed: number
  /** Null: until stopped. */
  readonly durationMs: number | null
  /** Null: a temporary folder, removed at the end. */
  readonly data: string | null
  readonly uiPort: number
  readonly otlpHttpPort: number
  readonly otlpGrpcPort: number
  /** False: JavaScript services only. */
  readonly python: boolean
  /** Only the shop and its load; telemetry goes to `otlpHttpUrl` and `otlpGrpcUrl`. */
  readonly servicesOnly: boolean
  readonly otlpHttpUrl: string
  readonly otlpGrpcUrl: string
}

const rateMax = 500

/** Parses the arguments; on `--help` or wrong usage prints and ends the process (0 or 2). */
export function parseOptions(args: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description('Starts clew, a small shop that sends it traces and logs, and load on the shop.')
    .option('--rate <number>', 'requests per second', number(0.1, rateMax), 10)
    .option('--seed <number>', 'the same seed gives the same requests', number(0, 2 ** 31), 1)
    .option('--duration <time>', 'stop after this time, such as 60s; default: until Ctrl-C', duration)
    .option('--data <folder>', "clew's data folder; default: a temporary one, removed at the end")
    .addOption(port('--ui-port <port>', 'port of the web UI', 7070, 'CLEW_UI_PORT'))
    .addOption(port('--otlp-http-port <port>', 'port of OTLP over HTTP', 4318, 'CLEW_OTLP_HTTP_PORT'))
    .addOption(port('--otlp-grpc-port <port>', 'port of OTLP over gRPC', 4317, 'CLEW_OTLP_GRPC_PORT'))
    .option('--no-python', 'leave out the services in Python')
    .option('--services-only', 'do not start clew: send to --otlp-http-url and --otlp-grpc-url', false)
    .option('--otlp-http-url <url>', 'where the JavaScript services send to; default: the OTLP ports on this machine')
    .option('--otlp-grpc-url <url>', 'where the Python services send to')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse(args, { from: 'user' })
  const given = command.opts()
  return {
    rate: given.rate,
    seed: Math.floor(given.seed),
    durationMs: given.duration ?? null,
    data: given.data ?? null,
    uiPort: given.uiPort,
    otlpHttpPort: given.otlpHttpPort,
    otlpGrpcPort: given.otlpGrpcPort,
    python: given.python,
    servicesOnly: given.servicesOnly,
    otlpHttpUrl: given.otlpHttpUrl ?? `http://127.0.0.1:${given.otlpHttpPort}`,
    otlpGrpcUrl: given.otlpGrpcUrl ?? `http://127.0.0.1:${given.otlpGrpcPort}`,
  }
}

function number(min: number, max: number) {
  return (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`expected a number from ${min} to ${max}.`)
    return value
  }
}

function port(flags: string, help: string, preset: number, variable: string): Option {
  return new Option(flags, help).default(preset).env(variable).argParser(number(1, 65_535))
}

/** Milliseconds. */
function duration(text: string): number {
  const nanos = parseDuration(text)
  if (nanos === undefined) throw new InvalidArgumentError('expected a duration such as 60s or 5m.')
  return Number(nanos / 1_000_000n)
}
