import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePorts, isFree } from './ports.ts'

test('free ports are different and can be listened on', async () => {
  const ports = await freePorts(5)
  assert.equal(new Set(ports).size, 5)
  for (const port of ports) assert.equal(await isFree(port), true)
})

test('a port that somebody listens on is not free', async () => {
  const [port] = (await freePorts(1)) as [number]
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  assert.equal(await isFree(port), false)
  server.close()
})
