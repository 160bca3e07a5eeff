/** clew is killed again and again under Forward clients with acknowledgements: no event is lost, none is doubled. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveClew, temporaryFolder } from '../scenarios/clew-process.ts'
import { awaitEvents, storedEvents } from '../support/stored-events.ts'
import { ForwardSender } from './forward-sender.ts'

const kills = 12

/**
 * A port that was free a moment ago: the clients must find clew where it was before. It lies below those that the system
 * gives to connections, or a client that calls while nothing listens may be given that very port and talk to itself.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = net.createServer().listen(port, '127.0.0.1')
    const isFree = await new Promise((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

test(`${kills} kills: every acknowledged event is stored, and each once`, async (context) => {
  const port = await freePort()
  const dataDir = temporaryFolder()
  const start = () => serveClew(dataDir, ['--forward-port', String(port)])
  const senders = ['first', 'second'].map((name) => new ForwardSender(name, port))
  for (const sender of senders) {
    sender.start()
    context.after(() => sender.abandon())
  }
  for (let kill = 0; kill < kills; kill++) {
    const clew = await start()
    await sleep(100 + Math.random() * 700)
    const { signal } = await clew.stop('SIGKILL')
    assert.equal(signal, 'SIGKILL')
  }
  const clew = await start()
  try {
    await Promise.all(senders.map((sender) => sender.finish()))
    for (const sender of senders) {
      context.diagnostic(`${sender.name}: ${sender.events} events, ${sender.resent} chunks sent again`)
      assert.ok(sender.resent > 0, 'some kill came between a chunk and its acknowledgement')
      assert.equal(sender.acknowledged, sender.events)
      await awaitEvents(clew.url, { service: sender.name }, sender.events).catch(async (error: Error) => {
        const status = await (await fetch(`${clew.url}/api/v1/status`)).text()
        throw new Error(`${error.message}; its status is ${status}, its log ${clew.stderr()}`)
      })
      // Time for a doubled event to show up.
      await sleep(1500)
      const bodies = (await storedEvents(clew.url, { service: sender.name })).map(({ body }) => body).sort()
      const wanted = Array.from({ length: sender.events }, (_, i) => `${sender.name} ${String(i).padStart(6, '0')}`)
      assert.deepEqual(bodies, wanted)
    }
  } finally {
    await clew.stop()
  }
})
