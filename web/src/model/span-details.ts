/** Everything that the panel shows for one span, and its log records; built only when a span is selected. */
import { kindNames, printValue, serviceName, showAttributes, statusError, statusOk } from './otlp-json.ts'
import type { OtlpLogs, ShownAttribute } from './otlp-json.ts'
import { parseSpanId } from './span-list.ts'
import type { SourceSpan } from './span-list.ts'
import { parseUnixNano } from './time.ts'

export interface ShownEvent {
  readonly name: string
  readonly timeNano: bigint
  readonly attributes: readonly ShownAttribute[]
}

export interface ShownLink {
  readonly traceId: string
  readonly spanId: string
  readonly attributes: readonly ShownAttribute[]
}

export interface SpanDetails {
  readonly spanId: string
  readonly parentSpanId: string
  readonly service: string
  readonly name: string
  readonly kind: string
  readonly status: 'error' | 'ok' | 'unset'
  readonly statusMessage: string
  readonly traceState: string
  readonly startNano: bigint
  readonly endNano: bigint
  readonly attributes: readonly ShownAttribute[]
  readonly events: readonly ShownEvent[]
  readonly links: readonly ShownLink[]
  readonly resource: readonly ShownAttribute[]
  readonly scope: string
  readonly scopeAttributes: readonly ShownAttribute[]
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number }
}

export function showSpan({ span, resource, scope }: SourceSpan): SpanDetails {
  const code = span.status?.code
  return {
    spanId: (span.spanId ?? '').toLowerCase(),
    parentSpanId: (span.parentSpanId ?? '').toLowerCase(),
    service: serviceName(resource),
    name: span.name || '(no name)',
    kind: kindNames[span.kind ?? 0] ?? 'unspecified',
    status: code === statusError ? 'error' : code === statusOk ? 'ok' : 'unset',
    statusMessage: span.status?.message ?? '',
    traceState: span.traceState ?? '',
    startNano: parseUnixNano(span.startTimeUnixNano),
    endNano: parseUnixNano(span.endTimeUnixNano),
    attributes: showAttributes(span.attributes),
    events: (span.events ?? []).map(({ name, timeUnixNano, attributes }) => ({
      name: name || '(no name)',
      timeNano: parseUnixNano(timeUnixNano),
      attributes: showAttributes(attributes),
    })),
    links: (span.links ?? []).map(({ traceId, spanId, attributes }) => ({
      traceId: (traceId ?? '').toLowerCase(),
      spanId: (spanId ?? '').toLowerCase(),
      attributes: showAttributes(attributes),
    })),
    resource: showAttributes(resource?.attributes),
    scope: [scope?.name, scope?.version].filter(Boolean).join(' '),
    scopeAttributes: showAttributes(scope?.attributes),
    dropped: {
      attributes: span.droppedAttributesCount ?? 0,
      events: span.droppedEventsCount ?? 0,
      links: span.droppedLinksCount ?? 0,
    },
  }
}

export interface ShownLog {
  readonly timeNano: bigint
  readonly severity: string
  /** OTLP severity number, 0 when absent: 17 and above is an error, 13 and above a warning. */
  readonly severityNumber: number
  readonly service: string
  readonly body: string
  readonly attributes: readonly ShownAttribute[]
}

const severityNames = ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

/** Log records by span id, oldest first. Key 0 has the records of the trace that name no span. */
export function groupLogs(logs: OtlpLogs): Map<bigint, ShownLog[]> {
  const bySpan = new Map<bigint, ShownLog[]>()
  for (const { resource, scopeLogs } of logs.resourceLogs ?? []) {
    const service = serviceName(resource)
    for (const record of (scopeLogs ?? []).flatMap(({ logRecords }) => logRecords ?? [])) {
      const id = parseSpanId(record.spanId)
      const severityNumber = record.severityNumber ?? 0
      const time = parseUnixNano(record.timeUnixNano)
      const log: ShownLog = {
        timeNano: time === 0n ? parseUnixNano(record.observedTimeUnixNano) : time,
        severity: record.severityText || severityNames[Math.ceil(severityNumber / 4)] || '',
        severityNumber,
        service,
        body: printValue(record.body) || record.eventName || '',
        attributes: showAttributes(record.attributes),
      }
      const records = bySpan.get(id)
      if (records) records.push(log)
      else bySpan.set(id, [log])
    }
  }
  for (const records of bySpan.values()) records.sort(byTime)
  return bySpan
}

/** Records that belong to none of these spans, oldest first. */
export function logsBesideSpans(bySpan: ReadonlyMap<bigint, readonly ShownLog[]>, ids: BigUint64Array): ShownLog[] {
  const known = new Set(ids)
  return [...bySpan].flatMap(([id, records]) => (known.has(id) ? [] : records)).sort(byTime)
}

function byTime(a: ShownLog, b: ShownLog): number {
  return a.timeNano < b.timeNano ? -1 : a.timeNano > b.timeNano ? 1 : 0
}
