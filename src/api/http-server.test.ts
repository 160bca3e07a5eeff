/** What the API answers to requests it cannot take, over the wire. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorBody } from './native/contract/formats.ts'
import type { ApiContext } from './native/context.ts'
import { traceHandlers } from './native/trace-handlers.ts'
import { startHttpServer } from './http-server.ts'

test('whatever is wrong with a request, the answer is an error as the contract has it', async (t) => {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    limits: { requestTimeoutMs: 30_000, connectionsMax: 10 },
    allowedHosts: [],
    allowedOrigins: [],
    version: '0.0.0',
    uiDir: 'nowhere',
    // None of the requests comes as far as a question to the store.
    context: {} as ApiContext,
    handlers: traceHandlers,
    onBug: (error) => assert.fail(String(error)),
  })
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
