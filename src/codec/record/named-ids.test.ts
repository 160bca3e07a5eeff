import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '@msgpack/msgpack'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import type { AnyValueJson } from '../../model/attributes.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import type { Codec } from '../codec.ts'
import { forward } from '../forward/forward.ts'
import { encodePeerMessages } from '../framing/peer-messages.ts'
import { gelf } from '../gelf/gelf.ts'
import { eventsJson } from '../lines/lines.ts'
import { otlpLogsJson } from '../otlp/logs-json.ts'
import { encodeTailHeader } from '../tail/tail-body.ts'
import { tail } from '../tail/tail.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const low = '0000000000000000a3ce929d0e0e4736'
const span = '00f067aa0ba902b7'
const [lowDecimal, spanDecimal] = [BigInt(`0x${low}`).toString(), BigInt(`0x${span}`).toString()]

type Fields = Readonly<Record<string, unknown>>

function anyValue(value: unknown): AnyValueJson {
  if (typeof value === 'string') return { stringValue: value }
  const values = Object.entries(value as Fields).map(([key, inner]) => ({ key, value: anyValue(inner) }))
  return { kvlistValue: { values } } as AnyValueJson
}

const otlp = (record: object): Uint8Array =>
  Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }))

function tailed(fields: Fields): Uint8Array {
  const format = { parser: 'auto', join: 'off', encoding: 'utf-8' } as const
  const header = { v: 1, file: '0011', from: 0, path: '/a.log', host: 'box', service: '', type: '', format } as const
  return Buffer.concat([encodeTailHeader(header), Buffer.from(JSON.stringify(fields) + '\n')])
}

function gelfMessage(fields: Fields): Uint8Array {
  const own = Object.fromEntries(Object.entries(fields).map(([key, value]) => [`_${key}`, value]))
  return encodePeerMessages([{ peer: '', body: Buffer.from(JSON.stringify({ short_message: 'm', ...own })) }])
}

const ways: readonly (readonly [name: string, codec: Codec, body: (fields: Fields) => Uint8Array])[] = [
  ['posted JSON', eventsJson, (fields) => Buffer.from(JSON.stringify(fields))],
  ['a tailed file', tail, tailed],
  ['GELF', gelf, gelfMessage],
  ['Forward', forward, (fields) => new Encoder().encode(['tag', 1_763_890_000, fields])],
  ['OTLP attributes', otlpLogsJson, (fields) => otlp({ attributes: listOf(fields) })],
  ['an OTLP body', otlpLogsJson, (fields) => otlp({ body: anyValue(fields) })],
]

function listOf(fields: Fields): object[] {
  return Object.entries(fields).map(([key, value]) => ({ key, value: anyValue(value) }))
}

function decode(codec: Codec, body: Uint8Array): EventRow {
  return eventRows(codec.decode(Uint8Array.from(body), { receivedAtMs: 1_763_900_000_000 }).batch as EventBatch)[0]!
}

for (const [fields, expected] of [
  [{ traceId: `00-${trace}-${span}-01` }, `${trace} ${span} 1`],
  [{ TraceId: `00-${trace.toUpperCase()}-${span}-00` }, `${trace} ${span} 0`],
  [{ trace_id: '4bf92f35-77b3-4da6-a3ce-929d0e0e4736', span_id: span.toUpperCase() }, `${trace} ${span} 0`],
  [{ trace_id: trace.replace(/^0+/, ''), span_id: span.replace(/^0+/, '') }, `${trace} ${span} 0`],
  [{ 'Activity.Id': `00-${trace}-${span}-01` }, `${trace} ${span} 1`],
  [{ RequestId: `|${trace}.${span}.` }, `${trace} ${span} 0`],
  [{ trace: { id: trace }, span: { id: span }, transaction: { id: '1122334455667788' } }, `${trace} ${span} 0`],
  [{ 'trace.id': trace, 'transaction.id': span }, `${trace} ${span} 0`],
  [{ context: { trace: { id: trace }, transaction: { id: span } } }, `${trace} ${span} 0`],
  [{ 'dd.trace_id': lowDecimal, 'dd.span_id': spanDecimal }, `${low} ${span} 0`],
  [{ dd: { trace_id: lowDecimal, span_id: spanDecimal } }, `${low} ${span} 0`],
  [{ 'dd.trace_id': trace, 'dd.span_id': spanDecimal }, `${trace} ${span} 0`],
  [{ headers: { 'X-Cloud-Trace-Context': `${trace}/${spanDecimal};o=1` } }, `${trace} ${span} 1`],
  [{ trace: `projects/shop/traces/${trace}`, spanId: span }, `${trace} ${span} 0`],
  [
    { 'logging.googleapis.com/trace': `projects/shop/traces/${trace}`, 'logging.googleapis.com/spanId': span },
    `${trace} ${span} 0`,
  ],
  [{ traceId: `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${span};Sampled=1` }, `${trace} ${span} 1`],
  [{ 'x-amzn-trace-id': `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${span}` }, `${trace} ${span} 0`],
  [{ request_id: trace, RequestId: '0HMQ8V:00000001', id: trace, trace: 'Error: no\n at pay' }, '  0'],
  [{ x_request_id: '4bf92f35-77b3-4da6-a3ce-929d0e0e4736', transaction_id: span }, '  0'],
] as const satisfies readonly (readonly [Fields, string])[]) {
  test(`${JSON.stringify(fields)} names ${expected}`, () => {
    for (const [name, codec, bodyOf] of ways) {
      const { traceId, spanId, flags } = decode(codec, bodyOf(fields))
      assert.equal(`${traceId} ${spanId} ${flags}`, expected, name)
    }
  })
}

test('a severity that came as text gets its number over every protocol', () => {
  for (const [name, codec, bodyOf] of ways.slice(0, 4)) {
    for (const [text, number] of [
      ['Warning', 13],
      ['\u001b[31merror\u001b[39m', 17],
      ['[FTL]', 21],
    ] as const) {
      assert.equal(decode(codec, bodyOf({ severity: text })).severity, `${number} ${text}`, name)
    }
  }
  assert.equal(decode(otlpLogsJson, otlp({ severityText: 'wrn' })).severity, '13 wrn')
  assert.equal(decode(otlpLogsJson, otlp({ severityText: 'wrn', severityNumber: 9 })).severity, '9 wrn')
  assert.equal(decode(otlpLogsJson, otlp({ severityText: 'purple' })).severity, '0 purple')
})
