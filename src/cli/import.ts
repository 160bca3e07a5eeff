import { Command, InvalidArgumentError, Option } from 'commander'
import { InputError, messageOf, UnavailableError } from '../base/errors.ts'
import { parseDuration } from '../base/duration.ts'
import type { RowWarnings } from '../base/row-warnings.ts'
import { parseSize, printSize } from '../base/size.ts'
import { ask } from './api-client.ts'
import { showCount, showDuration } from './terminal/format.ts'
import { ChunkReader } from './import/chunk-reader.ts'
import { fileBytes, readChunks } from './import/file-bytes.ts'
import { documentBytesMax, readItems } from './import/file-formats.ts'
import { OtlpSender } from './import/sender.ts'
import { write } from './terminal/output.ts'
import { startProgress } from './terminal/progress.ts'
import { parseServerUrl, urlOption } from './server-address.ts'

interface ImportOptions {
  readonly url: string
  readonly otlpUrl?: string
  readonly requestBytes: number
  readonly concurrency: number
  readonly retryFor: number
}

/** At most this many reasons for rejected records are printed; the totals count all. */
const reasonsMax = 10

export function importCommand(): Command {
  return new Command('import')
    .description(
      'Send files of traces and logs to a running clew: OTLP JSON, JSON lines or protobuf; plain, gzip or zstd.',
    )
    .argument('<files...>', 'files; - is standard input')
    .option(
      '--otlp-url <url>',
      'address of an OTLP receiver over HTTP; default: CLEW_OTLP_URL, else what the clew at --url says',
    )
    .addOption(new Option('--request-bytes <size>', 'size of one request').argParser(readSize).default(4 << 20, '4MiB'))
    .option('--concurrency <number>', 'requests at once', readConcurrency, 4)
    .addOption(
      new Option('--retry-for <duration>', 'how long a request is retried')
        .argParser(readDurationMs)
        .default(120_000, '2m'),
    )
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Kinds of files are told by their content. Importing the same spans again within some minutes, cut into the same requests,
stores them once.

Examples:
  clew import traces.json
  clew import collector-*.jsonl.zst --retry-for 10m
  zcat spans.pb.gz | clew import -
  clew import day.jsonl --otlp-url http://collector:4318`,
    )
    .action(runImport)
}

async function runImport(files: string[], options: ImportOptions): Promise<void> {
  const server = parseServerUrl(options.url)
  const sizes = await Promise.all(files.map((file) => fileBytes(file)))
  const reasons = new Map<string, number>()
  const note = (message: string) => reasons.set(message, (reasons.get(message) ?? 0) + 1)
  const sender = new OtlpSender({
    url: await otlpUrlOf(server, options.otlpUrl ?? process.env.CLEW_OTLP_URL),
    requestBytesMax: options.requestBytes,
    concurrentRequests: options.concurrency,
    retryMs: options.retryFor,
    onRefused: note,
  })
  const total = files.includes('-') ? 0 : sizes.reduce((sum, size) => sum + size, 0)
  const progress = startProgress('import', total, printSize)
  const startedAt = Date.now()
  const faults = { count: 0 }
  let read = 0
  const onRead = (bytes: number) => {
    read += bytes
    progress.update(read, `, ${showCount(sender.totals.accepted)} records`)
  }
  try {
    for (const file of files)
      await importFile(file, { sender, onRead, onFault: (message) => ((faults.count += 1), note(message)) })
    await sender.finish()
  } finally {
    progress.stop()
    printReasons(reasons)
  }
  await write(totalsText(files.length, sender, Date.now() - startedAt))
  for (const line of warningLines(sender.totals.warned)) process.stderr.write(`${line}\n`)
  if (sender.totals.rejected > 0 || faults.count > 0) process.exitCode = 1
}

interface FileImport {
  readonly sender: OtlpSender
  readonly onRead: (bytes: number) => void
  readonly onFault: (message: string) => unknown
}

/** A broken file is reported and the others are imported; an unreachable receiver ends the import. */
async function importFile(file: string, { sender, onRead, onFault }: FileImport): Promise<void> {
  try {
    for await (const item of readItems(new ChunkReader(readChunks(file, onRead), documentBytesMax), file)) {
      if ('fault' in item) onFault(item.fault.message)
      else await sender.send(item.element)
    }
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    const isExpected = error instanceof InputError || (error instanceof Error && 'code' in error)
    if (!isExpected) throw error
    onFault(`cannot import ${file}: ${messageOf(error)}`)
  }
}

/** Asks the running clew where it receives OTLP over HTTP. */
async function otlpUrlOf(server: string, given: string | undefined): Promise<string> {
  if (given !== undefined && given !== '') return parseServerUrl(given, '--otlp-url')
  const { listeners } = await ask(server, { path: '/status' })
  const listener = listeners.find(({ accepts }) => accepts === 'otlp-http')
  if (listener === undefined) {
    throw new UnavailableError(
      'io_failed',
      `cannot import: the clew at ${server} takes no OTLP over HTTP; name a receiver with --otlp-url`,
    )
  }
  // A listener on all addresses can be reached at the host of the API, which keeps loopback names as they were given.
  return `http://${new URL(server).hostname}:${listener.port}`
}

function printReasons(reasons: ReadonlyMap<string, number>): void {
  for (const [message, count] of [...reasons].slice(0, reasonsMax)) {
    process.stderr.write(`${message}${count > 1 ? ` (${showCount(count)} times)` : ''}\n`)
  }
  if (reasons.size > reasonsMax) process.stderr.write(`and ${showCount(reasons.size - reasonsMax)} other reasons\n`)
}

function totalsText(files: number, { totals }: OtlpSender, elapsedMs: number): string {
  const { accepted, rejected, requests, retries } = totals
  const from = `from ${showCount(files)} ${files === 1 ? 'file' : 'files'} in ${showDuration(elapsedMs * 1e6)}`
  const retried = retries === 0 ? '' : `, ${showCount(retries)} of them retries`
  return `imported ${showCount(accepted)} records, rejected ${showCount(rejected)}, ${from} (${showCount(requests)} requests${retried})\n`
}

function warningLines({ beforeRetention, ahead, repaired }: RowWarnings): string[] {
  const lines: string[] = []
  if (beforeRetention > 0) {
    lines.push(
      `! ${showCount(beforeRetention)} of them are older than the retention: clew removes them within minutes`,
      '  to do: start clew with a longer --retention-spans and --retention-events (0 for no limit), wait until its retry',
      '  window (--log-retry-window, 5m by default) is over, and import again',
    )
  }
  if (ahead > 0)
    lines.push(`! ${showCount(ahead)} of them have times in the future: a search with a later end shows them`)
  if (repaired > 0) {
    lines.push(`! ${showCount(repaired)} values are not stored as the file has them, mostly text that is not UTF-8`)
  }
  return lines
}

function readSize(text: string): number {
  const bytes = parseSize(text)
  if (bytes === undefined || bytes < 1024)
    throw new InvalidArgumentError('Expected a size of at least 1KiB, such as 4MiB.')
  return bytes
}

function readConcurrency(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 64)
    throw new InvalidArgumentError('Expected a number from 1 to 64.')
  return count
}

function readDurationMs(text: string): number {
  const nanos = parseDuration(text)
  if (nanos === undefined) throw new InvalidArgumentError('Expected a duration such as 30s or 10m.')
  return Number(nanos / 1_000_000n)
}
