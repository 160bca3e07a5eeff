import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import { InputError } from '../../base/errors.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import { encodeTailHeader, type TailHeader } from './tail-body.ts'
import { joinOf, type ParserName, type TailFormat } from './tail-format.ts'
import { tail } from './tail.ts'

const receivedAtMs = 1_763_900_000_000

function headerOf(format: Partial<TailFormat> = {}, more: Partial<TailHeader> = {}): TailHeader {
  const parser: ParserName = format.parser ?? 'auto'
  return {
    v: 1,
    file: '00112233aabbccdd',
    from: 0,
    path: '/var/log/app.log',
    host: 'box',
    service: 'shop',
    type: '',
    format: { parser, join: joinOf(parser), encoding: 'utf-8', ...format },
    ...more,
  }
}

function decode(text: string | Buffer, format: Partial<TailFormat> = {}, more: Partial<TailHeader> = {}): EventRow[] {
  const body = Buffer.concat([encodeTailHeader(headerOf(format, more)), Buffer.from(text as string)])
  const { batch, rejected } = tail.decode(Uint8Array.from(body), { receivedAtMs })
  assert.equal(rejected, 0)
  return eventRows(batch as EventBatch)
}

const bodies = (text: string | Buffer, format: Partial<TailFormat> = {}): unknown[] =>
  decode(text, format).map((row) => row.body)

/** Local time as the parsers must read a time without a zone. */
const local = (text: string): bigint => BigInt(new Date(text).getTime()) * 1_000_000n

test('plain lines keep their order, host, service and path', () => {
  const rows = decode('one\r\ntwo\n\nthree\n', { parser: 'plain' })
  assert.deepEqual(
    rows.map((row) => [row.body, row.service, row.resource['host.name'], row.attributes['log.file.path']]),
    ['one', 'two', 'three'].map((body) => [body, 'shop', 'box', '/var/log/app.log']),
  )
  const { batch } = tail.decode(Buffer.concat([encodeTailHeader(headerOf()), Buffer.from('a\nb\n')]), { receivedAtMs })
  const received = BigInt(receivedAtMs) * 1_000_000n
  assert.deepEqual([...(batch as EventBatch).times], [received, received + 1n])
})

test('JSON lines: common names go to their columns, the others keep their type', () => {
  const line = {
    time: '2026-11-23T06:25:04.123456789Z', level: 'warn', msg: 'slow', trace_id: '0af7651916cd43dd8448eb211c80319c',
    span_id: 'b7ad6b7169203331', logger: 'db', service: 'orders', n: 42, ratio: 2.5, ok: true, list: [1, 'a'], none: null,
  } // prettier-ignore
  const text = JSON.stringify(line).replace('42', '9007199254740993')
  const [row] = decode(`${text}\n`, { parser: 'json' })
  assert.equal(row!.time, 1_795_415_104_123_456_789n)
  assert.equal(row!.body, 'slow')
  assert.equal(row!.severity, '13 warn')
  assert.equal(row!.traceId, '0af7651916cd43dd8448eb211c80319c')
  assert.equal(row!.spanId, 'b7ad6b7169203331')
  assert.equal(row!.scope, 'db')
  assert.equal(row!.service, 'orders')
  const { n, ratio, ok, list, none } = row!.attributes
  assert.deepEqual([n, ratio, ok, list, none], [9007199254740993n, 2.5, true, [1n, 'a'], null])
})

test('a line that its parser does not recognise is kept whole and marked', () => {
  const rows = decode('{"a":1}\nnot json {\n', { parser: 'json' })
  assert.deepEqual(
    rows.map((row) => [row.body, row.attributes['log.unparsed']]),
    [
      ['{"a":1}', undefined],
      ['not json {', true],
    ],
  )
})

test('logfmt: quotes, escapes, types, bare keys', () => {
  const [row] = decode(
    String.raw`ts=2026-11-23T06:25:04Z level=error msg="it \"broke\"\n" took=1.5 n=7 id=0123 long=12345678901234567890 flag ok=false empty=` +
      '\n',
    { parser: 'logfmt' },
  )
  assert.equal(row!.body, 'it "broke"\n')
  assert.equal(row!.severity, '17 error')
  assert.equal(row!.time, 1_795_415_104_000_000_000n)
  const { 'log.file.path': _, ...rest } = row!.attributes
  assert.deepEqual(rest, {
    took: 1.5,
    n: 7n,
    id: '0123',
    long: '12345678901234567890',
    flag: true,
    ok: false,
    empty: '',
  })
  assert.equal(decode('just a sentence\n', { parser: 'logfmt' })[0]!.attributes['log.unparsed'], true)
})

