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
  // Printed as it was sent: parsing and printing it again would cost JSON numbers some digits.
  if (options.json) return write((await askText(server, { path: '/traces/:traceId', parameters })).trimEnd() + '\n')
  const tree = buildSpanTree((await ask(server, { path: '/traces/:traceId', parameters })) as unknown as TracesData)
  const view = { width: terminalWidth(), paint: paintFor(process.stdout, process.env) }
  if (!options.attributes) return writeLines(traceViewLines(tree, view))
  const logs = logsBySpan((await ask(server, { path: '/traces/:traceId/logs', parameters })) as unknown as LogsData)
  const resourceLines = resourcePrinter()
  const detailsOf = (item: TreeSpan): string[] => [
    ...detailLines(item, tree.startNanos, resourceLines(item)),
    ...(logs.get(item.span.spanId) ?? []).flatMap((record) => logLines(record, tree.startNanos)),
  ]
  await writeLines(traceViewLines(tree, { ...view, detailsOf }))
  const spanIds = new Set(tree.spans.map((item) => item.span.spanId))
  const loose = [...logs].filter(([spanId]) => !spanIds.has(spanId)).flatMap(([, records]) => records)
  if (loose.length > 0)
    await writeLines([
      'logs of the trace, of no span here',
      ...loose.flatMap((record) => logLines(record, tree.startNanos)),
    ])
}

const kinds = ['', 'internal', 'server', 'client', 'producer', 'consumer']

function detailLines({ span }: TreeSpan, traceStart: bigint, resourceLines: readonly string[]): string[] {
  const kind = kinds[span.kind ?? 0] ?? ''
  const message = span.status?.message ?? ''
  return [
    `span ${span.spanId}${kind === '' ? '' : `, ${kind}`}`,
    ...(message === '' ? [] : [`status message: ${clean(message)}`]),
    ...attributeLines('', span.attributes),
    ...resourceLines,
    ...(span.events ?? []).flatMap((event) =>
      headedLines(`event ${offset(event.timeUnixNano, traceStart)} ${clean(event.name ?? '')}`, event.attributes),
    ),
    ...(span.links ?? []).flatMap((link) => headedLines(linkTarget(link), link.attributes)),
  ]
}

/** A value with several lines, such as a stack trace or a query, keeps them. */
function attributeLines(prefix: string, attributes: readonly KeyValue[] = []): string[] {
  return attributes.flatMap(({ key, value }) => {
    const [first = '', ...more] = showValue(value).trimEnd().split(/\r?\n/)
    return [`${prefix}${clean(key)} = ${clean(first)}`, ...more.map((line) => `    ${clean(line)}`)]
  })
}

/** Short attributes follow the head on its line. If one of them has several lines, all go below the head. */
function headedLines(head: string, attributes: readonly KeyValue[] = []): string[] {
  const lines = attributeLines('', attributes)
  if (lines.length === 0) return [head]
  if (lines.length === attributes.length) return [`${head} (${lines.join(', ')})`]
  return [head, ...lines.map((line) => `  ${line}`)]
}

/** A resource is printed in full at the first span that has it; later spans only name the id of that span. */
function resourcePrinter(): (item: TreeSpan) => string[] {
  const printed = new Map<string, string>()
  return ({ span, resource }) => {
    const attributes = resource?.attributes ?? []
    if (attributes.length === 0) return []
    const key = JSON.stringify(attributes)
    const first = printed.get(key)
    if (first !== undefined) return [`resource as of span ${first}`]
    printed.set(key, span.spanId)
    return attributeLines('resource ', attributes)
  }
}

function logLines(record: OtlpLogRecord, traceStart: bigint): string[] {
  const severity = record.severityText || severityName(record.severityNumber ?? 0)
  const time = hasTime(record.timeUnixNano) ? record.timeUnixNano : record.observedTimeUnixNano
  const name = record.eventName === undefined ? '' : `${clean(record.eventName)} `
  const body = record.body === undefined ? '' : showValue(record.body)
  const [first = '', ...more] = body.trimEnd().split(/\r?\n/)
  const head = `log ${offset(time, traceStart)} ${clean(severity)} ${name}${clean(first)}`
  if (more.length === 0) return headedLines(head, record.attributes)
  return [head, ...more.map((line) => `    ${clean(line)}`), ...attributeLines('  ', record.attributes)]
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

/** Records by span id, oldest first; the empty id has those of the whole trace. */
function logsBySpan(data: LogsData): Map<string, OtlpLogRecord[]> {
  const records = (data.resourceLogs ?? []).flatMap(({ scopeLogs }) =>
    (scopeLogs ?? []).flatMap((scope) => scope.logRecords ?? []),
  )
  const timeOf = (record: OtlpLogRecord) => BigInt(record.timeUnixNano ?? record.observedTimeUnixNano ?? 0)
  records.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0))
  return Map.groupBy(records, (record) => record.spanId ?? '')
}

/** A link without ids points to something without trace context, such as a message of an uninstrumented producer. */
function linkTarget({ traceId = '', spanId = '' }: { traceId?: string; spanId?: string }): string {
  if (traceId === '') return 'link that names no trace'
  return spanId === '' ? `link to trace ${traceId}` : `link to span ${spanId} of trace ${traceId}`
}
