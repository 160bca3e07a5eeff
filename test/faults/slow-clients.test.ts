/** Clients that begin and do not go on, on every TCP port: each is closed, so that they cannot use up what may be open. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusAnswer } from '../../src/api/native/contract.ts'
import { serveFor } from '../support/served.ts'

const flags = ['--limits-request-timeout', '2s', '--limits-stream-idle', '2s']
/** The timeout, as long again until Node looks for such connections, and room for a busy machine. */
const closedWithinMs = 12_000

const begins: Readonly<Record<string, string>> = {
  nothing: '',
  'one byte': 'P',
  'half a head': 'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n',
  'half a body': 'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nab',
}

/** Whether the peer closed. */
async function isClosed(port: number, begin: string): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  const closed = new Promise<boolean>((resolve) => socket.on('close', () => resolve(true)))
  socket.on('error', () => undefined).resume()
  if (begin !== '') socket.write(begin)
  const result = await Promise.race([closed, sleep(closedWithinMs, false)])
  socket.destroy()
  return result
}

test('clients that do not go on are closed on every port', async (t) => {
  const clew = await serveFor(t, undefined, flags)
  const { listeners } = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as StatusAnswer
  const ports = listeners.filter(({ protocol }) => protocol === 'tcp')
  assert.ok(ports.some(({ name }) => name === 'ui') && ports.length > 8)
  const tries = ports.flatMap(({ name, port }) =>
    Object.entries(begins).map(async ([what, begin]) => ((await isClosed(port, begin)) ? [] : [`${name}: ${what}`])),
  )
  assert.deepEqual((await Promise.all(tries)).flat(), [])
  assert.deepEqual(await clew.stop(), { code: 0, signal: null })
})