test('Apache and nginx: combined, common, with escapes and more fields after them', () => {
  const combined = String.raw`203.0.113.7 - ada [10/Oct/2026:13:55:36 -0700] "GET /cart?id=7&x=\x22 HTTP/1.1" 503 2326 "https://shop.example/" "Mozilla/5.0 (\"x\") \xc3\xa9" rt=0.2`
  const [row, common] = decode(`${combined}\n::1 - - [01/Jan/2026:00:00:00 +0000] "-" 408 -\n`, { parser: 'combined' })
  const { 'log.file.path': _, ...attributes } = row!.attributes
  assert.deepEqual(attributes, {
    'client.address': '203.0.113.7',
    'user.name': 'ada',
    'http.request.method': 'GET',
    'url.path': '/cart',
    'url.query': 'id=7&x="',
    'network.protocol.version': '1.1',
    'http.response.status_code': 503n,
    'http.response.body.size': 2326n,
    'http.request.header.referer': 'https://shop.example/',
    'user_agent.original': 'Mozilla/5.0 ("x") é',
    'log.record.rest': 'rt=0.2',
  })
  assert.equal(row!.body, combined)
  assert.equal(row!.severity, '17 ERROR')
  assert.equal(row!.time, BigInt(Date.UTC(2026, 9, 10, 20, 55, 36)) * 1_000_000n)
  assert.deepEqual([common!.severity, common!.attributes['client.address']], ['13 WARN', '::1'])
})

test('an access log behind a proxy names every address that the request came through', () => {
  const line = '203.0.113.7, 10.0.0.4 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 502 157 "-" "-"\n'
  const [row] = decode(line, { parser: 'combined' })
  const { 'client.address': client, 'http.request.header.x-forwarded-for': all, 'user.name': user } = row!.attributes
  assert.deepEqual([client, all, user], ['203.0.113.7', '203.0.113.7, 10.0.0.4', undefined])
})

test('Python logging: the default form, the common ones, a traceback', () => {
  const text = [
    'WARNING:shop.cart:low stock',
    '2026-11-23 06:25:04,123 - shop.db - ERROR - failed',
    'Traceback (most recent call last):',
    '  File "a.py", line 1, in <module>',
    '    f()',
    'KeyError: 7',
    '',
    'During handling of the above exception, another exception occurred:',
    '',
    'Traceback (most recent call last):',
    '  File "b.py", line 2, in <module>',
    'shop.errors.Late: too late',
    '2026-11-23 06:25:05,000 INFO shop.cart: done',
    'with a second line',
    '2026-11-23 06:25:06.5 [DEBUG] [root] x',
  ].join('\n')
  const rows = decode(`${text}\n`, { parser: 'python' })
  assert.deepEqual(
    rows.map((row) => [row.time, row.severity, row.scope, row.body]),
    [
      [0n, '13 WARNING', 'shop.cart', 'low stock'],
      [local('2026-11-23T06:25:04.123'), '17 ERROR', 'shop.db', 'failed'],
      [local('2026-11-23T06:25:05'), '9 INFO', 'shop.cart', 'done\nwith a second line'],
      [local('2026-11-23T06:25:06.5'), '5 DEBUG', 'root', 'x'],
    ],
  )
  const { attributes } = rows[1]!
  assert.equal(attributes['exception.type'], 'shop.errors.Late')
  assert.equal(attributes['exception.message'], 'too late')
  assert.match(String(attributes['exception.stacktrace']), /^Traceback[^]*KeyError: 7[^]*too late$/)
})

test('python: a word is the logger only where a mark says so', () => {
  const lines = [
    ['2026-11-23 06:25:04,123 INFO Server started on port 80', '9 INFO', '', 'Server started on port 80'],
    ['2026-11-23 06:25:04,123 - INFO - ready - for all', '9 INFO', '', 'ready - for all'],
    ['2026-11-23 06:25:04,123 - shop.cart - INFO - sold', '9 INFO', 'shop.cart', 'sold'],
    ['2026-11-23 06:25:04,123 INFO     shop.cart: sold', '9 INFO', 'shop.cart', 'sold'],
    ['2026-11-23 06:25:04,123 [INFO ] [shop.cart] sold', '9 INFO', 'shop.cart', 'sold'],
    ['[2026-11-23 06:25:04,123] ERROR in app: Exception on /pay [POST]', '17 ERROR', 'app', 'Exception on /pay [POST]'],
  ] as const
  for (const parser of ['python', 'auto'] as const) {
    const rows = decode(lines.map(([line]) => `${line}\n`).join(''), { parser })
    assert.deepEqual(
      rows.map((row) => [row.time, row.severity, row.scope, row.body]),
      lines.map(([, ...expected]) => [local('2026-11-23T06:25:04.123'), ...expected]),
    )
  }
})

