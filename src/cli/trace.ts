import { Command, Option } from 'commander'
import { ask, askText } from './api-client.ts'
import { severityName } from './events.ts'
import { showDuration } from './terminal/format.ts'
import { showValue } from './trace/otlp-json.ts'
import type { KeyValue, LogsData, OtlpLogRecord, TracesData } from './trace/otlp-json.ts'
import { write, writeLines } from './terminal/output.ts'
import { parseServerUrl, urlOption } from './server-address.ts'
import { paintFor } from './terminal/paint.ts'
import { buildSpanTree } from './trace/span-tree.ts'
import type { TreeSpan } from './trace/span-tree.ts'
import { clean, terminalWidth } from './terminal/terminal-text.ts'
import { traceViewLines } from './trace/trace-view.ts'

interface TraceOptions {
  readonly url: string
  readonly json?: true
  readonly attributes?: true
}

export function traceCommand(): Command {
  return new Command('trace')
    .description('Draw one trace: a tree of its spans with bars. █ self time, ─ a child runs, ! error.')
    .argument('<id>', 'trace id: hex, leading zeros may be missing, or a whole traceparent')
    .option('--attributes', 'with attributes, events, links and log records of each span')
    .addOption(new Option('--json', 'print the trace as OTLP JSON').conflicts('attributes'))
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Colours follow NO_COLOR, the width follows the terminal or COLUMNS.

Examples:
  clew trace 4bf92f3577b34da6a3ce929d0e0e4736
  clew trace 4bf92f3577b34da6a3ce929d0e0e4736 --attributes | less
  clew trace 4bf92f3577b34da6a3ce929d0e0e4736 --json > trace.json`,
    )
    .action(runTrace)
}

async function runTrace(id: string, options: TraceOptions): Promise<void> {
  const server = parseServerUrl(options.url)
  const parameters = { traceId: id }
  // As sent, not parsed and printed again: JSON numbers would lose digits on the way.
  if (options.json) return write((await askText(server, { path: '/traces/:traceId', parameters })).trimEnd() + '\n')
  const tree = buildSpanTree((await ask(server, { path: '/traces/:traceId', parameters })) as unknown as TracesData)
  const view = { width: terminalWidth(), paint: paintFor(process.stdout, process.env) }
  if (!options.attributes) return writeLines(traceViewLines(tree, view))
  const logs = logsBySpan((await ask(server, { path: '/traces/:traceId/logs', parameters })) as unknown as LogsData)
  const detailsOf = (item: TreeSpan): string[] => [
    ...detailLines(item, tree.startNanos),
    ...(logs.get(item.span.spanId) ?? []).map((record) => logLine(record, tree.startNanos)),
  ]
  await writeLines(traceViewLines(tree, { ...view, detailsOf }))
  const spanIds = new Set(tree.spans.map((item) => item.span.spanId))
  const loose = [...logs].filter(([spanId]) => !spanIds.has(spanId)).flatMap(([, records]) => records)
  if (loose.length > 0)
    await writeLines(['logs of the trace, of no span here', ...loose.map((record) => logLine(record, tree.startNanos))])
}

const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer']

function detailLines({ span, resource }: TreeSpan, traceStart: bigint): string[] {
  const kind = kinds[span.kind ?? 0] ?? ''
  const message = span.status?.message ?? ''
  return [
    `span ${span.spanId}${kind === '' ? '' : `, ${kind}`}`,
    ...(message === '' ? [] : [`status message: ${clean(message)}`]),
    ...attributeLines('', span.attributes),
    ...attributeLines('resource ', resource?.attributes),
    ...(span.events ?? []).map(
      (event) =>
        `event ${offset(event.timeUnixNano, traceStart)} ${clean(event.name ?? '')}${inlineAttributes(event.attributes)}`,
    ),
    ...(span.links ?? []).map((link) => `${linkTarget(link)}${inlineAttributes(link.attributes)}`),
  ]
}

function attributeLines(prefix: string, attributes: readonly KeyValue[] = []): string[] {
  return attributes.map(({ key, value }) => `${prefix}${clean(key)} = ${clean(showValue(value))}`)
}

function inlineAttributes(attributes: readonly KeyValue[] = []): string {
  return attributes.length === 0 ? '' : ` (${attributeLines('', attributes).join(', ')})`
}

function logLine(record: OtlpLogRecord, traceStart: bigint): string {
  const severity = record.severityText || severityName(record.severityNumber ?? 0)
  const time = hasTime(record.timeUnixNano) ? record.timeUnixNano : record.observedTimeUnixNano
  const name = record.eventName === undefined ? '' : `${clean(record.eventName)} `
  const body = record.body === undefined ? '' : clean(showValue(record.body))
  return `log ${offset(time, traceStart)} ${clean(severity)} ${name}${body}${inlineAttributes(record.attributes)}`
}

function hasTime(time: string | undefined): boolean {
  return time !== undefined && time !== '0' && time !== ''
}

/** `+12.3 ms` from the trace's start. */
function offset(time: string | undefined, traceStart: bigint): string {
  if (!hasTime(time)) return '(no time)'
  const nanos = Number(BigInt(time ?? 0) - traceStart)
  return nanos < 0 ? showDuration(nanos) : `+${showDuration(nanos)}`
}

/** Records by span id in the order of their time; the empty id for those of the trace as a whole. */
function logsBySpan(data: LogsData): Map<string, OtlpLogRecord[]> {
  const records = (data.resourceLogs ?? []).flatMap(({ scopeLogs }) =>
    (scopeLogs ?? []).flatMap((scope) => scope.logRecords ?? []),
  )
  const timeOf = (record: OtlpLogRecord) => BigInt(record.timeUnixNano ?? record.observedTimeUnixNano ?? 0)
  records.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0))
  return Map.groupBy(records, (record) => record.spanId ?? '')
}

/** A link without ids tells of something that carried no context, such as a message of an uninstrumented producer. */
function linkTarget({ traceId = '', spanId = '' }: { traceId?: string; spanId?: string }): string {
  if (traceId === '') return 'link that names no trace'
  return spanId === '' ? `link to trace ${traceId}` : `link to span ${spanId} of trace ${traceId}`
}
