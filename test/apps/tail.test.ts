/** Files that real programs write and logrotate rotates, tailed by the real program; what they hold is found by query. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusAnswer } from '../../src/api/native/contract.ts'
import { runClew, serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { awaitEvents, storedEvents } from '../support/stored-events.ts'

const folder = temporaryFolder()
const logs = join(folder, 'logs')
const traceId = '0af7651916cd43dd8448eb211c80319c'
const hasLogrotate = existsSync('/usr/sbin/logrotate')

const configuration = `
tail:
  - paths: ${logs}/json/*.log
    service: from-json
  - paths: ${logs}/access.log
    parser: combined
    service: nginx
    type: http.access
  - paths: ['${logs}/app.log']
    parser: python
    service: from-python
  - paths: ${logs}/own.log
    service: own
    parser:
      pattern: '^(?<time>\\S+) (?<level>\\w+) (?<component>\\w+): (?<message>.*) took=(?<took>\\d+)$'
  - paths: ${logs}/rotated/*.log
    parser: plain
    service: rotated
`

/** Root reads what nobody may, unless it has given up that capability. */
const asOrdinaryUser = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : []

let clew: ServedClew
before(async () => {
  mkdirSync(join(logs, 'json'), { recursive: true })
  mkdirSync(join(logs, 'rotated'))
  writeFileSync(join(folder, 'clew.yaml'), configuration)
  clew = await serveClew(undefined, ['--config', join(folder, 'clew.yaml'), '--host-events-enabled'])
})
after(() => clew.stop())

test('JSON lines: every field, and the trace they belong to', async () => {
  const line = {
    time: '2026-11-23T06:25:04.123456789Z',
    level: 'error',
    message: 'cannot pay',
    traceId,
    span_id: 'b7ad6b7169203331',
    user: { id: 7 },
    amount: 12.5,
    tries: 3,
    ok: false,
  }
  const now = new Date().toISOString()
  writeFileSync(join(logs, 'json/pay.log'), JSON.stringify({ ...line, time: now }) + '\n')
  const [event] = await awaitEvents(clew.url, { service: 'from-json' }, 1)
  assert.equal(event!.body, 'cannot pay')
  assert.equal(event!.severityNumber, 17)
  assert.equal(BigInt(event!.timeUnixNano), BigInt(Date.parse(now)) * 1_000_000n)
  assert.deepEqual([event!.traceId, event!.spanId], [traceId, 'b7ad6b7169203331'])
  assert.deepEqual(event!.attributes.amount, { doubleValue: 12.5 })
  assert.deepEqual(event!.attributes.tries, { intValue: '3' })
  assert.deepEqual(event!.attributes.ok, { boolValue: false })
  assert.deepEqual(event!.attributes['log.file.path'], { stringValue: join(logs, 'json/pay.log') })
  assert.equal(event!.source.protocol, 'tail')
  assert.equal((await storedEvents(clew.url, { traceId })).length, 1)
})

test('an access log', async () => {
  const time = new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1/$2/$3:$4 +0000')
  appendFileSync(
    join(logs, 'access.log'),
    `203.0.113.7 - - [${time}] "GET /cart?id=7 HTTP/1.1" 502 157 "-" "curl/8.0"\n`,
  )
  const [event] = await awaitEvents(
    clew.url,
    { service: 'nginx', type: 'http.access', attribute: 'http.response.status_code=502' },
    1,
  )
  assert.equal(event!.severityNumber, 17)
  assert.deepEqual(event!.attributes['url.path'], { stringValue: '/cart' })
  assert.deepEqual(event!.attributes['user_agent.original'], { stringValue: 'curl/8.0' })
})

test("Python's logging, with a traceback", async () => {
  const program = `
import logging
logging.basicConfig(filename=${JSON.stringify(join(logs, 'app.log'))}, level=logging.INFO, format='%(asctime)s - %(name)s - %(levelname)s - %(message)s')
logging.getLogger('shop.cart').info('hello')
try:
    {}['missing']
except KeyError:
    logging.getLogger('shop.db').exception('failed')
`
  const { status, stderr } = spawnSync('python3', ['-c', program], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  })
  assert.equal(status, 0, stderr)
  const [hello, failed] = await awaitEvents(clew.url, { service: 'from-python' }, 2)
  assert.deepEqual([hello!.body, hello!.source.scope, hello!.severityText], ['hello', 'shop.cart', 'INFO'])
  assert.deepEqual([failed!.body, failed!.source.scope, failed!.severityText], ['failed', 'shop.db', 'ERROR'])
  assert.deepEqual(failed!.attributes['exception.type'], { stringValue: 'KeyError' })
  assert.deepEqual(failed!.attributes['exception.message'], { stringValue: "'missing'" })
  assert.ok(Math.abs(Number(BigInt(failed!.timeUnixNano) / 1_000_000n) - Date.now()) < 60_000)
})

test("a pattern of one's own", async () => {
  appendFileSync(join(logs, 'own.log'), `${new Date().toISOString()} WARN billing: slow invoice took=250\n`)
  const [event] = await awaitEvents(clew.url, { service: 'own', attribute: 'took=250' }, 1)
  assert.deepEqual([event!.body, event!.severityText], ['slow invoice', 'WARN'])
  assert.deepEqual(event!.attributes.component, { stringValue: 'billing' })
})

