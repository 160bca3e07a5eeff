/** The command line: its commands, and the only place that turns thrown errors into a message and an exit code. */
import { Command, CommanderError } from 'commander'
import { InputError, UnavailableError } from '../base/errors.ts'
import { configCommand, type CheckConfig } from './config.ts'
import { doctorCommand } from './doctor.ts'
import { eventsCommand } from './events.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { nodesCommand } from './nodes.ts'
import { ignoreClosedPipe } from './terminal/output.ts'
import { serveCommand } from './serve.ts'
import type { StartServer } from './serve.ts'
import { servicesCommand } from './services.ts'
import { traceCommand } from './trace.ts'
import { tracesCommand } from './traces.ts'
import { clewVersion } from '../base/version.ts'

const exitDone = 0
const exitFailed = 1
const exitWrongUsage = 2

/** Runs `argv` (as in `process.argv`) and returns the exit code. Results go to stdout, the rest to stderr. */
export async function runProgram(
  argv: readonly string[],
  startServer: StartServer,
  checkConfig: CheckConfig,
): Promise<number> {
  ignoreClosedPipe()
  const program = buildProgram(startServer, checkConfig)
  if (argv.length <= 2) {
    program.outputHelp()
    return exitDone
  }
  try {
    await program.parseAsync(argv)
    return Number(process.exitCode ?? exitDone)
  } catch (error) {
    return exitCodeOf(error)
  }
}

function buildProgram(startServer: StartServer, checkConfig: CheckConfig): Command {
  const program = new Command('clew')
    .description('Distributed tracing in one program: OTLP in, traces found and drawn.')
    .version(clewVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print help of a command')
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      `
Start:
  clew serve                       receive on 4317 and 4318, show http://127.0.0.1:7070
  clew traces --since 15m          what came in
  clew trace 4bf92f3577b34da6a3ce929d0e0e4736

Exit codes: 0 done, 1 failed, 2 wrong usage. Results are printed on stdout, all else on stderr.`,
    )
  const commands = [
    serveCommand(startServer),
    tracesCommand(),
    traceCommand(),
    eventsCommand(),
    servicesCommand(),
    nodesCommand(),
    importCommand(),
    exportCommand(),
    doctorCommand(),
    configCommand(checkConfig),
  ]
  for (const command of commands) program.addCommand(command)
  for (const command of [program, ...commands]) prepare(command)
  return program
}

/** Without this, commander exits on its own, with 1 for wrong usage. */
function prepare(command: Command): void {
  command.exitOverride().helpOption('-h, --help', 'print help')
  command.configureOutput({
    outputError: (text, write) =>
      write(text.replace(/^error: /, `cannot run clew ${command.name()}: `.replace('clew clew', 'clew'))),
  })
  command.showHelpAfterError(`(see \`clew ${command.name() === 'clew' ? '' : command.name() + ' '}--help\`)`)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitDone : exitWrongUsage // already printed
  if (error instanceof InputError) {
    process.stderr.write(`${error.message}\n`)
    return ['bad_usage', 'bad_config', 'bad_request'].includes(error.code) ? exitWrongUsage : exitFailed
  }
  if (error instanceof UnavailableError) process.stderr.write(`${error.message}\n`)
  else
    process.stderr.write(
      `clew has met a bug in itself; please report this:\n${error instanceof Error ? error.stack : String(error)}\n`,
    )
  return exitFailed
}
