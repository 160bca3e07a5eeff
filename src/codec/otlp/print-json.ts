/**
 * Stored rows -> OTLP JSON (OTLP 1.11 §JSON Protobuf Encoding), with the content that was received. Rows are grouped by
 * resource and scope in order of first appearance. Ids are hex, 64-bit integers text, enums integers; fields with their
 * default value are left out, as in proto3.
 */
import { fromTyped, parseTyped, toAnyValueJson, type Attribute, type KeyValueJson } from '../../model/attributes.ts'
import type { EventRow, SpanEventRow, SpanLinkRow, SpanRow } from '../../model/span-row.ts'

export type Json = Record<string, unknown>

export function printTraces(rows: readonly SpanRow[]): { resourceSpans: Json[] } {
  return { resourceSpans: group(rows, 'scopeSpans', 'spans', printSpan) }
}

export function printLogs(rows: readonly EventRow[]): { resourceLogs: Json[] } {
  return { resourceLogs: group(rows, 'scopeLogs', 'logRecords', printLogRecord) }
}

function group<Row extends { readonly resource: string; readonly scope: string }>(
  rows: readonly Row[],
  scopesName: string,
  rowsName: string,
  print: (row: Row) => Json,
): Json[] {
  const resources = new Map<string, Map<string, Json[]>>()
  for (const row of rows) {
    let scopes = resources.get(row.resource)
    if (scopes === undefined) resources.set(row.resource, (scopes = new Map()))
    const list = scopes.get(row.scope)
    if (list === undefined) scopes.set(row.scope, [print(row)])
    else list.push(print(row))
  }
  return [...resources].map(([resource, scopes]) => {
    const { schemaUrl, ...origin } = printOrigin(resource)
    return {
      resource: origin,
      [scopesName]: [...scopes].map(([scope, list]) => {
        const { schemaUrl: url, ...rest } = printOrigin(scope)
        return { scope: rest, [rowsName]: list, ...(url === undefined ? {} : { schemaUrl: url }) }
      }),
      ...(schemaUrl === undefined ? {} : { schemaUrl }),
    }
  })
}

/** A resource or scope from its typed JSON (model/resource.ts). */
export function printOrigin(text: string): Json {
  if (text === '') return {}
  const parsed = parseTyped(text) as Json
  const attributes = parsed['attributes'] as Json | undefined
  const dropped = parsed['dropped'] === undefined ? 0n : (fromTyped(parsed['dropped']) as { value: bigint }).value
  return {
    ...pick(parsed, 'name'),
    ...pick(parsed, 'version'),
    ...(attributes === undefined
      ? {}
      : {
          attributes: Object.entries(attributes).map(([key, value]) => ({
            key,
            value: toAnyValueJson(fromTyped(value)),
          })),
        }),
    ...(dropped === 0n ? {} : { droppedAttributesCount: Number(dropped) }),
    ...pick(parsed, 'schemaUrl'),
  }
}

function pick(from: Json, name: string): Json {
  return from[name] === undefined ? {} : { [name]: from[name] }
}

function printSpan(span: SpanRow): Json {
  const end = span.startTimeUnixNano + span.durationNano
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...text('traceState', span.traceState),
    ...text('parentSpanId', span.parentSpanId),
    ...number('flags', span.flags),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: span.startTimeUnixNano.toString(),
    endTimeUnixNano: end.toString(),
    ...list('attributes', span.attributes.map(printAttribute)),
    ...number('droppedAttributesCount', span.droppedAttributesCount),
    ...list('events', span.events.map(printEvent)),
    ...number('droppedEventsCount', span.droppedEventsCount),
    ...list('links', span.links.map(printLink)),
    ...number('droppedLinksCount', span.droppedLinksCount),
    status: { ...text('message', span.statusMessage), ...number('code', span.statusCode) },
  }
}

export function printEvent(event: SpanEventRow): Json {
  return {
    timeUnixNano: event.timeUnixNano.toString(),
    name: event.name,
    ...list('attributes', event.attributes.map(printAttribute)),
    ...number('droppedAttributesCount', event.droppedAttributesCount),
  }
}

export function printLink(link: SpanLinkRow): Json {
  return {
    ...text('traceId', link.traceId),
    ...text('spanId', link.spanId),
    ...text('traceState', link.traceState),
    ...list('attributes', link.attributes.map(printAttribute)),
    ...number('droppedAttributesCount', link.droppedAttributesCount),
    ...number('flags', link.flags),
  }
}

function printLogRecord(event: EventRow): Json {
  return {
    ...(event.timeGiven ? { timeUnixNano: event.timeUnixNano.toString() } : {}),
    // In every record, so that records can be counted (print-rows.ts).
    observedTimeUnixNano: event.observedTimeUnixNano.toString(),
    ...number('severityNumber', event.severityNumber),
    ...text('severityText', event.severityText),
    ...text('eventName', event.type),
    ...printBody(event),
    ...list('attributes', event.attributes.map(printAttribute)),
    ...number('droppedAttributesCount', event.droppedAttributesCount),
    ...number('flags', event.flags),
    ...text('traceId', event.traceId),
    ...text('spanId', event.spanId),
  }
}

function printBody(event: EventRow): Json {
  if (event.bodyType === 1) return { body: { stringValue: event.body } }
  if (event.bodyType === 2) return { body: JSON.parse(event.body) as Json }
  return {}
}

function printAttribute({ key, value }: Attribute): KeyValueJson {
  return { key, value: toAnyValueJson(value) }
}

function text(name: string, value: string): Json {
  return value === '' ? {} : { [name]: value }
}

function number(name: string, value: number): Json {
  return value === 0 ? {} : { [name]: value }
}

function list(name: string, values: readonly unknown[]): Json {
  return values.length === 0 ? {} : { [name]: values }
}
