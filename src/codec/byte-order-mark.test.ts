import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventRows } from '../../test/support/event-rows.ts'
import type { EventBatch } from '../model/event-batch.ts'
import type { Codec } from './codec.ts'
import { forwardJson } from './forward/forward-json.ts'
import { FrameBuffer } from './framing/frame-buffer.ts'
import { jsonFrames } from './framing/json-frames.ts'
import { encodePeerMessages } from './framing/peer-messages.ts'
import { gelf } from './gelf/gelf.ts'
import { eventsJson, eventsText, lines } from './lines/lines.ts'
import { otlpLogsJson } from './otlp/logs-json.ts'
import { otlpTracesJson } from './otlp/traces-json.ts'
import { syslog } from './syslog/syslog.ts'
import { encodeTailHeader } from './tail/tail-body.ts'
import { tail } from './tail/tail.ts'
import { zipkinJsonV2 } from './zipkin/json-v2.ts'

const receivedAtMs = 1_763_900_000_000
const mark = '\ufeff'

const plain = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const ofPeer = (text: string): Uint8Array => encodePeerMessages([{ peer: '', body: Buffer.from(text) }])

function tailed(text: string): Uint8Array {
  const format = { parser: 'auto', join: 'off', encoding: 'utf-8' } as const
  const header = { v: 1, file: '0011', from: 0, path: '/a.log', host: 'box', service: '', type: '', format } as const
  return Uint8Array.from(Buffer.concat([encodeTailHeader(header), Buffer.from(text)]))
}

const json = '{"severity":"warn","message":"m"}'

for (const [name, codec, bodyOf, text] of [
  ['syslog, RFC 5424', syslog, ofPeer, '<12>1 - h a - - - m'],
  ['syslog, RFC 3164', syslog, ofPeer, '<12>Nov 23 10:00:00 h a: m'],
  ['GELF', gelf, ofPeer, '{"short_message":"m","level":4}'],
  ['lines', lines, ofPeer, json],
  ['posted JSON', eventsJson, plain, json],
  ['posted text', eventsText, plain, json],
  ['a tailed file', tail, tailed, `${json}\n`],
  ['Forward as JSON', forwardJson, plain, `["tag",1763890000,${json}]`],
  [
    'OTLP as JSON',
    otlpLogsJson,
    plain,
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"m"},"severityText":"warn"}]}]}]}',
  ],
] as const satisfies readonly (readonly [string, Codec, (text: string) => Uint8Array, string])[]) {
  test(`a byte order mark before ${name} changes nothing`, () => {
    const { batch, rejected } = codec.decode(bodyOf(mark + text), { receivedAtMs })
    const rows = eventRows(batch as EventBatch)
    assert.deepEqual([rows.length, rejected, rows[0]?.body, rows[0]?.severity.split(' ')[0]], [1, 0, 'm', '13'])
  })
}

for (const [name, codec, text] of [
  [
    'Zipkin v2',
    zipkinJsonV2,
    '[{"traceId":"a1b2c3d4a1b2c3d4","id":"a1b2c3d4a1b2c3d4","name":"x","timestamp":1763890000000000}]',
  ],
  [
    'OTLP',
    otlpTracesJson,
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${'a1'.repeat(16)}","spanId":"${'b2'.repeat(8)}","name":"x","startTimeUnixNano":"1763890000000000000","endTimeUnixNano":"1763890000000000001"}]}]}]}`,
  ],
] as const) {
  test(`a byte order mark before the spans of ${name} changes nothing`, () => {
    const { batch, rejected } = codec.decode(plain(mark + text), { receivedAtMs })
    assert.deepEqual([batch.rows, rejected], [1, 0])
  })
}

test('a byte order mark before a stream of JSON is skipped', () => {
  const frames = new FrameBuffer(jsonFrames(), 1000)
  assert.deepEqual(frames.push(Buffer.from(`${mark}["a"]`)).map(String), [String(Buffer.from('["a"]'))])
})
