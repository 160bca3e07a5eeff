import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { encodePeerMessages } from '../framing/peer-messages.ts'
import { syslog } from './syslog.ts'

const receivedAtMs = Date.UTC(2025, 10, 23, 12)

function decode(...messages: string[]): EventRow[] {
  const body = encodePeerMessages(messages.map((text) => ({ peer: '10.0.0.9', body: Buffer.from(text) })))
  return eventRows(syslog.decode(body, { receivedAtMs }).batch as EventBatch)
}

/** `host app pid type severity | body`, with - for what is missing. */
function shown(message: string): string {
  const row = decode(message)[0]!
  const { 'host.name': host, 'process.pid': pid } = row.resource as Record<string, string | bigint | undefined>
  const service = row.service === 'unknown_service' ? '' : row.service
  const parts = [host, service, pid, row.type, row.severity.replace(' ', ':')].map((part) => String(part ?? '') || '-')
  return `${parts.join(' ')} | ${String(row.body)}`
}

for (const [message, expected] of [
  [
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed",
    "mymachine.example.com su - ID47 18:crit | 'su root' failed",
  ],
  [
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
    "192.0.2.1 myproc 8710 - 10:notice | %% It's time",
  ],
  ['<14>1 - - - - - -', '10.0.0.9 - - - 9:info | '],
  ['<34>Oct 11 22:14:15 mymachine su[230]: failed', 'mymachine su 230 - 18:crit | failed'],
  ['<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!', '10.0.0.99 - - - 10:notice | Use the BFG!'],
  ['<13>Nov 23 09:00:00 cron[12]: no host here', '10.0.0.9 cron 12 - 10:notice | no host here'],
  [
    '<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured',
    '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: Configured',
  ],
  [
    '<189>30: Nov 23 06:00:20.123 CET: %SYS-5-CONFIG_I: Configured',
    '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: Configured',
  ],
  [
    '<189>31: sw1: .Nov 23 06:00:21.123: %SYS-5-CONFIG_I: Configured',
    'sw1 - - - 10:notice | %SYS-5-CONFIG_I: Configured',
  ],
  ['<13>Nov 23 09:00:00 CRON: no host here', '10.0.0.9 CRON - - 10:notice | no host here'],
  ['<30>2025-11-23T10:00:00.5+01:00 web nginx: GET /', 'web nginx - - 9:info | GET /'],
  ['no header at all: really', '10.0.0.9 - - - - | no header at all: really'],
  ['<999>Oct 11 22:14:15 x y: z', '10.0.0.9 - - - - | <999>Oct 11 22:14:15 x y: z'],
] as const) {
  test(`${message} is ${expected}`, () => assert.equal(shown(message), expected))
}

test('a megabyte of line ends behind a message takes no time', () => {
  assert.equal(shown(`<13>1 - - app - - - D\n${'\n'.repeat(1 << 20)}`), '10.0.0.9 app - - 10:notice | D')
  assert.match(shown(`<13>1 - - app - - - ${'\n'.repeat(1 << 20)}x`), /\| \n+x$/)
})

test('a parameter that comes more than once is a list, an element without any is true', () => {
  const [row] = decode('<165>1 - h app - - [origin ip="192.0.2.1" ip="192.0.2.129"][x] text')
  const { 'syslog.origin.ip': ip, 'syslog.x': x } = row!.attributes
  assert.deepEqual([ip, x], [['192.0.2.1', '192.0.2.129'], true])
})

test('structured data becomes attributes, escapes undone', () => {
  const [row] = decode(
    '<165>1 2003-10-11T22:14:15.003Z h app 1 m [ex@1 iut="3" q="a \\"b\\" \\] \\\\ c"][meta lang="en"] text',
  )
  assert.deepEqual(row!.attributes, {
    'syslog.facility': 'local4',
    'syslog.ex@1.iut': '3',
    'syslog.ex@1.q': 'a "b" ] \\ c',
    'syslog.meta.lang': 'en',
    'network.peer.address': '10.0.0.9',
  })
  assert.equal(row!.body, 'text')
})

test('a trace named in structured data or in the text is joined', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const [one, two] = decode(
    `<14>1 - h a - - [otel trace_id="${trace}" span_id="00f067aa0ba902b7"] x`,
    `<14>Nov 23 09:00:00 h a: done trace_id=${trace} span_id=00f067aa0ba902b7`,
  )
  for (const row of [one!, two!]) assert.deepEqual([row.traceId, row.spanId], [trace, '00f067aa0ba902b7'])
})

test('times keep their fraction and zone; BSD times take the year nearest to the receipt', () => {
  const time = (message: string) => decode(message)[0]!.time
  assert.equal(time('<14>1 2003-10-11T22:14:15.003000001Z h a - - - x'), 1_065_910_455_003_000_001n)
  const local = (...parts: [number, number, number, number]): bigint =>
    BigInt(new Date(...parts).getTime()) * 1_000_000n
  assert.equal(time('<14>Nov 23 09:00:00 h a: x'), local(2025, 10, 23, 9))
  assert.equal(time('<14>Jan  1 00:00:00 h a: x'), local(2026, 0, 1, 0))
  assert.equal(time('<14>Feb 30 00:00:00 h a: x'), 0n)
})

test('an empty message is rejected alone', () => {
  const body = encodePeerMessages(['', ' \n', '<14>x'].map((text) => ({ peer: '::1', body: Buffer.from(text) })))
  const { batch, rejected, rejectedReason } = syslog.decode(body, { receivedAtMs })
  assert.deepEqual([batch.rows, rejected, rejectedReason], [1, 2, 'a syslog message is empty'])
})

test('any bytes are a message', () => {
  const header = fc.constantFrom('', '<34>1 ', '<34>Oct 11 22:14:15 ', '<34>1 - h a p m [a b="', '<13>Nov')
  fc.assert(
    fc.property(header, fc.uint8Array({ minLength: 1, maxLength: 200 }), (start, rest) => {
      const body = encodePeerMessages([{ peer: '::1', body: Buffer.concat([Buffer.from(start), rest]) }])
      const { batch, rejected } = syslog.decode(body, { receivedAtMs })
      assert.equal(batch.rows + rejected, 1)
    }),
    { numRuns: 500 },
  )
})

test('a long line of brackets and quotes takes no longer than any other', () => {
  const started = performance.now()
  for (const piece of ['[a b="', '[a b="\\', '[a ', '=']) decode(`<34>1 - h a p m ${piece.repeat(20_000)}`)
  assert.ok(performance.now() - started < 1000)
})
