import { Command } from 'commander'
import type { StatusAnswer } from '../api/native/contract.ts'
import { UnavailableError } from '../base/errors.ts'
import { printSize } from '../base/size.ts'
import type { Config } from '../config/config.ts'
import { ask } from './api-client.ts'
import { localFindings } from './doctor/local-checks.ts'
import type { Finding } from './doctor/local-checks.ts'
import { showCount, showDuration, showTime, zoneName } from './terminal/format.ts'
import { addConfigFlags, loadConfigOf } from './option-flags.ts'
import { write, writeJson, writeLines } from './terminal/output.ts'
import { parseServerUrl } from './server-address.ts'
import { tableLines } from './terminal/table.ts'
import { unseenLines } from './doctor/unseen.ts'
import { clean } from './terminal/terminal-text.ts'

export interface Problem {
  readonly message: string
  readonly remedy: string
}

export function doctorCommand(): Command {
  return addConfigFlags(
    new Command('doctor')
      .description(
        'What listens, what is stored, what is wrong and what to do about it. Exit code 1 when something is wrong.',
      )
      .option('--url <url>', 'address of a running clew; default: CLEW_URL, else host and ui.port of the configuration')
      .option('--json', 'print JSON'),
  )
    .addHelpText(
      'after',
      `
Where no clew answers, it checks what a start needs: Node, data folder, disk space, memory and ports, of the configuration
that the flags of \`clew serve\` give.

Examples:
  clew doctor
  clew doctor --url http://traces.internal:7070
  clew doctor --data /srv/clew --otlp-grpc-port 14317`,
    )
    .action(runDoctor)
}

async function runDoctor(options: { url?: string; json?: true }, command: Command): Promise<void> {
  const { config } = loadConfigOf(command)
  const named = options.url ?? (process.env.CLEW_URL || undefined)
  const server = parseServerUrl(named ?? `http://${hostOf(config)}:${config.ui.port}`)
  const status = await ask(server, { path: '/status' }).catch((error: unknown) => {
    if (error instanceof UnavailableError) return error
    throw error
  })
  const report =
    status instanceof UnavailableError ? await notRunning(status, config, named !== undefined) : running(server, status)
  if (report.problems.length > 0) process.exitCode = 1
  if (options.json) return writeJson(report.json)
  await writeLines(report.lines)
  await write(problemsText(report.problems))
}

/** An address that means "listen everywhere" cannot be called. */
function hostOf({ host }: Config): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

interface Report {
  readonly lines: readonly string[]
  readonly problems: readonly Problem[]
  readonly json: unknown
}

async function notRunning(error: UnavailableError, config: Config, isNamed: boolean): Promise<Report> {
  const unreachable = {
    message: error.message.split(';')[0] ?? '',
    remedy: 'start it with `clew serve`, or name its address with --url',
  }
  // Ports and disks of another machine cannot be checked from here.
  if (isNamed) return { lines: [], problems: [unreachable], json: { running: false, problems: [unreachable] } }
  const findings = await localFindings(config)
  const problems = [unreachable, ...findings.flatMap(problemOf)]
  return { lines: tableLines(findingColumns, findings), problems, json: { running: false, findings, problems } }
}

const findingColumns = [
  { title: 'check', text: (finding: Finding) => finding.check },
  { title: 'found', text: (finding: Finding) => finding.found },
  { title: '', text: (finding: Finding) => (finding.remedy === undefined ? 'ok' : 'wrong !') },
]

function problemOf({ check, found, remedy }: Finding): Problem[] {
  return remedy === undefined ? [] : [{ message: `${check}: ${found}`, remedy }]
}

/** What a person can do about each code in `problems` of the status. */
const remedies: Readonly<Record<string, string>> = {
  log_full: 'the store is slower than what comes in: wait, send less, or raise --log-max-bytes',
  disk_full: 'make room on the disk of the data folder, or lower --retention-max-bytes; ingest then goes on by itself',
  io_failed: 'look at the disk of the data folder and at the log lines of `clew serve`; nothing acknowledged is lost',
  store_unavailable:
    'read the log lines of `clew serve` on its stderr; if it does not recover, restart it: nothing acknowledged is lost',
  store_locked: 'stop the other process that uses the data folder',
  engine_down:
    'wait some seconds; if it does not come up, read the log lines of `clew serve`: nothing acknowledged is lost',
  engine_restarted:
    'nothing acknowledged is lost; if it happens again, read the log lines of `clew serve`, give it more memory or lower --store-memory',
  queries_wait: 'see which queries take long, narrow them, or raise --store-readers',
  queries_hang: 'restart `clew serve`, and report what was asked: a query that was stopped must end',
  records_lost:
    'name the sink in --log-held-by to have clients wait for it, or raise --log-max-bytes; lines on the stderr of `clew serve` tell of damage',
  files_skipped: 'name fewer files in `tail`, or leave out with `exclude` those that nobody reads',
  files_unreadable: 'give the user that runs clew the right to read it, or leave it out with `exclude` in `tail`',
  wrong_port: 'send to the port and with the protocol that the message names; `lastError` in /api/v1/status has it too',
  times_before_retention:
    'look at the clock and the unit (nanoseconds) of what sends them; to keep old data, raise --retention-spans or --retention-events first',
  times_ahead:
    'look at the clock and the unit (nanoseconds) of what sends them; a search with a later `end` shows them',
  quarantine:
    'read reason.txt there; once the cause is gone, send the records again, OTLP with `clew import`, then remove the folder (docs/durability.md)',
}

