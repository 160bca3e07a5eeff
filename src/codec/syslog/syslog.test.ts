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
  ['<189>82: 00:20:10: %SYS-5-CONFIG_I: x', '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: x'],
  ['<189>84: 1d02h: %SYS-5-CONFIG_I: x', '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: x'],
  ['<189>84: sw1: *2w3d: %LINK-3-UPDOWN: x', 'sw1 - - - 10:notice | %LINK-3-UPDOWN: x'],
  ['<189>222: 333: *Nov 23 10:00:00.295: %SYS-5-CONFIG_I: x', '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: x'],
  ['<189>: *Nov 23 10:00:00: %SYS-5-CONFIG_I: x', '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: x'],
  ['<189>%SYS-5-CONFIG_I: x', '10.0.0.9 - - - 10:notice | %SYS-5-CONFIG_I: x'],
  [
    '<189>1234: RP/0/RSP0/CPU0:Nov 23 10:00:00.123 CET: config[65812]: %MGBL-CONFIG-6-DB_COMMIT : x',
    '10.0.0.9 config 65812 - 10:notice | %MGBL-CONFIG-6-DB_COMMIT : x',
  ],
  [
    '<189>1234: xr9 RP/0/RP0/CPU0:Nov 23 10:00:00.123 : config[65812]: %MGBL-SYS-5-CONFIG_I : x',
    'xr9 config 65812 - 10:notice | %MGBL-SYS-5-CONFIG_I : x',
  ],
  ['<189>: 2025 Nov 23 10:00:00.123 UTC: %ETHPORT-5-IF_UP: x', '10.0.0.9 - - - 10:notice | %ETHPORT-5-IF_UP: x'],
  [
    '<186>2025 Nov 23 10:00:00 n7k %$ VDC-1 %$ %USER-2-SYSTEM_MSG: x',
    'n7k - - - 18:crit | %$ VDC-1 %$ %USER-2-SYSTEM_MSG: x',
  ],
  ['<179>wlc: *task7: Nov 23 10:00:00.123: %CAPWAP-3-DUP: x', 'wlc task7 - - 17:err | %CAPWAP-3-DUP: x'],
  ['<166>Nov 23 2025 10:00:00 fw-7 : %ASA-4-106023: x', 'fw-7 - - - 9:info | %ASA-4-106023: x'],
  ['<166>Nov 23 2025 10:00:00 EDGE : %ASA-4-106023: x', 'EDGE - - - 9:info | %ASA-4-106023: x'],
  ['<166>Nov 23 2025 10:00:00 fw-8: %ASA-session-6-305012: x', 'fw-8 - - - 9:info | %ASA-session-6-305012: x'],
  ['<166>Nov 23 2025 10:00:00: %FTD-6-302014: x', '10.0.0.9 - - - 9:info | %FTD-6-302014: x'],
  ['<166>2025-11-23T10:00:00Z fw-9 : %FTD-6-302014: x', 'fw-9 - - - 9:info | %FTD-6-302014: x'],
  ['<166>:Nov 23 10:00:00 UTC: %ASA-6-302014: x', '10.0.0.9 - - - 9:info | %ASA-6-302014: x'],
  [
    '<189>Nov 23 10:00:01 10.1.1.1 31: sw1: .Nov 23 10:00:00.123: %SYS-5-CONFIG_I: x',
    'sw1 - - - 10:notice | %SYS-5-CONFIG_I: x',
  ],
  [
    '<13>Nov 23 10:00:00 web app: the switch said %SYS-5-CONFIG_I: x',
    'web app - - 10:notice | the switch said %SYS-5-CONFIG_I: x',
  ],
  [
    '<181> Nov 3 10:00:00 ISE-1 CISE_Failed_Attempts 0002 1 0 NOTICE',
    'ISE-1 - - - 10:notice | CISE_Failed_Attempts 0002 1 0 NOTICE',
  ],
  ['<13>Nov 23 10:00:00 Message forwarded from aix1: sshd[12]: x', 'aix1 sshd 12 - 10:notice | x'],
  ['<13>Nov 23 10:00:00 relay forwarded from aix1: sshd[12]: x', 'aix1 sshd 12 - 10:notice | x'],
  ['<13>Nov 23 10:00:00 last message repeated 3 times', '10.0.0.9 - - - 10:notice | last message repeated 3 times'],
  ['<13>Nov 23 10:00:00 2025 ap-1 stm[7]: x', 'ap-1 stm 7 - 10:notice | x'],
  ['<13>Sun Nov 23 10:00:00 UTC 2025 box app: x', 'box app - - 10:notice | x'],
  ['<13>2025 Nov 23 10:00:00 box app: x', 'box app - - 10:notice | x'],
  ['<13>Nov 23 10:00:00 CEST box app: x', 'box app - - 10:notice | x'],
  ['<13>Nov 23 10:00:00 +02:00 box app: x', 'box app - - 10:notice | x'],
  ['<13>Nov 23 10:00:00 UTC box app: x', 'box app - - 10:notice | x'],
  ['<190>%Nov 23 10:00:00:123 2025 H3C SHELL/5/LOGIN: x', 'H3C SHELL/5/LOGIN - - 9:info | x'],
  ['<28>Nov 23 10:00:00 mx1 mgd[123]: UI_CMD: x', 'mx1 mgd 123 - 13:warning | UI_CMD: x'],
  [
    '<14>Nov 23 10:00:00 PA-1 1,2025/11/23 10:00:00,0123,TRAFFIC,end',
    'PA-1 - - - 9:info | 1,2025/11/23 10:00:00,0123,TRAFFIC,end',
  ],
  ['<30>Nov 23 10:00:00 MikroTik system,info,account user in', 'MikroTik - - - 9:info | system,info,account user in'],
  ['<30>firewall,info forward: in:ether1', '10.0.0.9 - - - 9:info | firewall,info forward: in:ether1'],
  [
    '<166>2025-11-23T10:00:00.123Z esx1 Hostd: info hostd[21] [Originator@6876 sub=x] y',
    'esx1 Hostd - - 9:info | info hostd[21] [Originator@6876 sub=x] y',
  ],
  [
    '<189>date=2025-11-23 time=10:00:00 devname="fg-1" type="traffic" service="HTTPS"',
    'fg-1 - - - 10:notice | date=2025-11-23 time=10:00:00 devname="fg-1" type="traffic" service="HTTPS"',
  ],
  ['<40>1 2025-11-23T10:00:00Z h app web.1 - [main] started', 'h app - - 21:emerg | [main] started'],
  [
    '<40>1 2025-11-23T10:00:00Z h app web.1 - [Originator@6876 sub=x] y',
    'h app - - 21:emerg | [Originator@6876 sub=x] y',
  ],
  ['<158>Nov 23 10:00:00 h heroku[web.1]: x', 'h heroku - - 9:info | x'],
  ['\ufeff<34>Nov 23 10:00:00 h su[2]: x', 'h su 2 - 18:crit | x'],
  ['\ufeff<34>1 - h su 2 - - x', 'h su 2 - 18:crit | x'],
  ['17 <34>1 - h su 2 - - x', 'h su 2 - 18:crit | x'],
  ['no header at all: really', '10.0.0.9 - - - - | no header at all: really'],
  ['<999>Oct 11 22:14:15 x y: z', '10.0.0.9 - - - - | <999>Oct 11 22:14:15 x y: z'],
] as const) {
  test(`${message} is ${expected}`, () => assert.equal(shown(message), expected))
}

