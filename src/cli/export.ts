import { Command, Option } from 'commander'
import { InputError } from '../base/errors.ts'
import { printSize } from '../base/size.ts'
import { ask, askPieces, askText } from './api-client.ts'
import { openOutput, type ExportOutput } from './export/output.ts'
import { countRows, wholeLines } from './export/whole-lines.ts'
import { addSpanFilterOptions, queryOfFilter, readCount, type SpanFilter } from './search-options.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { showCount, showDuration } from './terminal/format.ts'
import { startProgress } from './terminal/progress.ts'

interface ExportOptions extends SpanFilter {
  readonly url: string
  readonly trace?: readonly string[]
  readonly output?: string
  readonly gzip?: true
  readonly only?: 'spans' | 'logs'
  readonly limit?: number
}

export function exportCommand(): Command {
  return (
    addSpanFilterOptions(
      new Command('export')
        .description(
          'Write all spans and log records, or those of matching traces, as lines of OTLP JSON. `clew import` and OTLP receivers read it back.',
        )
        .option('--trace <id>', 'this trace only; repeatable', (id: string, before?: readonly string[]) => [
          ...(before ?? []),
          id,
        ]),
    )
      .option('--limit <number>', 'maximum number of traces; default: all that match', readCount)
      .addOption(new Option('--only <signal>', 'leave the other signal out').choices(['spans', 'logs']))
      // Earlier versions left out log records unless this was given.
      .addOption(new Option('--logs').hideHelp())
      .option('-o, --output <file>', 'write to this file instead of stdout; NAME.gz and NAME.zst are compressed')
      .option('--gzip', 'compress, whatever the name')
      .addOption(urlOption())
      .addHelpText(
        'after',
        `
Without a filter, everything that is stored. --since, --start and --end take the spans and log records of that time; with any
other filter it is whole traces, newest first, and the log records that name them.

Examples:
  clew export --output all.jsonl.zst
  clew export --start 2026-11-23T00:00Z --end 2026-11-24T00:00Z --output day.jsonl.gz
  clew export --since 1h --status error --output errors.jsonl
  clew export --trace 4bf92f3577b34da6a3ce929d0e0e4736`,
      )
      .action(runExport)
  )
}

async function runExport(options: ExportOptions): Promise<void> {
  const server = parseServerUrl(options.url)
  const filtered = Object.values({ ...queryOfFilter(options), limit: options.limit }).some(isGiven)
  if (options.trace !== undefined && filtered) {
    throw new InputError('bad_usage', 'cannot use --trace together with a filter or --limit: it names the traces')
  }
  const stop = new AbortController()
  const lines =
    options.trace === undefined ? matching(server, options, stop.signal) : named(server, options.trace, options)
  // The first line is read before the file is made, so that a rejected request leaves no file behind.
  const first = await lines.next()
  const total = filtered || options.trace !== undefined ? 0 : await storedRows(server, options.only)
  const output = await openOutput({ file: options.output, gzip: options.gzip === true })
  const toFile = options.output !== undefined && options.output !== '-'
  const isQuiet = options.trace !== undefined && !toFile
  await writeAll(startingWith(first, lines), { output, total, stop, toFile, isQuiet })
}

function isGiven(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0)
}

async function storedRows(server: string, only: ExportOptions['only']): Promise<number> {
  const { stored } = await ask(server, { path: '/status' })
  return (only === 'logs' ? 0 : stored.spans) + (only === 'spans' ? 0 : stored.events)
}

interface WriteOptions {
  readonly output: ExportOutput
  /** Expected number of rows; 0 when unknown. */
  readonly total: number
  readonly stop: AbortController
  readonly toFile: boolean
  /** Prints nothing on success, because a few named traces need no counts. */
  readonly isQuiet: boolean
}

async function writeAll(lines: AsyncIterable<Buffer>, options: WriteOptions): Promise<void> {
  const { output, total, stop, toFile } = options
  const counts = { spans: 0, records: 0 }
  const startedAt = Date.now()
  let bytes = 0
  const progress = startProgress('export', total, showCount, { ownSignals: toFile })
  const forget = toFile ? stopOnSignal(stop, () => progress.stop()) : () => {}
  const written = (): string =>
    `${showCount(counts.spans)} spans and ${showCount(counts.records)} log records (${printSize(bytes)})`
  try {
    for await (const chunk of lines) {
      await output.write(chunk)
      countRows(chunk, counts)
      bytes += chunk.length
      const rows = counts.spans + counts.records
      const perSecond = Math.round(rows / Math.max(0.001, (Date.now() - startedAt) / 1000))
      progress.update(rows, `, ${printSize(bytes)}, ${showCount(perSecond)} rows/s`)
    }
    await output.commit()
  } catch (error) {
    progress.stop()
    const file = await output.abandon().catch(() => undefined)
    if (file !== undefined) {
      process.stderr.write(`the export is not whole: ${file} has ${written()}, in lines that clew import reads\n`)
    }
    if (!stop.signal.aborted) throw error
    process.exitCode = interruptedExitCode
    return
  } finally {
    progress.stop()
    forget()
  }
  if (!options.isQuiet)
    process.stderr.write(`exported ${written()} in ${showDuration((Date.now() - startedAt) * 1e6)}\n`)
}

/** 128 plus the number of SIGINT, as a shell reports it. */
const interruptedExitCode = 130

/** The first signal ends the export in order, so that what was written is usable. A second one ends it at once. */
function stopOnSignal(stop: AbortController, restore: () => void): () => void {
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      restore()
      process.exit(interruptedExitCode)
    }
    stop.abort(new Error('interrupted'))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  }
}

function matching(server: string, options: ExportOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const query = { ...queryOfFilter(options), limit: options.limit, signal: options.only }
  return wholeLines(askPieces(server, { path: '/export', query }, signal))
}

async function* startingWith(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done !== true) yield first.value
  yield* rest
}

/** One line per trace, with its log records on the next line. */
async function* named(server: string, traceIds: readonly string[], { only }: ExportOptions): AsyncGenerator<Buffer> {
  for (const traceId of traceIds) {
    const parameters = { traceId }
    const spans = await askText(server, { path: '/traces/:traceId', parameters }).catch((error: unknown) => {
      if (!(error instanceof InputError && error.code === 'not_found')) throw error
      throw new InputError('not_found', `cannot export trace ${traceId}: not stored`, { cause: error })
    })
    if (only !== 'logs') yield oneLine(spans)
    if (only === 'spans') continue
    const logs = await askText(server, { path: '/traces/:traceId/logs', parameters })
    if (logs.includes('"logRecords"')) yield oneLine(logs)
  }
}

/** JSON texts contain no raw line breaks, so every line break can be removed. */
function oneLine(json: string): Buffer {
  const lines = json.split('\n').map((line) => line.trim())
  return Buffer.from(lines.join('') + '\n')
}
