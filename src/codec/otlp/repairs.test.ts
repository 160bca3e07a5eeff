/** A mistake that can be repaired never costs the row, and both encodings give the same result. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventRowsOf, spanRowsOf } from '../../../test/support/batch-rows.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import type { EventRow, SpanRow } from '../../model/span-row.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { repairedBytesMax } from '../repairs.ts'
import { otlpLogsJson } from './logs-json.ts'
import { otlpLogsProtobuf } from './logs-protobuf.ts'
import { printTraces } from './print-json.ts'
import { otlpTracesJson } from './traces-json.ts'
import { otlpTracesProtobuf } from './traces-protobuf.ts'
import { bytesField, message, textField, varintField } from './wire-writer.ts'

const context = { receivedAtMs: 1_700_000_000_000 }
const traceId = '5b8efff798038103d269b633813fc60c'
const spanId = 'eee19b7ec3c1b174'
const otherId = '00000000000000aa'
/** `Gen?` was cut inside its next character. */
const cut = Buffer.from([0x47, 0x65, 0x6e, 0xc3])
const mended = 'Gen\ufffd'
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

interface Result<Row> {
  readonly rows: readonly Row[]
  readonly rejected: number
  readonly repaired: number
  readonly reason: string
}

/** The fields of one span after its ids, and of its resource and scope, in protobuf. */
function spansOf(
  span: readonly Uint8Array[],
  resource: Uint8Array = message(),
  scope: Uint8Array = message(),
): Result<SpanRow> {
  const row = message(bytesField(1, hex(traceId)), bytesField(2, hex(spanId)), ...span)
  const rows = message(bytesField(1, scope), bytesField(2, row), bytesField(2, row))
  const body = message(bytesField(1, message(bytesField(1, resource), bytesField(2, rows))))
  const { batch, rejected, repaired, repairedReason } = otlpTracesProtobuf.decode(body, context)
  return { rows: spanRowsOf(batch as SpanBatch), rejected, repaired: repaired!, reason: repairedReason! }
}

