import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect, type AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, mock, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { pino } from 'pino'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import { Receiving } from '../../../test/support/receiving.ts'
import { InputError } from '../../base/errors.ts'
import { host } from '../../codec/host/host.ts'
import { ConnectionWatch } from './connection-watch.ts'
import { HostSampler } from './host-events.ts'
import { maskSecrets, parseConnections, parseEndpoint, parseStat, Proc } from './proc.ts'

let receiving: Receiving
before(async () => {
  receiving = await Receiving.open()
})
after(() => receiving.close())

function sampler(options: { procDir?: string; loadEveryMs?: number } = {}): HostSampler {
  return new HostSampler({
    intake: receiving.intake,
    logger: pino({ level: 'silent' }),
    intervalMs: 50,
    loadEveryMs: 100,
    ...options,
  })
}

async function eventOf(find: (row: EventRow) => boolean): Promise<EventRow> {
  for (let waited = 0; waited < 5000; waited += 20) {
    const found = receiving.events().flatMap(eventRows).find(find)
    if (found !== undefined) return found
    await sleep(20)
  }
  throw new Error('no such event came')
}

test('a process that starts and ends', async (t) => {
  const running = sampler()
  t.after(() => running.close())
  const child = spawn('sleep', ['0.387'])
  const startedMs = Date.now()
  const isChild = (row: EventRow): boolean => row.attributes['process.pid'] === BigInt(child.pid!)
  const started = await eventOf((row) => row.type === 'process.start' && isChild(row))
  assert.deepEqual(
    [started.service, started.resource['host.name'], started.severity, started.attributes['process.parent_pid']],
    ['host', hostname(), '9 INFO', BigInt(process.pid)],
  )
  assert.ok(Math.abs(Number(started.time / 1_000_000n) - startedMs) < 1000)
  const ended = await eventOf((row) => row.type === 'process.exit' && isChild(row))
  const lifetime = ended.attributes['process.lifetime'] as number
  assert.ok(lifetime > 0.2 && lifetime < 3, String(lifetime))
  assert.match(String(ended.body), /^process ended: .*\(pid \d+\)$/)
})

test('a connection that opens and closes, and its owner', async (t) => {
  const server = createServer((socket) => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  const running = sampler()
  t.after(() => running.close())
  const client = connect(port, '127.0.0.1')
  t.after(() => void client.destroy())
  await once(client, 'connect')
  const isOurs = (row: EventRow): boolean => row.attributes['network.peer.port'] === BigInt(port)
  const opened = await eventOf((row) => row.type === 'connection.open' && isOurs(row))
  assert.equal(opened.attributes['network.peer.address'], '127.0.0.1')
  assert.equal(opened.attributes['network.local.port'], BigInt(client.localPort!))
  assert.equal(opened.attributes['network.connection.direction'], 'outbound')
  assert.equal(opened.attributes['process.pid'], BigInt(process.pid))
  await eventOf(
    (row) =>
      row.type === 'connection.open' &&
      row.attributes['network.local.port'] === BigInt(port) &&
      row.attributes['network.connection.direction'] === 'inbound',
  )
  client.destroy()
  await eventOf((row) => row.type === 'connection.close' && isOurs(row))
})

test('load', async (t) => {
  const running = sampler()
  t.after(() => running.close())
  const { attributes, body } = await eventOf((row) => row.type === 'host.load')
  const utilization = attributes['system.cpu.utilization'] as number
  assert.ok(utilization >= 0 && utilization <= 1)
  assert.ok((attributes['system.memory.limit'] as bigint) > (attributes['system.memory.available'] as bigint))
  assert.match(String(body), /^load [\d.]+, processor \d+ %, memory \d+ %$/)
})

test('without /proc it reports so once and does nothing', async (t) => {
  const counts = receiving.counters.of('host', 'events')
  const running = sampler({ procDir: '/nonexistent' })
  t.after(() => running.close())
  assert.match(counts.lastError ?? '', /^cannot sample connections of this host, left out from now on: ENOENT/)
  const { requests } = counts
  await sleep(200)
  assert.equal(counts.requests, requests)
})

/** A /proc with only these connections to port 80 and what the load is computed from. */
class ProcFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'clew-proc-'))

  constructor() {
    mkdirSync(join(this.dir, 'net'))
    writeFileSync(join(this.dir, 'loadavg'), '0.50 0.40 0.30 1/100 1\n')
    writeFileSync(join(this.dir, 'meminfo'), 'MemTotal: 100 kB\nMemAvailable: 50 kB\n')
    this.setConnections(0)
  }

  setConnections(count: number): void {
    const line = (_: unknown, n: number): string =>
      `${n}: 0100007F:0050 0200007F:${n.toString(16).toUpperCase()} 01 0:0 0:0 0 0 0 ${n}`
    writeFileSync(join(this.dir, 'net/tcp'), ['sl', ...Array.from({ length: count }, line)].join('\n'))
    writeFileSync(join(this.dir, 'stat'), `cpu ${count} 0 0 100\n`)
  }
}

