/** The command line against a running clew, through the real program on both sides. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { statusAnswer } from '../../src/api/native/contract/status.ts'
import { freePorts, freePortsExcept, runClew, serveClew, startClew, temporaryFolder } from './clew-process.ts'
import type { RunResult, ServedClew } from './clew-process.ts'
import { shopTrace, spansById } from './shop-trace.ts'
import type { ShopTrace } from './shop-trace.ts'

let clew: ServedClew
const shop: ShopTrace = shopTrace()

before(async () => {
  clew = await serveClew()
  await post('/v1/traces', shop.traces)
  await post('/v1/logs', shop.logs)
  await untilFound(clew.url, shop.traceId)
})

after(() => clew.stop())

async function post(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(clew.otlpUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.equal(response.status, 200, await response.text())
}

/** What was acknowledged must be found within two seconds. */
async function untilFound(url: string, traceId: string, spans = 3): Promise<void> {
  for (const deadline = Date.now() + 4000; ; await sleep(100)) {
    const response = await fetch(`${url}/api/v1/traces/${traceId}`)
    if (response.ok && spansById(await response.text()).size >= spans) return
    assert.ok(Date.now() < deadline, `trace ${traceId} is not found in time`)
  }
}

function run(...args: string[]): Promise<RunResult> {
  return runClew([...args, '--url', clew.url])
}

function done({ code, stdout, stderr }: RunResult): string {
  assert.deepEqual([code, stderr], [0, ''])
  return stdout
}

test('traces prints a table with times in a named zone, errors marked, and the count', async () => {
  const lines = done(await run('traces', '--since', '1h', '--service', 'shop')).split('\n')
  assert.match(lines[0] ?? '', /^trace +start \(UTC\) +duration +spans +errors +root$/)
  assert.match(
    lines[1] ?? '',
    new RegExp(
      `^${shop.traceId}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} +1\\.84 s +3 +1 ! +shop  POST /pay$`,
    ),
  )
  assert.equal(lines[2], '1 trace')
})

test('traces takes the filters of the API, and prints JSON', async () => {
  const filters = ['--operation', 'POST /pay', '--status', 'error', '--min-duration', '1s', '--max-duration', '2s']
  const attributes = ['--attribute', 'http.response.status_code=502', '--attribute', 'service.version=1.2.3']
  const { traces, total } = JSON.parse(done(await run('traces', ...filters, ...attributes, '--json'))) as {
    traces: { traceId: string; spanCount: number }[]
    total: number
  }
  assert.deepEqual([traces.map((trace) => [trace.traceId, trace.spanCount]), total], [[[shop.traceId, 3]], 1])
  assert.equal(done(await run('traces', '--min-duration', '1h')), 'no trace matches\n')
  const line = JSON.parse(done(await run('traces', '--ndjson', '--service', 'cart'))) as { traceId: string }
  assert.equal(line.traceId, shop.traceId)
})

test('trace draws the tree with bars', async () => {
  const lines = done(await run('trace', shop.traceId)).split('\n')
  assert.equal(lines[0], 'shop POST /pay  1.84 s  3 spans  2 services  1 error !')
  assert.match(lines[1] ?? '', new RegExp(`UTC  ${shop.traceId}$`))
  assert.match(lines[4] ?? '', /^shop POST \/pay ! +1\.84 s +1\.03 s {2}█─+█+$/)
  assert.match(lines[5] ?? '', /^└─ cart reserve +812 ms +792 ms {2,3}█+$/)
  assert.match(lines[6] ?? '', /^ {3}└─ cart SELECT stock +20\.0 ms +20\.0 ms {2,4}█+$/)
})

test('trace --attributes adds attributes, events, links and logs', async () => {
  const text = done(await run('trace', shop.traceId, '--attributes'))
  for (const part of [
    'http.response.status_code = 502',
    'cart.items = [tea, cup]',
    'resource service.version = 1.2.3',
    'status message: payment refused',
    'event +50.0 ms cache miss (cache.key = tea)',
    `link to span ${'b'.repeat(16)} of trace ${'a'.repeat(32)} (why = retry)`,
    'log +1.80 s ERROR payment refused by bank (bank = north)',
  ]) {
    assert.ok(text.includes(`  ${part}\n`), `${part} is missing in\n${text}`)
  }
})

