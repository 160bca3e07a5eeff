/**
 * Texts of one thing again and again, long: whatever looks for a pattern in them must not look again
 * from each place. What takes quadratic time does not end within the limit of the test, by a factor of ten and more.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '@msgpack/msgpack'
import { InputError } from '../../src/base/errors.ts'
import type { Codec } from '../../src/codec/codec.ts'
import { forward } from '../../src/codec/forward/forward.ts'
import { encodePeerMessages } from '../../src/codec/framing/peer-messages.ts'
import { gelf } from '../../src/codec/gelf/gelf.ts'
import { eventsJson, eventsText, lines } from '../../src/codec/lines/lines.ts'
import { syslog } from '../../src/codec/syslog/syslog.ts'
import { encodeTailHeader } from '../../src/codec/tail/tail-body.ts'
import { joinOf, type ParserName } from '../../src/codec/tail/tail-format.ts'
import { tail } from '../../src/codec/tail/tail.ts'

const bytes = 128 * 1024
const timeout = 60_000

const repeated = [
  ['\n', '\r', '\0', ' ', '\t', 'a', '0', '-', ':', ';', '.', '=', '"', '\\', '[', ']', '{', '<', ',', '/', '😀'],
  ['a="', '[a ', '[a b="c"]', '\\"', ' -', '1.', '{"a":', '["', '[{', ' a=b', '\n at ', '\0\n'],
  [
    '2026-11-23T10:00:00Z stdout P a\n',
    '2026-11-23T10:00:00Z stderr F\n',
    '{"log":"',
    '{"log":"a","stream":"stdout","time":"t"}\n',
  ],
  ['trace_id=', 'traceparent=00-', 'Root=1-', 'b3: ', '4bf92f3577b34da6', 'Nov 23 ', 'Caused by: ', 'File "'],
  [
    '00:20:10: ',
    '1d02h: ',
    '82: ',
    'sw1: ',
    'RP/0/0/CPU0:',
    '%A-5-B ',
    '%',
    'forwarded from a: ',
    'a=1 ',
    'date=',
    '*a: ',
  ],
  [
    '[a,',
    ',4bf92f3577b34da6',
    '|4bf92f3577b34da6',
    '00-4bf92f35',
    'dd.trace_id=1 ',
    '"trace":{"id":"',
    'span_id=',
    '::',
  ],
].flat()
const before = ['', '<13>1 2026-11-27T06:40:00Z m a - - - ', '<13>1 - - - - - [x ', 'trace_id=', '1.2.3.4 - - [', '"']
const ofDevices = ['<189>82: sw1: ', '<13>Nov 23 10:00:00 ', '<189>date=2025-11-23 time=10:00:00 ']
const behind = ['', 'x', '"']

const ofPeer = (text: string): Uint8Array => encodePeerMessages([{ peer: '::1', body: Buffer.from(text) }])
const field = (text: string): object => ({ message: text, level: text, time: text, trace_id: text, traceparent: text })

function tailed(parser: ParserName): (text: string) => Uint8Array {
  const format = { parser, join: joinOf(parser), encoding: 'utf-8' } as const
  const header = { v: 1, file: '0011', from: 0, path: '/a.log', host: 'box', service: '', type: '', format } as const
  return (text) => Buffer.concat([encodeTailHeader(header), Buffer.from(text)])
}

const targets: readonly (readonly [name: string, codec: Codec, body: (text: string) => Uint8Array])[] = [
  ['syslog', syslog, ofPeer],
  ['lines', lines, ofPeer],
  ['posted text', eventsText, (text) => Buffer.from(text)],
  ['posted JSON', eventsJson, (text) => Buffer.from(text)],
  ['fields of JSON', eventsJson, (text) => Buffer.from(JSON.stringify(field(text)))],
  ['GELF', gelf, (text) => ofPeer(JSON.stringify({ version: '1.1', short_message: text, _trace_id: text }))],
  ['Forward', forward, (text) => new Encoder().encode(['tag', 1, field(text)])],
  ...(['auto', 'json', 'logfmt', 'combined', 'python', 'plain'] as const).map(
    (parser) => [`a file read as ${parser}`, tail, tailed(parser)] as const,
  ),
]

for (const [name, codec, bodyOf] of targets) {
  test(`${name}: a text of one thing again and again`, { timeout }, () => {
    for (const start of name === 'syslog' ? [...before, ...ofDevices] : before) {
      for (const part of repeated) {
        for (const end of behind) {
          const body = bodyOf(start + part.repeat(Math.ceil(bytes / part.length)) + end)
          try {
            codec.decode(body, { receivedAtMs: 1_763_900_000_000 })
          } catch (error) {
            assert.ok(error instanceof InputError, `${JSON.stringify([start, part, end])}: ${String(error)}`)
          }
        }
      }
    }
  })
}
