/** What the API answers to faulty requests, over the wire. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import type { HttpLimits, HttpListener } from '../base/http/http-app.ts'
import { errorBody } from './native/contract/formats.ts'
import type { ApiContext } from './native/context.ts'
import { traceHandlers } from './native/trace-handlers.ts'
import { startHttpServer } from './http-server.ts'

function start(context: Partial<ApiContext> = {}, limits: Partial<HttpLimits> = {}): Promise<HttpListener> {
  return startHttpServer({
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    allowedOrigins: [],
    limits: { connectionsMax: 100, requestTimeoutMs: 10_000, idleTimeoutMs: 10_000, ...limits },
    version: '0.0.0',
    uiDir: 'nowhere',
    // These tests send no request that needs the store.
    context: context as ApiContext,
    handlers: traceHandlers,
    onBug: (error) => assert.fail(String(error)),
  })
}

/** Sends the bytes and returns everything received until the connection ends. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1'))).on('error', () => {})
  socket.write(Buffer.from(bytes, 'latin1'))
  await new Promise((resolve) => socket.on('close', resolve))
  return answer
}

test('a client that speaks gRPC or TLS gets an error that says so', async (t) => {
  const server = await start()
  t.after(() => server.close())
  const grpc = await exchange(server.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  assert.match(grpc, new RegExp(`HTTP/2 or gRPC came to port ${server.port}, where the web UI takes HTTP/1\\.1`))
  assert.match(await exchange(server.port, '\u0016\u0003\u0001\u0002\0\u0001'), /speaks TLS came to port/)
})

test('connections over the limit, and requests that never end, are closed', { timeout: 20_000 }, async (t) => {
  const server = await start({}, { connectionsMax: 1, requestTimeoutMs: 500 })
  t.after(() => server.close())
  const slow = exchange(server.port, 'GET /ready HTTP/1.1\r\nHost: x\r\n')
  assert.equal(await exchange(server.port, 'GET /ready HTTP/1.1\r\nHost: x\r\n\r\n'), '')
  assert.match(await slow, /^HTTP\/1\.1 408 /)
})

test('a request in progress is answered before the server is closed', async () => {
  const asked = Promise.withResolvers<void>()
  const figures = Promise.withResolvers<string>()
  const metrics = (): Promise<string> => {
    asked.resolve()
    return figures.promise
  }
  const server = await start({ metrics })
  const response = fetch(`http://127.0.0.1:${server.port}/metrics`)
  await asked.promise
  const closed = server.close()
  figures.resolve('up 1\n')
  assert.equal(await (await response).text(), 'up 1\n')
  await closed
})

test('every kind of faulty request gets an error as the contract defines it', async (t) => {
  const server = await start()
  t.after(() => server.close())
  const answers: Record<string, [number, string]> = {
    '/nothing': [404, 'not_found'],
    '/traces?servce=shop': [400, 'bad_request'],
    '/traces?limit=0': [400, 'bad_request'],
    '/traces/shop': [400, 'bad_request'],
    '/traces/%ZZ': [400, 'bad_request'],
    '/traces?cursor=99': [400, 'bad_request'],
  }
  for (const [path, expected] of Object.entries(answers)) {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`)
    const { error } = errorBody.parse(await response.json())
    assert.deepEqual([response.status, error.code], expected, path)
  }
  const messages: Record<string, RegExp> = {
    'limit=0': /^cannot use "0" for parameter limit: expected a whole number from 1 to 1000$/,
    'limit=ten': /^cannot use "ten" for parameter limit: expected a whole number from 1 to 1000$/,
    'sort=newest': /^cannot use "newest" for parameter sort: expected one of time, duration, spans, errors$/,
    'service=a&service=b': /^cannot use 2 values for parameter service: expected it once$/,
  }
  for (const [query, message] of Object.entries(messages)) {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/traces?${query}`)
    assert.match(errorBody.parse(await response.json()).error.message, message)
  }
})
