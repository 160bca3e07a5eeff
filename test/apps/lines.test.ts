/** Plain events by what every machine has: netcat, curl and a socket, into the running program and back out. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import zlib from 'node:zlib'
import { statusAnswer } from '../../src/api/native/contract/status.ts'
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'
import { flatEvent, type FlatEvent } from '../support/event-item.ts'
import { sendTcp, sendUdp } from '../support/sockets.ts'
import { awaitEvents } from '../support/stored-events.ts'

const has = (command: string): boolean => spawnSync('which', [command]).status === 0

let clew: ServedClew

before(async () => {
  clew = await serveClew()
})
after(() => clew?.stop())

const find = async (parameters: Record<string, string>, count = 1): Promise<FlatEvent[]> =>
  (await awaitEvents(clew.url, parameters, count)).map(flatEvent)

/** Recent, as what is older than the retention is dropped. */
const recentMs = Math.floor(Date.now() / 1000) * 1000 - 60_000 + 125

const order = {
  timestamp: new Date(recentMs).toISOString(),
  type: 'order.paid',
  service: 'shop',
  level: 'warn',
  message: 'card charged twice',
  amount: 12.5,
  items: 3,
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}

const expected = (type: string): FlatEvent => ({
  body: 'card charged twice',
  service: 'shop',
  node: '127.0.0.1',
  protocol: 'lines',
  type,
  severity: '13 warn',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  attributes: { amount: 12.5, items: 3n, traceparent: order.traceparent, 'network.peer.address': '127.0.0.1' },
})

for (const [name, port, flags] of [
  ['TCP', 'lines/tcp', ['-N']],
  ['UDP', 'lines/udp', ['-u', '-w1']],
] as const) {
  test(`netcat over ${name}: JSON and text`, { skip: !has('nc') && 'no nc' }, async () => {
    const type = `order.paid.${name}`
    const input = `${JSON.stringify({ ...order, type })}\njust ${name.toLowerCase()}text\n`
    const { status } = spawnSync('nc', [...flags, '127.0.0.1', String(clew.port(port))], { input, timeout: 10_000 })
    assert.equal(status, 0)
    assert.deepEqual(await find({ type }), [expected(type)])
    const [text] = await find({ query: `${name.toLowerCase()}text` })
    assert.deepEqual(
      [text!.body, text!.node, text!.service],
      [`just ${name.toLowerCase()}text`, '127.0.0.1', 'unknown_service'],
    )
    const [item] = await awaitEvents(clew.url, { type }, 1)
    assert.equal(item!.timeUnixNano, `${recentMs}000000`)
  })
}

test('curl posts JSON as it is', { skip: !has('curl') && 'no curl' }, async () => {
  const type = 'order.paid.curl'
  const body = JSON.stringify({ ...order, type, host: 'till-1' })
  const { stdout } = spawnSync('curl', ['-sS', `${clew.otlpUrl}/events`, '-d', body], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  assert.deepEqual(JSON.parse(stdout), { accepted: 1, rejected: 0 })
  const { 'network.peer.address': _, ...attributes } = expected(type).attributes
  assert.deepEqual(await find({ type }), [{ ...expected(type), node: 'till-1', attributes }])
})

test('a posted body with a bad event keeps the good ones and says what was wrong', async () => {
  const body = zlib.gzipSync('[{"message":"posted good"},17]')
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const response = await fetch(`${clew.otlpUrl}/events`, { method: 'POST', body: Uint8Array.from(body), headers })
  const answer = (await response.json()) as { accepted: number; rejected: number; error: string }
  assert.deepEqual([response.status, answer.accepted, answer.rejected], [200, 1, 1])
  assert.match(answer.error, /neither an object nor a string/)
  assert.equal((await find({ query: 'posted good' })).length, 1)
})

test('GELF over TCP and UDP', async () => {
  const message = { version: '1.1', host: 'till-2', short_message: 'gelfed', level: 4, _service: 'tills', _drawer: 7 }
  await sendTcp(`127.0.0.1:${clew.port('gelf/tcp')}`, `${JSON.stringify(message)}\0`)
  await sendUdp(`127.0.0.1:${clew.port('gelf/udp')}`, zlib.gzipSync(JSON.stringify(message)))
  for (const event of await find({ query: 'gelfed' }, 2)) {
    assert.deepEqual(event, {
      body: 'gelfed',
      service: 'tills',
      node: 'till-2',
      protocol: 'gelf',
      type: '',
      severity: '13 WARN',
      traceId: '',
      spanId: '',
      attributes: { drawer: 7n, 'network.peer.address': '127.0.0.1' },
    })
  }
})

test('a rejected record is visible in the status, with what was wrong', async () => {
  await sendTcp(`127.0.0.1:${clew.port('gelf/tcp')}`, 'no gelf\0')
  const response = await fetch(`${clew.url}/api/v1/status`)
  const status = statusAnswer.parse(await response.json())
  const counts = status.received.find(({ protocol }) => protocol === 'gelf/tcp')
  assert.equal(counts?.rejected, 1)
  assert.match(counts?.lastError ?? '', /cannot decode JSON/)
})