test('a burst of connections does not displace the load, and the number of dropped events is reported', async (t) => {
  const proc = new ProcFolder()
  t.after(() => rmSync(proc.dir, { recursive: true }))
  const counts = receiving.counters.of('host', 'events')
  const running = new HostSampler({
    intake: receiving.intake,
    logger: pino({ level: 'silent' }),
    intervalMs: 60_000,
    loadEveryMs: 60_000,
    procDir: proc.dir,
  })
  proc.setConnections(1500)
  const { dropped } = counts
  // As if the interval had passed.
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 })
  running.sample()
  mock.timers.reset()
  await running.close()
  const types = receiving.events().flatMap((batch) => eventRows(batch).map((row) => row.type))
  const last = types.slice(-1000)
  assert.deepEqual([last[0], last[1], last.at(-1)], ['host.load', 'connection.open', 'connection.open'])
  assert.equal(counts.dropped - dropped, 501)
  assert.match(counts.lastError ?? '', /^501 host events of a sample were dropped: it had more than 1000$/)
})

test('when there are too many connections, sampling starts again once there are fewer', (t) => {
  const proc = new ProcFolder()
  t.after(() => rmSync(proc.dir, { recursive: true }))
  const watch = new ConnectionWatch(new Proc(proc.dir), () => '')
  assert.deepEqual(watch.sample(1), [])
  proc.setConnections(20_001)
  assert.throws(() => watch.sample(2), { name: 'UnavailableError', canRetry: true, message: /20001 connections/ })
  proc.setConnections(3)
  assert.deepEqual(watch.sample(3), [])
  proc.setConnections(4)
  assert.deepEqual(
    watch.sample(4).map(({ type }) => type),
    ['connection.open'],
  )
})

test('sampling is cheap', async () => {
  const running = sampler()
  for (let n = 0; n < 20; n++) running.sample()
  const from = process.cpuUsage()
  for (let n = 0; n < 100; n++) running.sample()
  const { user, system } = process.cpuUsage(from)
  await running.close()
  // One sample per second: 5 ms per sample would be half a percent of a core.
  assert.ok((user + system) / 1000 / 100 < 5, `${(user + system) / 1000 / 100} ms a sample`)
})

test('/proc is parsed correctly', () => {
  assert.deepEqual(parseStat('42 (a (b) c) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0'), {
    pid: 42,
    parentPid: 7,
    startTicks: 12345,
    name: 'a (b) c',
  })
  assert.equal(parseStat('garbage'), undefined)
  assert.deepEqual(parseEndpoint('0100007F:1F90'), { address: '127.0.0.1', port: 8080 })
  assert.deepEqual(parseEndpoint('00000000000000000000000001000000:0016'), { address: '::1', port: 22 })
  assert.deepEqual(parseEndpoint('0000000000000000FFFF00000100007F:0016'), { address: '127.0.0.1', port: 22 })
  assert.deepEqual(parseEndpoint('B80D01200000000067452301EFCDAB89:0001'), {
    address: '2001:db8::123:4567:89ab:cdef',
    port: 1,
  })
  const table =
    '  sl  local_address rem_address   st\n   0: 0100007F:1F90 0200007F:A001 01 00000000:00000000 00:00000000 00000000  1000        0 98765 1 x\n'
  assert.deepEqual(parseConnections(table, 'ipv4')[0]!.inode, 98765)
  fc.assert(fc.property(fc.string(), (text) => void parseConnections(text, 'ipv4').length))
})

test('secrets on command lines are masked', () => {
  assert.equal(maskSecrets('mysql --password=hunter2 -u root'), 'mysql --password=*** -u root')
  assert.equal(
    maskSecrets('run --api-key abc --token=x:y API_TOKEN=z file'),
    'run --api-key *** --token=*** API_TOKEN=*** file',
  )
  assert.equal(maskSecrets('curl http://h/?a_token=x&token=y'), 'curl http://h/?a_token=***')
  assert.equal(maskSecrets('login --password --user root'), 'login --password --user root')
  assert.equal(maskSecrets('sleep 5'), 'sleep 5')
})

test('bodies that this program did not write are refused', () => {
  const wrong = [
    '',
    '{}',
    'null',
    '{"v":1,"resource":{},"events":[{}]}',
    '{"v":1,"resource":{"a":1.5},"events":[]}',
    '{"v":1,"resource":{},"events":[{"t":"99999999999999999999","type":"","text":"","attributes":{}}]}',
  ]
  for (const text of wrong) assert.throws(() => host.decode(Buffer.from(text), { receivedAtMs: 0 }), InputError, text)
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        host.decode(Buffer.from(JSON.stringify({ v: 1, resource: {}, events: [value] })), { receivedAtMs: 0 })
      } catch (error) {
        assert.ok(error instanceof InputError, String(error))
      }
    }),
  )
})