test('python: lines of gunicorn and uvicorn are records of their own', () => {
  const text =
    '[2026-11-23 06:25:04 +0000] [7] [INFO] Listening at: http://127.0.0.1:8000 (7)\nINFO:     Started server\n'
  const [gunicorn, uvicorn] = decode(text, { parser: 'python' })
  assert.deepEqual(
    [gunicorn!.time, gunicorn!.severity, gunicorn!.resource['process.pid'], gunicorn!.body],
    [1_795_415_104_000_000_000n, '9 INFO', 7n, 'Listening at: http://127.0.0.1:8000 (7)'],
  )
  assert.deepEqual([uvicorn!.severity, uvicorn!.scope, uvicorn!.body], ['9 INFO', '', 'Started server'])
})

test('a pattern: named groups are keys; text that does not match is kept', () => {
  const pattern = String.raw`^(?<time>\S+) (?<level>[A-Z]+) \[(?<thread>[^\]]+)\] (?<message>.*?)(?: in (?<took>\d+) ms)?$`
  const rows = decode('2026-11-23T06:25:04Z WARN [main] slow query in 250 ms\n???\n', { parser: 'pattern', pattern })
  assert.deepEqual(
    [rows[0]!.body, rows[0]!.severity, rows[0]!.attributes.took, rows[0]!.attributes.thread],
    ['slow query', '13 WARN', 250n, 'main'],
  )
  assert.deepEqual([rows[1]!.body, rows[1]!.attributes['log.unparsed']], ['???', true])
})

test('auto: each line by its form', () => {
  const text = [
    '{"message":"json","level":"info"}',
    '1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.0" 200 5',
    'level=debug msg=logfmt',
    'INFO:a:python',
    'plain, a=b',
  ].join('\n')
  const rows = decode(`${text}\n`)
  assert.deepEqual(
    rows.map((row) => row.severity),
    ['9 info', '9 INFO', '5 debug', '9 INFO', ''],
  )
  assert.deepEqual(
    rows.map((row) => row.body),
    ['json', text.split('\n')[1], 'logfmt', 'python', 'plain, a=b'],
  )
  assert.ok(rows.every((row) => row.attributes['log.unparsed'] === undefined))
})

test('auto: time and level at the head of any other line, which stays whole', () => {
  const lines = [
    ['2026/11/23 06:25:04 started', '', '2026-11-23T06:25:04'],
    ['2026/11/23 06:25:04 [error] 12#12: *1 open() failed', '17 error', '2026-11-23T06:25:04'],
    ['2026-11-23 06:25:04.123 | WARNING  | app:main:12 - slow', '13 WARNING', '2026-11-23T06:25:04.123'],
    ['2026-11-23 06:25:04.123 [main] ERROR c.e.Shop - late', '17 ERROR', '2026-11-23T06:25:04.123'],
    ['[2026-11-23T06:25:04Z NOTICE shop] ready', '10 NOTICE', '2026-11-23T06:25:04Z'],
    ['2026-11-23 06:25:04.123 UTC [77] LOG:  checkpoint', '', '2026-11-23T06:25:04.123Z'],
    ['2026-11-23T06:25:04.5+01:00\tFATAL\tout of memory', '21 FATAL', '2026-11-23T06:25:04.5+01:00'],
    ['2026-11-23 06:25:04 an ERROR is only mentioned', '', '2026-11-23T06:25:04'],
  ] as const
  const rows = decode(lines.map(([line]) => `${line}\n`).join(''))
  assert.deepEqual(
    rows.map((row) => [row.body, row.severity, row.time]),
    lines.map(([line, severity, time]) => [line, severity, local(time)]),
  )
  for (const noTime of ['2026-13-23 06:25:04 x', '2026-11-23 06:25:04x', '06:25:04 ERROR x'])
    assert.deepEqual([decode(`${noTime}\n`)[0]!.time, decode(`${noTime}\n`)[0]!.severity], [0n, ''])
})

