/** What the API answers to requests it cannot take, over the wire. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../base/errors.ts'
import { errorBody } from './native/contract/formats.ts'
import type { ApiContext } from './native/context.ts'
import { traceHandlers } from './native/trace-handlers.ts'
import { startHttpServer } from './http-server.ts'

test('whatever is wrong with a request, the answer is an error as the contract has it', async (t) => {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
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
})

test('while the store lacks what was acknowledged, an answer waits or says when to come back', async (t) => {
  const asked: string[] = []
  const notYet = new UnavailableError('store_unavailable', 'cannot answer yet', { retryAfterMs: 5000 })
  const answer = (name: string) => (): Promise<unknown> => {
    asked.push(name)
    return Promise.resolve({})
  }
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    version: '0.0.0',
    uiDir: 'nowhere',
    context: { untilStored: () => Promise.reject(notYet) } as Partial<ApiContext> as ApiContext,
    handlers: { status: answer('status'), getTrace: answer('trace'), services: answer('services') },
    onBug: (error) => assert.fail(String(error)),
  })
  t.after(() => server.close())
  const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}/api/v1${path}`)
  const services = await ask('/services')
  assert.deepEqual([services.status, services.headers.get('retry-after')], [503, '5'])
  // Status does not speak of traces, and a trace may be in the log's memory.
  assert.deepEqual([(await ask('/status')).status, (await ask('/traces/00')).status], [200, 200])
  assert.deepEqual(asked, ['status', 'trace'])
})