test('a megabyte of line ends after a message takes no time', () => {
  assert.equal(shown(`<13>1 - - app - - - D\n${'\n'.repeat(1 << 20)}`), '10.0.0.9 app - - 10:notice | D')
  assert.match(shown(`<13>1 - - app - - - ${'\n'.repeat(1 << 20)}x`), /\| \n+x$/)
})

test('a parameter that appears more than once is a list, an element without any is true', () => {
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

test('a zone after the clock counts: UTC, GMT and Z, offsets; other names are local', () => {
  const time = (date: string) => decode(`<189>45: sw3: .${date}: %CDP-4-X: x`)[0]!.time
  const utc = BigInt(Date.UTC(2025, 10, 23, 10)) * 1_000_000n
  const here = BigInt(new Date(2025, 10, 23, 10).getTime()) * 1_000_000n
  for (const [date, expected] of [
    ['Nov 23 10:00:00 UTC', utc],
    ['Nov 23 10:00:00.000 GMT', utc],
    ['Nov 23 10:00:00Z', utc],
    ['2025 Nov 23 10:00:00 UTC', utc],
    ['Nov 23 12:00:00 +02:00', utc],
    ['Nov 23 08:00:00 -0200', utc],
    ['Nov 23 10:00:00 CST', here],
    ['Nov 23 10:00:00 XYZ', here],
    ['Nov 23 2025 10:00:00', here],
  ] as const) {
    assert.equal(time(date), expected, date)
  }
})

test("a firewall's keys are attributes; its own time and zone count", () => {
  const [row] = decode(
    '<189>date=2025-11-23 time=10:00:00 devname="fg-1" tz="+0100" msg="a \\"b\\"" srcip=10.0.0.1',
    '<189>date=2025-11-23 time=10:00:00 devname="fg-1" eventtime=1763888400000000001 srcip=10.0.0.1',
  )
  assert.equal(row!.time, BigInt(Date.UTC(2025, 10, 23, 9)) * 1_000_000n)
  assert.deepEqual([row!.attributes.msg, row!.attributes.srcip], ['a "b"', '10.0.0.1'])
})

test('only the empty message is rejected', () => {
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
