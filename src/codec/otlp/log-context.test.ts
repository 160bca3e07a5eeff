import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import { encodeLogs } from '../../../test/support/otlp-encode.ts'
import { fromAnyValueJson, type AnyValueJson } from '../../model/attributes.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { otlpLogsJson } from './logs-json.ts'
import { otlpLogsProtobuf } from './logs-protobuf.ts'

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

interface Given {
  readonly attributes?: Readonly<Record<string, string>>
  readonly body?: string
  readonly traceId?: string
  readonly flags?: number
}

/** The same records in both encodings, which must give the same rows. */
function decode(records: readonly Given[]): EventRow[] {
  const logRecords = records.map(({ attributes = {}, body, traceId = '', flags = 0 }) => ({
    body: { stringValue: body ?? 'text' } as AnyValueJson,
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({
      key,
      value: { stringValue } as AnyValueJson,
    })),
    traceId,
    flags,
  }))
  const json = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }
  const none = { attributes: [], dropped: 0, schemaUrl: '' }
  const rows = logRecords.map(({ attributes, body, traceId, flags }) => ({
    time: 1n,
    observed: 0n,
    severityNumber: 0,
    severityText: '',
    eventName: '',
    body: fromAnyValueJson(body),
    attributes: attributes.map(({ key, value }) => ({ key, value: fromAnyValueJson(value) })),
    dropped: 0,
    flags,
    traceId: Buffer.from(traceId, 'hex'),
    spanId: new Uint8Array(0),
  }))
  const protobuf = encodeLogs({
    resources: [{ resource: none, scopes: [{ scope: { ...none, name: '', version: '' }, rows }] }],
  })
  const [fromJson, fromProtobuf] = [
    otlpLogsJson.decode(Buffer.from(JSON.stringify(json)), { receivedAtMs: 1 }),
    otlpLogsProtobuf.decode(protobuf, { receivedAtMs: 1 }),
  ].map(({ batch }) => eventRows(batch as EventBatch).map((row) => ({ ...row, time: 0n })))
  assert.deepEqual(fromJson, fromProtobuf)
  return fromJson!
}

const linked = (given: Given): [string, string, number] => {
  // After another record, so that keys were seen before and attributes do not begin at 0.
  const [, row] = decode([{ attributes: { trace_id: 'f'.repeat(32), n: '1' } }, given])
  return [row!.traceId, row!.spanId, row!.flags]
}

for (const [name, given, flags] of [
  ['ids', { attributes: { trace_id: trace, span_id: span } }, 0],
  ['ids of other loggers', { attributes: { n: '1', otelTraceID: trace, otelSpanID: span } }, 0],
  ['B3 in several headers', { attributes: { 'X-B3-SpanId': span, 'X-B3-TraceId': trace } }, 0],
  ['a traceparent', { attributes: { traceparent: `00-${trace}-${span}-01` } }, 1],
  ['an uber-trace-id', { attributes: { 'uber-trace-id': `${trace}:${span}:0:1` } }, 1],
  ['an id of X-Ray', { attributes: { xray_trace_id: `1-4bf92f35-77b34da6a3ce929d0e0e4736@${span}` } }, 0],
  ['text', { body: `paid trace_id=${trace} span_id=${span}` }, 0],
] as const) {
  test(`a log record joins the trace that its attributes or its text name: ${name}`, () => {
    assert.deepEqual(linked(given), [trace, span, flags])
  })
}

test("a record's own fields come first, and attributes stay", () => {
  const own = 'a'.repeat(32)
  assert.deepEqual(linked({ traceId: own, attributes: { trace_id: trace, span_id: span } }), [own, '', 0])
  assert.deepEqual(linked({ flags: 1, attributes: { trace_id: trace } }), [trace, '', 1])
  assert.deepEqual(linked({ attributes: { trace_id: 'none', span_id: span }, body: 'no trace' }), ['', '', 0])
  const [row] = decode([{ attributes: { trace_id: trace, n: '1' } }])
  assert.deepEqual(row!.attributes, { trace_id: trace, n: '1' })
})
