import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { encodePeerMessages } from '../framing/peer-messages.ts'
import { gelf } from './gelf.ts'

function decode(...messages: Uint8Array[]): { rows: EventRow[]; rejected: number; reason: string } {
  const body = encodePeerMessages(messages.map((message) => ({ peer: '10.0.0.9', body: message })))
  const { batch, rejected, rejectedReason } = gelf.decode(body, { receivedAtMs: 1_763_900_000_000 })
  return { rows: eventRows(batch as EventBatch), rejected, reason: rejectedReason }
}

const message = {
  version: '1.1',
  host: 'web-1',
  short_message: 'refused',
  full_message: 'refused\nat pay',
  timestamp: 1763890000.25,
  level: 3,
  line: 17,
  _service: 'shop',
  _user_id: 9001,
  _ratio: 0.5,
  _trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
}

for (const [name, pack] of [
  ['plain', (bytes: Buffer) => bytes],
  ['gzip', zlib.gzipSync],
  ['zlib', zlib.deflateSync],
] as const) {
  test(`a ${name} message becomes an event`, () => {
    const { rows, rejected } = decode(pack(Buffer.from(JSON.stringify(message))))
    assert.equal(rejected, 0)
    assert.deepEqual(rows, [
      {
        time: 1_763_890_000_250_000_000n,
        body: 'refused',
        type: '',
        severity: '17 ERROR',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '',
        flags: 0,
        service: 'shop',
        scope: '',
        resource: { 'service.name': 'shop', 'host.name': 'web-1' },
        attributes: {
          full_message: 'refused\nat pay',
          'code.line.number': 17n,
          user_id: 9001n,
          ratio: 0.5,
          'network.peer.address': '10.0.0.9',
        },
      },
    ])
  })
}

test("the sender's fields with the names of standard ones are attributes, in any order", () => {
  const own = { _level: 'gold', _host: 'elsewhere', _timestamp: 1, _id: 'a1', _message: 'own' }
  const { version, host, short_message, timestamp, level } = message
  const given = { version, host, short_message, timestamp, level }
  for (const both of [
    { ...own, ...given },
    { ...given, ...own },
  ]) {
    const { rows } = decode(Buffer.from(JSON.stringify(both)))
    const { time, body, severity, resource, attributes } = rows[0]!
    assert.deepEqual(
      [time, body, severity, resource['host.name']],
      [1_763_890_000_250_000_000n, 'refused', '17 ERROR', 'web-1'],
    )
    const { level: ownLevel, host: ownHost, timestamp: ownTime, id, message: ownMessage } = attributes
    assert.deepEqual([ownLevel, ownHost, ownTime, id, ownMessage], ['gold', 'elsewhere', 1n, 'a1', 'own'])
  }
})

test("a sender's field stands in for a standard one that is missing", () => {
  const { rows } = decode(Buffer.from('{"short_message":"m","_level":"warn","_host":"web-2"}'))
  assert.deepEqual([rows[0]!.severity, rows[0]!.resource['host.name']], ['13 warn', 'web-2'])
})

test('a byte order mark before a message and zeros after it are ignored', () => {
  const { rows, rejected } = decode(
    Buffer.from('\ufeff{"short_message":"m"}'),
    zlib.gzipSync('\ufeff{"short_message":"m"}'),
    Buffer.from('{"short_message":"m"}\n\0'),
  )
  assert.deepEqual([rows.map(({ body }) => body), rejected], [['m', 'm', 'm'], 0])
})

test('only the bad message is rejected', () => {
  const good = Buffer.from(JSON.stringify(message))
  const bad = ['{}', 'text', '[1]', '{"short_message":"x"} y', '{"short_message":'].map((text) => Buffer.from(text))
  const { rows, rejected, reason } = decode(good, ...bad, zlib.gzipSync(good).subarray(0, 20), good)
  assert.deepEqual([rows.length, rejected, reason], [2, 6, 'a GELF message has no short_message'])
})

test('a small message cannot unpack to more than the bound', () => {
  const { rejected, reason } = decode(zlib.gzipSync(Buffer.alloc(65 * 1024 * 1024)))
  assert.equal(rejected, 1)
  assert.match(reason, /larger than/)
})

test('any bytes are one row or one rejection', () => {
  const prefixes = fc.constantFrom(
    Buffer.from(''),
    Buffer.from([0x1f, 0x8b]),
    Buffer.from([0x78, 0x9c]),
    Buffer.from('{"short_message":"a"'),
  )
  fc.assert(
    fc.property(prefixes, fc.uint8Array({ maxLength: 100 }), (prefix, rest) => {
      const { rows, rejected } = decode(Buffer.concat([prefix, rest]))
      assert.equal(rows.length + rejected, 1)
    }),
    { numRuns: 500 },
  )
})