function spansOfJson(members: string): Result<SpanRow> {
  const span = `{"traceId":"${traceId}","spanId":"${spanId}",${members}}`
  // `?` in the text stands for the first byte of a two-byte character.
  const body = Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${span},${span}]}]}]}`)
  for (let at = body.indexOf('?'); at >= 0; at = body.indexOf('?')) body[at] = 0xc3
  const { batch, rejected, repaired, repairedReason } = otlpTracesJson.decode(body, context)
  return { rows: spanRowsOf(batch as SpanBatch), rejected, repaired: repaired!, reason: repairedReason! }
}

const attribute = (key: Uint8Array, value: Uint8Array): Uint8Array =>
  message(bytesField(1, key), bytesField(2, bytesField(1, value)))
const linkAttribute = attribute(Buffer.from('id'), Buffer.from('m-17'))
const linkAttributeJson = '"attributes":[{"key":"id","value":{"stringValue":"m-17"}}]'

const links: readonly [what: string, trace: string | undefined, span: string | undefined, found: string][] = [
  ['zeros', '0'.repeat(32), '0'.repeat(16), '/'],
  ['empty ids', '', '', '/'],
  ['no ids', undefined, undefined, '/'],
  ['a trace alone', traceId, undefined, `${traceId}/`],
  ['ids without leading zeros', 'a1b2', 'aa', `${'a1b2'.padStart(32, '0')}/${otherId}`],
  ['ids that are too long', traceId + '00', spanId + '00', '/'],
]
for (const [what, trace, span, found] of links) {
  test(`a link with ${what} stays a link, with its attributes, and reads back the same`, () => {
    const ids = [trace, span].flatMap((id, i) => (id === undefined ? [] : [bytesField(i + 1, hex(id))]))
    const binary = spansOf([bytesField(13, message(...ids, bytesField(4, linkAttribute)))])
    const members = [
      ...(trace === undefined ? [] : [`"traceId":"${trace}"`]),
      ...(span === undefined ? [] : [`"spanId":"${span}"`]),
    ]
    const json = spansOfJson(`"links":[{${[...members, linkAttributeJson].join(',')}}]`)
    for (const { rows, rejected } of [binary, json]) {
      assert.deepEqual([rows.length, rejected], [2, 0])
      const [link] = rows[0]!.links
      assert.equal(`${link!.traceId}/${link!.spanId}`, found)
      assert.deepEqual(link!.attributes, [{ key: 'id', value: { type: 'string', value: 'm-17' } }])
      const printed = Buffer.from(JSON.stringify(printTraces([rows[0]!])))
      assert.deepEqual(spanRowsOf(otlpTracesJson.decode(printed, context).batch as SpanBatch), [rows[0]])
    }
    assert.equal(binary.repaired > 0, what.startsWith('ids'), binary.reason)
    assert.equal(json.repaired > 0, what === 'ids that are too long', json.reason)
  })
}

test('a parent of the wrong length is padded or dropped, and a span is not its own parent', () => {
  const parents: [string, string, number][] = [
    ['aa', otherId, 2],
    [spanId + '00', '', 2],
    [spanId, '', 0],
    ['0000000000000000', '', 0],
  ]
  for (const [given, parent, repaired] of parents) {
    const binary = spansOf([bytesField(4, hex(given))])
    assert.deepEqual([binary.rows[0]?.parentSpanId, binary.repaired], [parent, repaired], given)
    assert.equal(spansOfJson(`"parentSpanId":"${given}"`).rows[0]?.parentSpanId, parent, given)
  }
})

test('an enum that no byte can hold is "unspecified"', () => {
  const { rows, repaired, reason } = spansOf([varintField(6, 128), bytesField(15, varintField(3, 1 << 20))])
  assert.deepEqual([rows[0]?.kind, rows[0]?.statusCode, repaired], [0, 0, 4])
  assert.match(reason, /^kind is not in 0 … 127$/)
})

test('text cut inside a character is kept up to there, wherever it is in a span', () => {
  const key = Buffer.from('key')
  const deep = bytesField(5, bytesField(1, bytesField(1, cut)))
  const places: [string, Result<SpanRow>][] = [
    ['name', spansOf([bytesField(5, cut)])],
    ['trace state', spansOf([bytesField(3, cut)])],
    ['key', spansOf([bytesField(9, attribute(cut, key))])],
    ['value', spansOf([bytesField(9, attribute(key, cut))])],
    ['list', spansOf([bytesField(9, message(bytesField(1, key), bytesField(2, deep)))])],
    ['long value', spansOf([bytesField(9, attribute(key, Buffer.concat([Buffer.alloc(300, 'x'), cut])))])],
    ['event', spansOf([bytesField(11, bytesField(2, cut))])],
    ['event key', spansOf([bytesField(11, bytesField(3, attribute(cut, key)))])],
    ['link state', spansOf([bytesField(13, bytesField(3, cut))])],
    ['status message', spansOf([bytesField(15, bytesField(2, cut))])],
    ['resource', spansOf([], bytesField(1, attribute(key, cut)))],
    ['scope', spansOf([], message(), bytesField(1, cut))],
    ['JSON name', spansOfJson('"name":"Gen?"')],
    ['JSON key', spansOfJson('"attributes":[{"key":"Gen?","value":{"intValue":"1"}}]')],
    ['JSON escapes', spansOfJson('"name":"\\n\\ud83dGen?"')],
  ]
  for (const [what, { rows, rejected, repaired, reason }] of places) {
    const once = what === 'resource' || what === 'scope'
    assert.deepEqual([rows.length, rejected, repaired], [2, 0, once ? 1 : 2], what)
    assert.ok(JSON.stringify(printTraces(rows)).includes(mended), what)
    assert.match(reason, /not valid UTF-8: U\+FFFD stands for the bad bytes$/)
    assert.deepEqual(rows[0], rows[1])
  }
})

test('valid texts after a repaired one are read correctly', () => {
  const fields = [
    attribute(cut, cut),
    attribute(Buffer.from('good'), Buffer.from('grüß')),
    attribute(cut, Buffer.from('b')),
  ]
  const { rows } = spansOf([bytesField(5, cut), ...fields.map((field) => bytesField(9, field)), textField(3, 'a=b')])
  assert.deepEqual(
    rows[1]!.attributes.map(({ key, value }) => [key, value]),
    [
      [mended, { type: 'string', value: mended }],
      ['good', { type: 'string', value: 'grüß' }],
      [mended, { type: 'string', value: 'b' }],
    ],
  )
  assert.deepEqual([rows[1]!.name, rows[1]!.traceState], [mended, 'a=b'])
})

test('the repair of a resource is reported with each request, not only with the first', () => {
  for (let i = 0; i < 3; i++) assert.equal(spansOf([], bytesField(1, attribute(Buffer.from('k'), cut))).repaired, 1)
})

test('a body with too much invalid text for the memory bound is refused', () => {
  const bad = Buffer.alloc(repairedBytesMax / 3, 0xff)
  assert.throws(() => spansOf([bytesField(5, bad)]), /cannot take a request with more than 16 MiB of text/)
})

function logsOf(record: readonly Uint8Array[]): Result<EventRow> {
  const body = bytesField(1, bytesField(2, message(bytesField(2, message(...record)))))
  const { batch, rejected, repaired, repairedReason } = otlpLogsProtobuf.decode(body, context)
  return { rows: eventRowsOf(batch as EventBatch), rejected, repaired: repaired!, reason: repairedReason! }
}

function logsOfJson(members: string): Result<EventRow> {
  const body = Buffer.from(`\ufeff{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`)
  for (let at = body.indexOf('?'); at >= 0; at = body.indexOf('?')) body[at] = 0xc3
  const { batch, rejected, repaired, repairedReason } = otlpLogsJson.decode(body, context)
  return { rows: eventRowsOf(batch as EventBatch), rejected, repaired: repaired!, reason: repairedReason! }
}

test('the valid parts of a log record are kept', () => {
  const key = Buffer.from('key')
  const places: Result<EventRow>[] = [
    logsOf([bytesField(5, bytesField(1, cut))]),
    logsOf([bytesField(3, cut)]),
    logsOf([bytesField(12, cut)]),
    logsOf([bytesField(6, attribute(key, cut))]),
    logsOf([bytesField(5, bytesField(6, bytesField(1, attribute(cut, key))))]),
    logsOfJson('"body":{"stringValue":"Gen?"}'),
    logsOfJson('"severityText":"Gen?"'),
  ]
  for (const { rows, rejected, repaired } of places) {
    assert.deepEqual([rows.length, rejected, repaired], [1, 0, 1])
    assert.ok(JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)).includes(mended))
  }
})

test('ids of a log record are padded, or dropped when they are invalid', () => {
  const ids = ({ rows: [row], rejected }: Result<EventRow>): unknown[] => [rejected, row?.traceId, row?.spanId]
  const short = [0, 'a1'.padStart(32, '0'), otherId]
  assert.deepEqual(ids(logsOf([bytesField(9, hex('a1')), bytesField(10, hex('aa'))])), short)
  assert.deepEqual(ids(logsOfJson('"traceId":"A1","spanId":"aA"')), short)
  assert.deepEqual(ids(logsOf([bytesField(9, hex(traceId + '00')), bytesField(10, hex(spanId + '00'))])), [0, '', ''])
  assert.deepEqual(ids(logsOfJson('"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":5')), [0, '', ''])
})

test('a severity is a number or a name', () => {
  const severity = (json: string): number => logsOfJson(`"severityNumber":${json}`).rows[0]!.severityNumber
  assert.deepEqual(
    ['9', '"9"', '"SEVERITY_NUMBER_INFO"', '"SEVERITY_NUMBER_FATAL4"', '"LOUD"'].map(severity),
    [9, 9, 9, 24, 0],
  )
})
