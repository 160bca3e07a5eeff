import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Command } from 'commander'
import { InputError, messageOf, UnavailableError } from '../base/errors.ts'
import { askText } from './api-client.ts'
import { showCount } from './terminal/format.ts'
import { write } from './terminal/output.ts'
import { startProgress } from './terminal/progress.ts'
import { addSpanFilterOptions, queryOfFilter, readCount } from './search-options.ts'
import type { SpanFilter } from './search-options.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { tracePages } from './trace-pages.ts'

interface ExportOptions extends SpanFilter {
  readonly url: string
  readonly trace?: readonly string[]
  readonly output?: string
  readonly logs?: true
  readonly limit?: number
}

/** Traces asked for at once: enough to keep the server's readers busy. */
const concurrentTraces = 4

export function exportCommand(): Command {
  return addSpanFilterOptions(
    new Command('export')
      .description(
        'Write traces as OTLP JSON, one trace a line, newest first. `clew import` and OTLP receivers read it back.',
      )
      .option('--trace <id>', 'this trace only; repeatable', (id: string, before?: readonly string[]) => [
        ...(before ?? []),
        id,
      ]),
  )
    .option('--limit <number>', 'maximum number of traces; default: all that match', readCount)
    .option('--logs', 'also the log records of each trace, on a line of their own')
    .option('-o, --output <file>', 'write to this file instead of stdout')
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Examples:
  clew export --trace 4bf92f3577b34da6a3ce929d0e0e4736
  clew export --since 1h --status error --output errors.jsonl
  clew export --since 1d --logs | zstd > day.jsonl.zst`,
    )
    .action(runExport)
}

async function runExport(options: ExportOptions): Promise<void> {
  const server = parseServerUrl(options.url)
  const filtered = Object.entries({ ...queryOfFilter(options), limit: options.limit }).find(([, value]) =>
    isGiven(value),
  )
  if (options.trace !== undefined && filtered !== undefined) {
    throw new InputError('bad_usage', 'cannot use --trace together with a filter or --limit: it names the traces')
  }
  const { stream, close } = await openOutput(options.output)
  try {
    if (options.trace !== undefined) {
      for (const traceId of options.trace) await writeTrace(server, traceId, stream, options.logs)
    } else await exportMatching(server, options, stream)
  } finally {
    // Also the way in which a failed write is reported.
    await close()
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0)
}

async function exportMatching(server: string, options: ExportOptions, stream: Writable): Promise<void> {
  const { total } = (await tracePages(server, queryOfFilter(options), 1).next()).value ?? { total: 0 }
  const wanted = Math.min(total, options.limit ?? Infinity)
  const progress = startProgress('export', wanted, showCount)
  const done = { traces: 0, gone: 0 }
  try {
    for await (const page of tracePages(server, queryOfFilter(options), options.limit ?? Infinity)) {
      for (let index = 0; index < page.traces.length; index += concurrentTraces) {
        const group = page.traces.slice(index, index + concurrentTraces)
        const lines = await Promise.all(group.map((trace) => linesOf(server, trace.traceId, options.logs)))
        for (const text of lines) {
          if (text === undefined) done.gone += 1
          else await write(text, stream)
        }
        done.traces += group.length
        progress.update(done.traces, ' traces')
      }
    }
  } finally {
    progress.stop()
  }
  const gone = done.gone === 0 ? '' : `; ${showCount(done.gone)} were dropped by retention meanwhile`
  process.stderr.write(`exported ${showCount(done.traces - done.gone)} traces${gone}\n`)
}

async function writeTrace(server: string, traceId: string, stream: Writable, withLogs?: true): Promise<void> {
  const text = await linesOf(server, traceId, withLogs)
  if (text === undefined) throw new InputError('not_found', `cannot export trace ${traceId}: not stored`)
  await write(text, stream)
}

/** The trace's lines, as the server sent them; `undefined` when it is not stored (any more). */
async function linesOf(server: string, traceId: string, withLogs: true | undefined): Promise<string | undefined> {
  const parameters = { traceId }
  try {
    const spans = await askText(server, { path: '/traces/:traceId', parameters })
    const logs = withLogs ? await askText(server, { path: '/traces/:traceId/logs', parameters }) : ''
    return oneLine(spans) + (hasRecords(logs) ? oneLine(logs) : '')
  } catch (error) {
    if (error instanceof InputError && error.code === 'not_found') return undefined
    throw error
  }
}

function hasRecords(logs: string): boolean {
  return logs.includes('"logRecords"')
}

/** A line break in JSON is never part of a text, so it can go. */
function oneLine(json: string): string {
  const lines = json.split('\n').map((line) => line.trim())
  return lines.join('') + '\n'
}

async function openOutput(file: string | undefined): Promise<{ stream: Writable; close: () => Promise<void> }> {
  if (file === undefined || file === '-') return { stream: process.stdout, close: async () => {} }
  const stream = createWriteStream(file)
  const failed = (error: unknown) =>
    new UnavailableError('io_failed', `cannot write ${file}: ${messageOf(error)}`, { cause: error, canRetry: false })
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    stream.once('error', (error) => reject(failed(error)))
  })
  // Kept for `close`, as an error while writing is reported there.
  const ended = finished(stream)
  ended.catch(() => {})
  return {
    stream,
    async close() {
      stream.end()
      await ended.catch((error: unknown) => Promise.reject(failed(error)))
    },
  }
}