test('trace --json prints OTLP JSON: what was sent', async () => {
  const text = done(await run('trace', shop.traceId, '--json'))
  assert.deepEqual(spansById(text), spansById(JSON.stringify(shop.traces)))
})

test('an unknown trace ends with 1, an id that is none with 2', async () => {
  const unknown = await run('trace', '0'.repeat(31) + '1')
  assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
  assert.match(unknown.stderr, /0{31}1/)
  const wrong = await run('trace', 'shop')
  assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
  const exported = await run('export', '--trace', '0'.repeat(31) + '1')
  assert.deepEqual([exported.code, exported.stdout], [1, ''])
})

test('events finds log records by words, severity and trace', async () => {
  const lines = done(await run('events', 'refused', 'payment', '--severity', 'error', '--trace', shop.traceId)).split(
    '\n',
  )
  assert.match(lines[0] ?? '', /^time \(UTC\) +severity +service +trace +type +body$/)
  assert.match(lines[1] ?? '', new RegExp(`ERROR +shop +${shop.traceId} +- +payment refused by bank$`))
  assert.equal(lines[2], '1 event')
  assert.equal(done(await run('events', 'nobody', 'said', 'this')), 'no event matches\n')
  const event = JSON.parse(done(await run('events', '--ndjson', '--type', 'cache miss'))) as {
    source: { protocol: string }
  }
  assert.equal(event.source.protocol, 'span_event')
})

test('services and nodes are listed', async () => {
  const services = done(await run('services'))
  assert.match(services, /^cart +1 +0 % +812 ms/m)
  assert.match(services, /^shop +1 +100 % +1\.84 s/m)
  const { nodes } = JSON.parse(done(await run('nodes', '--json'))) as {
    nodes: { service: string; type: string; version: string }[]
  }
  const instances = nodes
    .filter((node) => node.type === 'service_instance')
    .map((node) => `${node.service} ${node.version}`)
  assert.deepEqual(instances.sort(), ['cart 1.2.3', 'shop 1.2.3'])
  assert.match(done(await run('nodes')), /shop-1 +service_instance/)
})

test('doctor prints what listens and what is stored, and ends with 0', async () => {
  const text = done(await run('doctor'))
  assert.match(text, new RegExp(`^clew \\d+\\.\\d+\\.\\d+ at ${clew.url}, up .*, data in ${clew.dataDir}$`, 'm'))
  assert.match(text, /^stored +1 traces, 3 spans, /m)
  assert.match(text, new RegExp(`:${new URL(clew.otlpUrl).port}$`, 'm'))
  assert.match(text, /nothing is wrong\n$/)
})

test('the status says what each of its ports takes', async () => {
  const { listeners } = statusAnswer.parse(await (await fetch(`${clew.url}/api/v1/status`)).json())
  const accepts = (port: number): (string | undefined)[] =>
    listeners.filter((each) => each.port === port && each.protocol === 'tcp').map((each) => each.accepts)
  assert.deepEqual(accepts(Number(new URL(clew.url).port)), ['ui'])
  assert.deepEqual(accepts(clew.port('jaeger/sampling')), ['jaeger'])
  assert.deepEqual(accepts(clew.port('otlp/grpc')), ['otlp-grpc'])
})