test('auto joins the stack traces of Java, JavaScript, Python and Go', () => {
  const events = [
    '10:00 ERROR boom\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:7)\nCaused by: java.io.IOException: disk\n\t... 12 more',
    '10:01 next',
    'TypeError: x is not a function\n    at f (/srv/a.js:1:2)\n    at g (/srv/a.js:3:4)',
    'starting\nTraceback (most recent call last):\n  File "a.py", line 1\nValueError: bad',
    'after python',
    'panic: nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/main.go:5 +0x1\nexit status 2',
    'after go',
    'object {\n  a: 1\n}',
    'last',
  ]
  assert.deepEqual(bodies(events.join('\n') + '\n'), events)
})

test('joining by indentation and by first lines', () => {
  assert.deepEqual(bodies('a\n  b\nc\n}\n', { parser: 'plain', join: 'indent' }), ['a\n  b', 'c', '}'])
  const start = String.raw`^\d{4}-`
  assert.deepEqual(bodies('2026-01 a\nx\ny\n2026-02 b\n', { parser: 'plain', join: { start } }), [
    '2026-01 a\nx\ny',
    '2026-02 b',
  ])
})

test('encodings: latin1, UTF-16, byte order marks, bytes that are not text', () => {
  assert.deepEqual(bodies(Buffer.from('caf\xe9\n', 'latin1'), { encoding: 'latin1' }), ['café'])
  assert.deepEqual(bodies(Buffer.from('\ufeffਊ one\r\ntwo\n', 'utf16le'), { encoding: 'utf-16le' }), ['ਊ one', 'two'])
  assert.deepEqual(bodies('\ufeffone\ntwo\n'), ['one', 'two'])
  assert.deepEqual(bodies(Buffer.from('a\xff\xfeb\nok é\n', 'latin1')), ['a\ufffd\ufffdb', 'ok \ufffd'])
  assert.deepEqual(bodies(Buffer.from('\0\0\0\0line\n')), ['line'])
})

