import { Command, Option } from 'commander'
import type { EventItem } from '../api/native/contract.ts'
import { ask } from './api-client.ts'
import { showCount, showTime, zoneName } from './terminal/format.ts'
import { write, writeJson, writeLines } from './terminal/output.ts'
import { addTimeOptions, collectAttribute, queryOfRange, readCount } from './search-options.ts'
import type { TimeRange } from './search-options.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { tableLines } from './terminal/table.ts'
import type { Column } from './terminal/table.ts'

interface EventsOptions extends TimeRange {
  readonly url: string
  readonly service?: string
  readonly type?: string
  readonly severity?: string
  readonly trace?: string
  readonly span?: string
  readonly attribute?: string[]
  readonly limit: number
  readonly json?: true
  readonly ndjson?: true
}

export function eventsCommand(): Command {
  return addTimeOptions(
    new Command('events')
      .description('Find log records and span events, newest first.')
      .argument('[words...]', 'words that the body contains, all of them')
      .option('--service <name>', 'of this service')
      .option('--type <name>', 'event name')
      .addOption(
        new Option('--severity <severity>', 'of at least this severity').choices([
          'trace',
          'debug',
          'info',
          'warn',
          'error',
          'fatal',
        ]),
      )
      .option('--trace <id>', 'of this trace')
      .option('--span <id>', 'of this span')
      .option('--attribute <key=value>', 'with this attribute; may be repeated', collectAttribute),
  )
    .option('--limit <number>', 'maximum number of events to print, up to 10000', readCount, 100)
    .addOption(new Option('--json', 'print one JSON object').conflicts('ndjson'))
    .option('--ndjson', 'print a JSON object a line for each event')
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Examples:
  clew events --since 15m --severity error
  clew events payment refused --service shop
  clew events --trace 4bf92f3577b34da6a3ce929d0e0e4736`,
    )
    .action(runEvents)
}

async function runEvents(words: string[], options: EventsOptions): Promise<void> {
  const { service, type, severity, attribute, limit } = options
  const answer = await ask(parseServerUrl(options.url), {
    path: '/events',
    query: {
      query: words.length === 0 ? undefined : words.join(' '),
      service,
      type,
      severity,
      attribute,
      limit,
      traceId: options.trace,
      spanId: options.span,
      ...queryOfRange(options),
    },
  })
  if (options.json) return writeJson(answer)
  if (options.ndjson) return writeLines(answer.events.map((event) => JSON.stringify(event)))
  const { events, total } = answer
  if (events.length > 0) await writeLines(tableLines(columns(events[0]?.time ?? null), events))
  if (total === 0) return write('no event matches\n')
  await write(
    events.length < total
      ? `showing ${showCount(events.length)} of ${showCount(total)} events; more with --limit\n`
      : `${showCount(total)} ${total === 1 ? 'event' : 'events'}\n`,
  )
}

function columns(time: string | null): Column<EventItem>[] {
  return [
    { title: `time (${zoneName(time)})`, text: (event) => showTime(event.time) },
    { title: 'severity', text: (event) => event.severityText || severityName(event.severityNumber) },
    { title: 'service', text: (event) => event.source.service, width: 30 },
    { title: 'trace', text: (event) => event.traceId || '-' },
    { title: 'type', text: (event) => event.type || '-', width: 30 },
    { title: 'body', text: (event) => event.body },
  ]
}

/** Numbers 1-24 form six groups of four (OpenTelemetry logs data model, "Field: SeverityNumber"). */
export function severityName(number: number): string {
  return ['trace', 'debug', 'info', 'warn', 'error', 'fatal'][Math.ceil(number / 4) - 1] ?? '-'
}