test('export and import carry traces and logs to another clew unchanged', async () => {
  const file = join(temporaryFolder(), 'shop.jsonl')
  const exported = await run('export', '--since', '1h', '--service', 'shop', '--output', file)
  assert.deepEqual([exported.code, exported.stdout], [0, ''])
  assert.match(exported.stderr, /^exported 3 spans and 1 log records \(.*\) in .*\n$/)
  const [traceLine = '', logLine = '', end] = readFileSync(file, 'utf8').split('\n')
  assert.deepEqual([spansById(traceLine), end], [spansById(JSON.stringify(shop.traces)), ''])
  assert.match(logLine, /payment refused by bank/)
  const other = await serveClew()
  try {
    const imported = await runClew(['import', file, '--url', other.url])
    assert.equal(imported.code, 0, imported.stderr)
    assert.match(imported.stdout, /^imported 4 records, rejected 0, from 1 file in .* \(2 requests\)\n$/)
    await untilFound(other.url, shop.traceId)
    for (const options of [['--trace', shop.traceId], []]) {
      const again = await runClew(['export', ...options, '--url', other.url])
      const [traceAgain = '', logAgain] = again.stdout.split('\n')
      assert.deepEqual(spansById(traceAgain), spansById(traceLine))
      assert.deepEqual(JSON.parse(logAgain ?? ''), JSON.parse(logLine))
    }
  } finally {
    await other.stop()
  }
})

test('export refuses a filter beside the id of a trace', async () => {
  const { code, stderr } = await run('export', '--trace', shop.traceId, '--service', 'shop')
  assert.equal(code, 2)
  assert.match(stderr, /^cannot use --trace together with a filter/)
})

test('a reader that leaves early ends export quietly', async () => {
  const child = startClew(['export', '--url', clew.url])
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout?.destroy()
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0, stderr)
  assert.ok(!stderr.includes('EPIPE'), stderr)
})

