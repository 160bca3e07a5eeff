import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { QueryRun } from './query-run.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Watched {
  readonly run: QueryRun
  readonly gone: AbortController
  readonly kills: () => number
  readonly ends: () => number
}

function startRun(t: TestContext, timeoutMs = 10_000): Watched {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gone = new AbortController()
  const counts = { kills: 0, ends: 0 }
  const kill = (): Promise<void> => {
    counts.kills++
    return Promise.reject(new Error('the engine does not know the query yet'))
  }
  const run = new QueryRun({ signal: gone.signal, timeoutMs, kill, onEnd: () => void counts.ends++ })
  return { run, gone, kills: () => counts.kills, ends: () => counts.ends }
}

test('a stopped query rejects at once, and the engine is asked to stop it until it ends', async (t) => {
  const { run, gone, kills, ends } = startRun(t)
  const work = Promise.withResolvers<number>()
  const asked = run.during(() => work.promise)
  gone.abort('left')
  await assert.rejects(asked, (reason) => reason === 'left')
  run.leave()
  assert.deepEqual([kills(), ends()], [1, 0], 'the session stays taken')
  for (const ms of [100, 400, 1500, 5000, 5000]) t.mock.timers.tick(ms)
  assert.equal(kills(), 6)
  work.resolve(1)
  await settle()
  t.mock.timers.tick(60_000)
  assert.deepEqual([kills(), ends()], [6, 1])
})

test('a query whose time is up is stopped, and the error says what to do', async (t) => {
  const { run, kills, ends } = startRun(t, 200)
  const work = Promise.withResolvers<number>()
  const asked = run.during(() => work.promise)
  t.mock.timers.tick(200)
  await assert.rejects(asked, { code: 'timeout', message: /longer than query\.timeout/ })
  work.reject(new Error('killed'))
  await settle()
  assert.deepEqual([kills(), ends()], [1, 1])
})

test('rows that nobody reads any more end with the time of the query', (t) => {
  const { run, ends } = startRun(t, 200)
  let cleaned = 0
  run.beforeEnd(() => {
    assert.equal(ends(), 0)
    cleaned++
  })
  t.mock.timers.tick(200)
  assert.deepEqual([cleaned, ends()], [1, 1])
  run.leave()
  assert.equal(ends(), 1, 'given back once')
})

test('a stopped query begins no more work', async (t) => {
  const { run, gone, kills, ends } = startRun(t)
  gone.abort('left')
  await assert.rejects(
    run.during(() => assert.fail('begun')),
    (reason) => reason === 'left',
  )
  assert.deepEqual([kills(), ends()], [0, 1])
})

test('a query that ends by itself is neither killed nor stopped later', async (t) => {
  const { run, gone, kills, ends } = startRun(t)
  assert.equal(await run.during(() => Promise.resolve(7)), 7)
  run.leave()
  gone.abort('late')
  t.mock.timers.tick(60_000)
  assert.deepEqual([kills(), ends(), run.stopReason], [0, 1, undefined])
})
