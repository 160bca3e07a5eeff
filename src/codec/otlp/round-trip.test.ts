import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventRowsOf, spanRowsOf } from '../../../test/support/batch-rows.ts'
import { logsRequest, tracesRequest } from '../../../test/support/otlp-arbitrary.ts'
import { encodeLogs, encodeTraces, type LogRecord, type Request, type Span } from '../../../test/support/otlp-encode.ts'
import { parseTyped, toAnyValueJson, type Attribute } from '../../model/attributes.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { makeResource, makeScope } from '../../model/resource.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import type { EventRow, SpanRow } from '../../model/span-row.ts'
import type { Codec } from '../codec.ts'
import { otlpLogsJson } from './logs-json.ts'
import { otlpLogsProtobuf } from './logs-protobuf.ts'
import { printLogs, printTraces } from './print-json.ts'
import { otlpTracesJson } from './traces-json.ts'
import { otlpTracesProtobuf } from './traces-protobuf.ts'

const receivedAtMs = 1_700_000_000_123

test('spans survive protobuf, columns, OTLP JSON and columns again', () => {
  fc.assert(
    fc.property(tracesRequest, (request) => {
      const sent = comparable(sentSpans(request))
      const rows = spanRowsOf(decoded<SpanBatch>(otlpTracesProtobuf, encodeTraces(request)))
      assert.deepEqual(comparable(rows), sent)
      const printed = Buffer.from(JSON.stringify(printTraces(rows)))
      assert.deepEqual(comparable(spanRowsOf(decoded<SpanBatch>(otlpTracesJson, printed))), sent)
    }),
    { numRuns: 300 },
  )
})

test('log records survive protobuf, columns, OTLP JSON and columns again', () => {
  fc.assert(
    fc.property(logsRequest, (request) => {
      const sent = comparable(sentEvents(request))
      const rows = eventRowsOf(decoded<EventBatch>(otlpLogsProtobuf, encodeLogs(request)))
      assert.deepEqual(comparable(rows), sent)
      const printed = Buffer.from(JSON.stringify(printLogs(rows)))
      assert.deepEqual(comparable(eventRowsOf(decoded<EventBatch>(otlpLogsJson, printed))), sent)
    }),
    { numRuns: 300 },
  )
})

function decoded<Batch>(codec: Codec, body: Uint8Array): Batch {
  const { batch, rejected, rejectedReason } = codec.decode(body, { receivedAtMs })
  assert.equal(rejected, 0, rejectedReason)
  return batch as Batch
}

/** Printing groups rows, and typed JSON orders keys, so both sides are put in one order; objects compare by field. */
function comparable(rows: readonly (SpanRow | EventRow)[]): unknown[] {
  const texts = rows.map((row) =>
    JSON.stringify({ ...row, resource: sortedOrigin(row.resource), scope: sortedOrigin(row.scope) }, replacer),
  )
  return texts.sort().map((text) => JSON.parse(text) as unknown)
}

function replacer(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (key !== 'attributes' || !Array.isArray(value)) return value
  const attributes = (value as Attribute[]).map((each) => [each.key, JSON.stringify(toAnyValueJson(each.value))])
  return attributes.sort(([a], [b]) => (a! < b! ? -1 : 1))
}

function sortedOrigin(text: string): unknown {
  if (text === '') return {}
  const { attributes, ...rest } = parseTyped(text) as { attributes?: Record<string, unknown> }
  return { ...rest, origin: Object.entries(attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)) }
}

function hexOf(id: Uint8Array): string {
  const text = Buffer.from(id).toString('hex')
  return /^0*$/.test(text) ? '' : text
}

/** The straightforward conversion of a request to rows, one object at a time. */
function sentSpans(request: Request<Span>): SpanRow[] {
  return sentRows(request).map(({ row, resource, scope }) => ({
    traceId: hexOf(row.traceId),
    spanId: hexOf(row.spanId),
    parentSpanId: hexOf(row.parentSpanId),
    traceState: row.traceState,
    flags: row.flags,
    name: row.name,
    kind: row.kind,
    startTimeUnixNano: row.start,
    durationNano: row.end - row.start,
    attributes: row.attributes,
    droppedAttributesCount: row.droppedAttributes,
    events: row.events.map(({ time, name, attributes, dropped }) => ({
      timeUnixNano: time,
      name,
      attributes,
      droppedAttributesCount: dropped,
    })),
    droppedEventsCount: row.droppedEvents,
    links: row.links.map((link) => ({
      traceId: hexOf(link.traceId),
      spanId: hexOf(link.spanId),
      traceState: link.traceState,
      attributes: link.attributes,
      droppedAttributesCount: link.dropped,
      flags: link.flags,
    })),
    droppedLinksCount: row.droppedLinks,
    statusCode: row.status.code,
    statusMessage: row.status.message,
    resource,
    scope,
  }))
}

function sentEvents(request: Request<LogRecord>): EventRow[] {
  return sentRows(request).map(({ row, resource, scope, service }) => ({
    timeUnixNano: row.time !== 0n ? row.time : row.observed !== 0n ? row.observed : BigInt(receivedAtMs) * 1_000_000n,
    timeGiven: row.time !== 0n,
    observedTimeUnixNano: row.observed,
    traceId: hexOf(row.traceId),
    spanId: hexOf(row.spanId),
    flags: row.flags,
    severityNumber: row.severityNumber,
    severityText: row.severityText,
    type: row.eventName,
    protocol: 'otlp',
    service,
    ...sentBody(row),
    attributes: row.attributes,
    droppedAttributesCount: row.dropped,
    resource,
    scope,
  }))
}

function sentBody({ body }: LogRecord): { bodyType: number; body: string } {
  if (body === undefined || body.type === 'empty') return { bodyType: 0, body: '' }
  if (body.type === 'string') return { bodyType: 1, body: body.value }
  return { bodyType: 2, body: JSON.stringify(toAnyValueJson(body)) }
}

function sentRows<Row>({ resources }: Request<Row>) {
  return resources.flatMap(({ resource, scopes }) => {
    const { json, serviceName } = makeResource(resource.attributes, resource.dropped, resource.schemaUrl)
    return scopes.flatMap(({ scope, rows }) => {
      const rest = { droppedAttributesCount: scope.dropped, schemaUrl: scope.schemaUrl }
      const scopeJson = makeScope(scope.name, scope.version, scope.attributes, rest).json
      return rows.map((row) => ({ row, resource: json, scope: scopeJson, service: serviceName }))
    })
  })
}