test('lines name their trace in every usual way', () => {
  const [row] = decode('handled traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 fine\n', {
    parser: 'plain',
  })
  assert.deepEqual([row!.traceId, row!.spanId], ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'])
})

test('the type given for a file, and the type in the record', () => {
  const rows = decode('{"message":"a"}\n{"message":"b","event_name":"own"}\n', {}, { type: 'audit' })
  assert.deepEqual(
    rows.map((row) => row.type),
    ['audit', 'own'],
  )
})

test('bodies that the tailer did not write are refused, whatever their bytes', () => {
  const good = headerOf()
  const wrong = [
    '',
    'no header',
    '\n',
    'null\n',
    '[]\n',
    '{}\n',
    JSON.stringify({ ...good, v: 2 }) + '\n',
    JSON.stringify({ ...good, from: 'x' }) + '\n',
  ]
  wrong.push(JSON.stringify({ ...good, format: { ...good.format, parser: 'pattern', pattern: '(' } }) + '\n')
  wrong.push(JSON.stringify({ ...good, format: { ...good.format, join: { start: '[' } } }) + '\n')
  for (const text of wrong) assert.throws(() => tail.decode(Buffer.from(text), { receivedAtMs }), InputError, text)
  const head = encodeTailHeader(good)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(), (noise, at) => {
      const flipped = Uint8Array.from(head)
      flipped[at % flipped.length]! ^= 1 << (at % 8)
      for (const body of [noise, Buffer.concat([flipped, noise])]) {
        try {
          tail.decode(body, { receivedAtMs })
        } catch (error) {
          assert.ok(error instanceof InputError, String(error))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('any bytes of any file become rows of well-formed text', () => {
  const piece = fc.constantFrom(
    '\n',
    '\r\n',
    ' ',
    '{',
    '}',
    '"',
    '=',
    '\\',
    'a=',
    '{"a":',
    'Traceback (most recent call last):\n',
    'INFO:',
    '2026-01-01 ',
    '\ufeff',
    'é',
  )
  const bytes = fc.array(
    fc.oneof(
      piece.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map((part) => Buffer.from(part)),
    ),
    { maxLength: 60 },
  )
  const parser = fc.constantFrom<ParserName>('auto', 'json', 'logfmt', 'combined', 'python', 'plain')
  const encoding = fc.constantFrom('utf-8' as const, 'latin1' as const, 'utf-16le' as const)
  fc.assert(
    fc.property(bytes, parser, encoding, (parts, name, code) => {
      for (const row of decode(Buffer.concat(parts), { parser: name, encoding: code })) {
        assert.equal(typeof row.body, 'string')
        assert.ok((row.body as string).isWellFormed())
      }
    }),
    { numRuns: 1500 },
  )
})

const head = (nano: number, stream: string, tag: string): string =>
  `2026-11-23T10:00:00.${String(nano).padStart(9, '0')}Z ${stream} ${tag} `
const at = (nano: bigint): bigint => BigInt(Date.UTC(2026, 10, 23, 10)) * 1_000_000n + nano

test('CRI: the head gives time and stream, the content is read as a line of its own', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const json = `{"level":"warn","msg":"slow","trace_id":"${trace}","amount":12,"time":"2020-01-01T00:00:00Z"}`
  const [row, text, logfmt] = decode(
    `${head(1, 'stdout', 'F')}${json}\n${head(2, 'stderr', 'F')}2026-11-23 11:00:00 ERROR no\n${head(3, 'stdout', 'F')}level=info msg=ok\n`,
  )
  assert.deepEqual(
    [row!.time, row!.body, row!.severity, row!.traceId, row!.attributes.amount, row!.attributes['log.iostream']],
    [at(1n), 'slow', '13 warn', trace, 12n, 'stdout'],
  )
  assert.deepEqual(
    [text!.time, text!.severity.split(' ')[0], text!.attributes['log.iostream']],
    [at(2n), '17', 'stderr'],
  )
  assert.deepEqual([logfmt!.time, logfmt!.body], [at(3n), 'ok'])
})

for (const [what, lines, expected] of [
  ['pieces', ['1 stdout P a', '2 stdout P b', '3 stdout F c', '4 stdout F d'], ['1 stdout abc', '4 stdout d']],
  [
    'pieces of both streams',
    ['1 stdout P a', '2 stderr P x', '3 stderr F y', '4 stdout F b'],
    ['1 stdout ab', '2 stderr xy'],
  ],
  [
    'whole lines between',
    ['1 stdout P a', '2 stderr F x', '3 stderr F y', '4 stdout F b'],
    ['1 stdout ab', '2 stderr x', '3 stderr y'],
  ],
  [
    'a stack trace',
    ['1 stderr F E: no', '2 stderr F   at a', '3 stderr F next'],
    ['1 stderr E: no\n  at a', '3 stderr next'],
  ],
  ['a cut last line', ['1 stdout P a'], ['1 stdout a']],
  ['tags', ['1 stdout P:x a', '2 stdout F:x:y b'], ['1 stdout ab']],
  ['an empty line', ['1 stdout F', '2 stdout F a'], ['2 stdout a']],
] as const) {
  test(`CRI: ${what}`, () => {
    const text = lines.map((line) => {
      const [, nano, stream, tag, content] = /^(\d) (\w+) (\S+)(?: (.*))?$/.exec(line)!
      return head(Number(nano), stream!, tag!) + (content ?? '') + '\n'
    })
    const rows = decode(text.join(''))
    assert.deepEqual(
      rows.map((row) => `${row.time - at(0n)} ${String(row.attributes['log.iostream'])} ${String(row.body)}`),
      expected,
    )
  })
}

test("Docker's json-file: a log without a line end continues, its content is read", () => {
  const line = (log: string, nano: number): string =>
    JSON.stringify({ log, stream: 'stderr', attrs: { tag: 'a1' }, time: `2026-11-23T10:00:00.00000000${nano}Z` }) + '\n'
  // Other writers put spaces between the tokens.
  const spaced = (text: string): string => text.replaceAll('","', '", "').replaceAll('":', '": ')
  const rows = decode(
    line('{"level":"error",', 1) +
      line('"msg":"\\\\n"}\n', 2) +
      spaced(line('plain \\n', 3)) +
      spaced(line('more\n', 4)),
  )
  assert.deepEqual(
    rows.map((row) => [row.time, row.severity, row.body, row.attributes.attrs]),
    [
      [at(1n), '17 error', '\\n', { tag: 'a1' }],
      [at(3n), '', 'plain \\nmore', { tag: 'a1' }],
    ],
  )
})

test('the parsers pattern and plain get the whole line of a container', () => {
  const line = head(1, 'stdout', 'F') + 'x'
  assert.deepEqual(bodies(`${line}\n`, { parser: 'plain' }), [line])
  const pattern = { parser: 'pattern', pattern: '^(?<time>\\S+) \\S+ F (?<message>.*)$' } as const
  assert.deepEqual(bodies(`${line}\n`, pattern), ['x'])
})
