import { Command, Option } from 'commander'
import type { TraceSummary } from '../api/native/contract.ts'
import { showCount, showDuration, showTime, zoneName } from './terminal/format.ts'
import { write, writeJson, writeLines } from './terminal/output.ts'
import { addSpanFilterOptions, queryOfFilter, readCount } from './search-options.ts'
import type { SpanFilter } from './search-options.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { tableLines } from './terminal/table.ts'
import type { Column } from './terminal/table.ts'
import { tracePages } from './trace-pages.ts'

interface TracesOptions extends SpanFilter {
  readonly url: string
  readonly limit: number
  readonly sort: string
  readonly json?: true
  readonly ndjson?: true
}

export function tracesCommand(): Command {
  return addSpanFilterOptions(
    new Command('traces').description('Find traces, newest first. One span must meet all conditions.'),
  )
    .option('--limit <number>', 'maximum number of traces to print', readCount, 20)
    .addOption(
      new Option('--sort <order>', 'largest first; more than 1000 only by time')
        .choices(['time', 'duration', 'spans', 'errors'])
        .default('time'),
    )
    .addOption(new Option('--json', 'print one JSON object').conflicts('ndjson'))
    .option('--ndjson', 'print a JSON object a line for each trace')
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Examples:
  clew traces --since 1h --status error
  clew traces --service shop --operation 'POST /pay' --min-duration 500ms --sort duration
  clew traces --attribute http.response.status_code=500 --attribute user.id=42
  clew traces --since 1d --limit 100000 --ndjson | jq -r .traceId`,
    )
    .action(runTraces)
}

async function runTraces(options: TracesOptions): Promise<void> {
  const server = parseServerUrl(options.url)
  const query = { ...queryOfFilter(options), sort: options.sort }
  const traces: TraceSummary[] = []
  let total = 0
  for await (const page of tracePages(server, query, options.limit)) {
    total = page.total
    if (options.ndjson) await writeLines(page.traces.map((trace) => JSON.stringify(trace)))
    else traces.push(...page.traces)
  }
  if (options.ndjson) return
  if (options.json) return writeJson({ traces, total })
  if (traces.length > 0) await writeLines(tableLines(columns(traces[0]?.startTime ?? null), traces))
  await write(countLine(traces.length, total, options))
}

function columns(time: string | null): Column<TraceSummary>[] {
  return [
    { title: 'trace', text: (trace) => trace.traceId },
    { title: `start (${zoneName(time)})`, text: (trace) => showTime(trace.startTime) },
    { title: 'duration', right: true, text: (trace) => showDuration(Number(trace.durationNano)) },
    { title: 'spans', right: true, text: (trace) => showCount(trace.spanCount) },
    {
      title: 'errors',
      right: true,
      text: (trace) => (trace.errorCount === 0 ? '-' : `${showCount(trace.errorCount)} !`),
    },
    {
      title: 'root',
      text: (trace) => (trace.rootName === '' ? '(root missing)' : `${trace.rootService}  ${trace.rootName}`),
    },
  ]
}

function countLine(shown: number, total: number, { limit, sort }: TracesOptions): string {
  if (total === 0) return 'no trace matches\n'
  if (shown >= total) return `${showCount(total)} ${total === 1 ? 'trace' : 'traces'}\n`
  const more = shown < limit ? `that is all --sort ${sort} gives; --sort time has no end` : 'more with --limit'
  return `showing ${showCount(shown)} of ${showCount(total)} traces; ${more}\n`
}