for (const way of ['create', 'copytruncate'] as const) {
  test(`logrotate with ${way} while the file is written`, { skip: !hasLogrotate && 'no logrotate' }, async () => {
    const file = join(logs, `rotated/${way}.log`)
    const conf = join(folder, `${way}.conf`)
    writeFileSync(conf, `${file} {\n  rotate 3\n  ${way}\n  compress\n  delaycompress\n}\n`)
    chmodSync(conf, 0o600)
    const expected: string[] = []
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 200; n++) {
        expected.push(`${way} ${round} ${String(n).padStart(3, '0')}`)
        appendFileSync(file, `${expected.at(-1)}\n`)
        if (n % 50 === 0) await sleep(50)
      }
      const { status, stderr } = spawnSync('/usr/sbin/logrotate', ['-f', '-s', join(folder, `${way}.state`), conf], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      await sleep(500)
    }
    const events = await awaitEvents(clew.url, { service: 'rotated', query: way }, expected.length)
    assert.deepEqual(events.map(({ body }) => body).sort(), expected)
    assert.ok(readdirSync(join(logs, 'rotated')).some((name) => name.startsWith(`${way}.log`) && name.endsWith('.gz')))
  })
}

test('events of the host', async () => {
  const { pid } = spawnSync('sleep', ['1.5'])
  const events = await awaitEvents(
    clew.url,
    { service: 'host', type: 'process.exit', attribute: `process.pid=${pid}` },
    1,
  )
  assert.match(events[0]!.body, /^process ended: sleep 1\.5 \(pid \d+\)$/)
  assert.equal(events[0]!.source.protocol, 'host')
  assert.ok(events[0]!.source.node.includes(hostname()), events[0]!.source.node)
})

test('doctor, status and metrics tell what was read and what was wrong with it', async () => {
  writeFileSync(join(logs, 'rotated/latin.log'), Buffer.from('caf\xe9 closed\n', 'latin1'))
  await awaitEvents(clew.url, { service: 'rotated', query: 'closed' }, 1)
  const { files } = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as StatusAnswer
  assert.ok(files !== null && files.followed >= 5 && files.bytes > 1000)
  assert.equal(files.notUtf8, 1)
  assert.deepEqual([files.lost, files.skipped], [0, 0])
  const metrics = await (await fetch(`${clew.url}/metrics`)).text()
  assert.match(metrics, /^clew_tail_not_utf8_total 1$/m)
  assert.match(metrics, new RegExp(`^clew_tail_files ${files.followed}$`, 'm'))
  const { stdout } = await runClew(['doctor', '--url', clew.url])
  assert.match(stdout, /^files {5}\d+ followed, .* read, 1 pieces with invalid UTF-8/m)
})

/** A clew that reads no more than an ordinary user, once it has said that something cannot be read. */
async function clewWithoutRights(t: TestContext, config: string) {
  const other = await serveClew(undefined, ['--config', config], { under: asOrdinaryUser })
  t.after(() => void other.child.kill('SIGKILL'))
  const status = async () => (await (await fetch(`${other.url}/api/v1/status`)).json()) as StatusAnswer
  for (let waited = 0; waited < 20_000 && (await status()).files!.unreadable === 0; waited += 100) await sleep(100)
  return { other, status }
}

test('a file without the right to read it is told, holds up no other, and is read once there is the right', async (t) => {
  const kept = join(logs, 'kept')
  mkdirSync(kept)
  const [open, shut] = [join(kept, 'open.log'), join(kept, 'shut.log')]
  for (const path of [open, shut]) writeFileSync(path, 'old\n')
  chmodSync(shut, 0)
  const config = join(folder, 'kept.yaml')
  writeFileSync(config, `tail:\n  - { paths: '${kept}/*.log', parser: plain, service: kept, start_at: end }\n`)
  const { other, status } = await clewWithoutRights(t, config)
  const { files, problems } = await status()
  assert.deepEqual([files!.followed, files!.unreadable], [2, 1])
  const { code, message } = problems.find((problem) => problem.code === 'files_unreadable')!
  assert.match(`${code}: ${message}`, /: cannot read what is to be tailed, .*\/shut\.log: EACCES: permission denied/)
  assert.match(await (await fetch(`${other.url}/metrics`)).text(), /^clew_tail_unreadable_files 1$/m)
  const { stdout } = await runClew(['doctor', '--url', other.url])
  assert.match(stdout, /1 not readable now$/m)
  assert.match(
    stdout,
    /! cannot read what is to be tailed, .*\n {2}to do: give the user that runs clew the right to read it/,
  )
  assert.match(other.stderr(), /cannot read a tailed file now, trying again/)
  for (const path of [open, shut]) appendFileSync(path, `new in ${path}\n`)
  const [event] = await awaitEvents(other.url, { service: 'kept' }, 1)
  assert.equal(event!.body, `new in ${open}`)
  chmodSync(shut, 0o600)
  const bodies = (await awaitEvents(other.url, { service: 'kept' }, 2)).map(({ body }) => body)
  assert.deepEqual(bodies.sort(), [`new in ${open}`, `new in ${shut}`])
  assert.ok((await status()).problems.every((problem) => problem.code !== 'files_unreadable'))
})

test('a folder without the right to look into it is told', async (t) => {
  const shut = join(logs, 'locked')
  mkdirSync(shut)
  for (const name of ['a.log', 'b.log']) writeFileSync(join(shut, name), 'line\n')
  chmodSync(shut, 0)
  const config = join(folder, 'locked.yaml')
  writeFileSync(config, `tail:\n  - { paths: ['${shut}/*.log', '${shut}/a.log'], service: locked }\n`)
  const { other, status } = await clewWithoutRights(t, config)
  const { files, problems } = await status()
  assert.deepEqual([files!.followed, files!.unreadable], [0, 1])
  assert.match(problems.map(({ message }) => message).join(), /tailed, .*\/locked: EACCES: permission denied/)
  chmodSync(shut, 0o755)
  await awaitEvents(other.url, { service: 'locked' }, 2)
  assert.deepEqual((await status()).files!.unreadable, 0)
})