test('a second clew on the same folder or port fails with 1 and says what to do', async () => {
  const folder = await runClew(['serve', '--data', clew.dataDir, ...freePorts])
  assert.deepEqual([folder.code, folder.stdout], [1, ''])
  assert.match(folder.stderr, new RegExp(`${clew.dataDir}.*in use by process ${clew.child.pid}.*--data`))
  const { port } = new URL(clew.otlpUrl)
  const taken = await runClew([
    'serve',
    '--data',
    temporaryFolder(),
    ...freePortsExcept('otlp.http.port'),
    '--otlp-http-port',
    port,
  ])
  assert.deepEqual([taken.code, taken.stdout], [1, ''])
  assert.match(taken.stderr, new RegExp(`${port}.*--otlp-http-port`))
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`serve stops in order on ${signal} with 0, and what was acknowledged is there after the next start`, async () => {
    const first = await serveClew()
    const { traceId, traces } = shopTrace()
    const body = JSON.stringify(traces)
    const response = await fetch(`${first.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    assert.equal(response.status, 200)
    const startedAt = Date.now()
    assert.deepEqual(await first.stop(signal), { code: 0, signal: null }, first.stderr())
    assert.ok(Date.now() - startedAt < 5000)
    const second = await serveClew(first.dataDir)
    await untilFound(second.url, traceId)
    await second.stop()
  })
}

test('a broken configuration file found in the data folder stops serve with 2', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'clew.yaml'), 'ui: { prot: 1 }\n')
  const { code, stderr } = await runClew(['serve', '--data', folder])
  assert.deepEqual(
    [code, stderr],
    [2, `cannot use ${folder}/clew.yaml:1: unknown key ui.prot; did you mean ui.port?\n`],
  )
})

test('events finds span events by their attributes, and by those of their resource', async () => {
  const stamp = BigInt(Date.now()) * 1_000_000n
  const event = (name: string, attributes: readonly unknown[]) => ({ timeUnixNano: String(stamp), name, attributes })
  const held = (key: string, value: object) => ({ key, value })
  const events = [
    event('exception', [held('exception.type', { stringValue: 'IOError' }), held('tries', { intValue: '3' })]),
    event('exception', [held('exception.type', { stringValue: 'KeyError' })]),
    event('repeated', [
      held('to', { stringValue: 'a' }),
      held('to', { stringValue: 'b' }),
      held('n', { intValue: '1' }),
    ]),
  ]
  const span = { traceId: 'e'.repeat(32), spanId: 'e'.repeat(16), name: 'fails', startTimeUnixNano: String(stamp) }
  const attributes = [held('service.name', { stringValue: 'failing' }), held('team', { stringValue: 'blue' })]
  const spans = [{ ...span, endTimeUnixNano: String(stamp + 1000n), events }]
  await post('/v1/traces', { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] })
  const found = async (...filter: string[]) =>
    done(await run('events', '--type', 'exception', '--ndjson', ...filter.flatMap((each) => ['--attribute', each])))
      .split('\n')
      .filter((line) => line !== '').length
  for (const deadline = Date.now() + 4000; (await found('exception.type=IOError')) === 0; await sleep(100))
    assert.ok(Date.now() < deadline, 'the events are not found in time')
  assert.equal(await found('exception.type=IOError'), 1)
  assert.equal(await found('exception.type=IOError', 'tries=3'), 1)
  assert.equal(await found('exception.type=KeyError', 'tries=3'), 0)
  assert.equal(await found('exception.type=Other'), 0)
  assert.equal(await found('team=blue'), 2)
})

test('a key that a log record has twice holds an array of both values', async () => {
  const to = (stringValue: string) => ({ key: 'to', value: { stringValue } })
  const attributes = [to('a'), { key: 'n', value: { intValue: '1' } }, to('b')]
  const logRecords = [{ timeUnixNano: `${Date.now()}000000`, eventName: 'sent twice', attributes }]
  await post('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
  const found = async () => done(await run('events', '--type', 'sent twice', '--ndjson'))
  for (const deadline = Date.now() + 4000; !(await found()).startsWith('{'); await sleep(100))
    assert.ok(Date.now() < deadline, 'the event is not found in time')
  const both = { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } }
  assert.deepEqual((JSON.parse(await found()) as { attributes: unknown }).attributes, {
    to: both,
    n: { intValue: '1' },
  })
})

test('services and nodes tell of everything stored, as their help says, unless of a range', async () => {
  const old = shopTrace(Date.now() - 26 * 3_600_000)
  await post('/v1/traces', JSON.parse(JSON.stringify(old.traces).replaceAll('"cart"', '"old cart"')))
  await untilFound(clew.url, old.traceId)
  for (const [command, none] of [
    ['services', /^no service in this range; /],
    ['nodes', /^no node in this range; /],
  ] as const) {
    assert.match(done(await run(command)), /old cart/)
    assert.doesNotMatch(done(await run(command, '--since', '1h')), /old cart/)
    assert.match(done(await run(command, '--start', '2200-01-01T00:00:00Z')), none)
    assert.match((await runClew([command, '--help'])).stdout.replaceAll(/\s+/g, ' '), /by default of everything stored/)
  }
})

test('trace --attributes prints a resource once, and texts of several lines as lines', async () => {
  const traceId = 'c'.repeat(32)
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
  const stack = text('exception.stacktrace', 'TypeError: no price\n    at pay (pay.js:3)\n    at main (main.js:9)\n')
  const stamp = Date.now()
  const span = (id: string) => ({
    traceId,
    spanId: id.repeat(16),
    name: `step ${id}`,
    startTimeUnixNano: `${stamp}000000`,
    endTimeUnixNano: `${stamp + 5}000000`,
    events: [
      { timeUnixNano: `${stamp}000000`, name: 'exception', attributes: [text('exception.type', 'TypeError'), stack] },
    ],
  })
  const resource = { attributes: [text('service.name', 'till'), text('host.name', 'north-1')] }
  await post('/v1/traces', { resourceSpans: [{ resource, scopeSpans: [{ spans: [span('1'), span('2')] }] }] })
  await untilFound(clew.url, traceId, 2)
  const shown = done(await run('trace', traceId, '--attributes'))
  assert.match(
    shown,
    /\n +exception\.stacktrace = TypeError: no price\n +at pay \(pay\.js:3\)\n +at main \(main\.js:9\)\n/,
  )
  assert.equal(shown.match(/resource host\.name = north-1\n/g)?.length, 1)
  assert.match(shown, /resource as of span [12]{16}\n/)
})

test('export writes every trace that is named', async () => {
  const lines = done(await run('export', '--only', 'spans', '--trace', shop.traceId, '--trace', 'c'.repeat(32)))
    .trimEnd()
    .split('\n')
  const idOf = (line: string): string => /"traceId":"(\w+)"/.exec(line)![1]!
  assert.deepEqual(lines.map(idOf), [shop.traceId, 'c'.repeat(32)])
})