function running(server: string, status: StatusAnswer): Report {
  const problems = status.problems.map(({ code, message }) => ({
    message: clean(message),
    remedy: remedies[code] ?? 'read the log lines of `clew serve` on its stderr',
  }))
  if (!status.ready && problems.length === 0) {
    problems.push({ message: 'clew is not ready', remedy: 'it may still be starting: try again in some seconds' })
  }
  return { lines: statusLines(server, status), problems, json: { running: true, ...status, problems } }
}

function statusLines(server: string, status: StatusAnswer): string[] {
  const { stored, queries, engine, log, memory } = status
  return [
    `clew ${status.version} at ${server}, up ${showDuration(status.uptimeMs * 1e6)}, data in ${status.dataDir}`,
    '',
    ...tableLines(listenerColumns, status.listeners),
    '',
    ...storedLines(stored),
    ...repeatsLine(status.repeatedSpans),
    engineLine(engine),
    `queries   ${queries.running} of ${queries.sessions} running, ${queries.waiting} waiting`,
    `log       ${printSize(log.diskBytes)} of ${printSize(log.boundBytes)}, ${showCount(log.pendingRecords)} records (${printSize(log.pendingBytes)}) to be stored`,
    `memory    ${printSize(memory.rssBytes)} and the engine's ${printSize(engine.rssBytes)}, batches in flight ${printSize(memory.batchesInFlightBytes)}`,
    ...(status.files === null ? [] : [filesLine(status.files)]),
    ...(status.received.length === 0 ? [] : ['', ...tableLines(receivedColumns, status.received)]),
    ...unseenLines(status),
    '',
  ]
}

function engineLine({ pid, restarts, lastEnd }: StatusAnswer['engine']): string {
  const where = pid === null ? 'down' : `process ${pid}`
  const ends = restarts === 0 ? '' : `, started again ${showCount(restarts)} ${restarts === 1 ? 'time' : 'times'}`
  const last = lastEnd === null ? '' : `, last at ${showTime(lastEnd.at)}: ${clean(lastEnd.why)}`
  return `engine    ${where}${ends}${last}`
}

function storedLines(stored: StatusAnswer['stored']): string[] {
  const span =
    stored.oldest === null
      ? ''
      : `, from ${showTime(stored.oldest)} to ${showTime(stored.newest)} ${zoneName(stored.newest)}`
  return [
    `stored    ${showCount(stored.traces)} traces, ${showCount(stored.spans)} spans, ${showCount(stored.events)} events${span}`,
    `on disk   ${printSize(stored.diskBytes)} in ${showCount(stored.parts)} parts`,
  ]
}

function repeatsLine(spans: number): string[] {
  if (spans === 0) return []
  return [
    `repeats   ${showCount(spans)} ${spans === 1 ? 'span' : 'spans'} came again since the start and were stored once`,
  ]
}

function filesLine(files: NonNullable<StatusAnswer['files']>): string {
  const more = [
    [files.notUtf8, 'pieces with invalid UTF-8'],
    [files.truncations, 'begun again'],
    [files.lost, 'not read to the end'],
    [files.skipped, 'left out'],
    [files.unreadable, 'not readable now'],
  ] as const
  const told = more.filter(([count]) => count > 0).map(([count, what]) => `, ${showCount(count)} ${what}`)
  return `files     ${showCount(files.followed)} followed, ${printSize(files.bytes)} read${told.join('')}`
}

const listenerColumns = [
  { title: 'listens', text: (item: StatusAnswer['listeners'][number]) => item.name },
  { title: 'protocol', text: (item: StatusAnswer['listeners'][number]) => item.protocol },
  { title: 'address', text: (item: StatusAnswer['listeners'][number]) => `${item.address}:${item.port}` },
]

type Received = StatusAnswer['received'][number]
const receivedColumns = [
  { title: 'received', text: (item: Received) => `${item.protocol} ${item.signal}` },
  { title: 'requests', right: true, text: (item: Received) => showCount(item.requests) },
  { title: 'accepted', right: true, text: (item: Received) => showCount(item.accepted) },
  { title: 'rejected', right: true, text: (item: Received) => showCount(item.rejected) },
  { title: 'repaired', right: true, text: (item: Received) => showCount(item.repaired) },
  { title: 'told to retry', right: true, text: (item: Received) => showCount(item.refused) },
  { title: 'unreadable', right: true, text: (item: Received) => showCount(item.failed) },
  { title: 'dropped', right: true, text: (item: Received) => showCount(item.dropped) },
  { title: 'last error', text: (item: Received) => item.lastError ?? '-' },
]

function problemsText(problems: readonly Problem[]): string {
  if (problems.length === 0) return 'nothing is wrong\n'
  const lines = problems.map(({ message, remedy }) => `! ${message}\n  to do: ${remedy}\n`)
  return `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n${lines.join('')}`
}
