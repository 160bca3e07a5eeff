/** An orderly stop under load: refuses what is new, stores what was acknowledged, and is done within five seconds. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { spanIdOf } from '../support/numbered-requests.ts'
import { takeCensus } from '../support/store-census.ts'
import { awaitStored, exportedSpans } from '../support/stored-spans.ts'
import { openEngine } from '../support/temporary-store.ts'
import { serveFor } from '../support/served.ts'

const stopMsMax = 5000

/** Stops a clew and checks how it ends; answers what it said. */
async function stopInTime(clew: ServedClew, withinMs = stopMsMax): Promise<string> {
  const started = performance.now()
  const { code, signal } = await clew.stop()
  const tookMs = performance.now() - started
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, clew.stderr())
  assert.ok(tookMs < withinMs, `stopped after ${Math.round(tookMs)} ms`)
  assert.doesNotMatch(clew.stderr(), /cannot stop|still open|Segmentation|core dumped|\bat .*:\d+:\d+/)
  return clew.stderr()
}

async function enginePidOf(url: string): Promise<number> {
  const { engine } = (await (await fetch(`${url}/api/v1/status`)).json()) as { engine: { pid: number } }
  return engine.pid
}

async function assertNothingListens(url: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
}

test('SIGTERM under load, four times over: each stop is in time, all that was acknowledged is stored', async (t) => {
  const dataDir = temporaryFolder()
  const load = new NumberedLoad(t, { clients: 8, retries: false, pauseMs: 0 })
  for (let run = 0; run < 4; run++) {
    const clew = await serveFor(t, dataDir)
    load.sendTo(clew.otlpUrl)
    await sleep(300 + run * 250)
    await stopInTime(clew)
    load.pause()
    await assertNothingListens(clew.otlpUrl)
    assert.equal(existsSync(join(dataDir, 'clew.lock')), false)
    // Stored already, not only safe in the log: the next start has nothing to do.
    const engine = openEngine(join(dataDir, 'store'))
    const { spans, spanIds, summed, wrongTraces } = await takeCensus(engine)
    await engine.close()
    assert.ok(spans >= load.acknowledgedSpans().length, `${spans} spans stored of ${load.acknowledgedSpans().length}`)
    assert.deepEqual({ spans, summed, wrongTraces }, { spans: spanIds, summed: spanIds, wrongTraces: 0 })
  }
  await load.finish()
  const clew = await serveFor(t, dataDir)
  const found = await exportedSpans(clew.url)
  const missing = load.acknowledgedSpans().filter((span) => found.get(spanIdOf(span)) !== 1)
  assert.deepEqual(missing, [], 'spans that were acknowledged and are not there once')
  assert.ok(load.acknowledged.size > 100)
  await stopInTime(clew)
})

test('a stop with queries and clients that hang is in time too', async (t) => {
  const clew = await serveFor(t)
  const load = new NumberedLoad(t, { clients: 4, retries: false })
  load.sendTo(clew.otlpUrl)
  await sleep(1500)
  const questions = Array.from({ length: 12 }, () =>
    fetch(`${clew.url}/api/v1/traces?limit=1000&attribute=number=7`).then(
      (response) => response.text(),
      () => 'cut off',
    ),
  )
  // A client that has begun a request and says nothing more.
  const socket = connect(Number(new URL(clew.otlpUrl).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"res',
  )
  await sleep(50)
  await stopInTime(clew)
  load.pause()
  await Promise.all([load.finish(), ...questions])
  socket.destroy()
})

test('a stop with a long log leaves the rest of it to the next start', async (t) => {
  const dataDir = temporaryFolder()
  const timeoutMs = 10_000
  const small = ['--writer-block-rows', '100', '--memory-batches-in-flight', '1MiB']
  const first = await serveFor(t, dataDir, [...small, '--shutdown-timeout', `${timeoutMs}ms`])
  const load = new NumberedLoad(t, { clients: 12, retries: false, pauseMs: 0 })
  const enginePid = await enginePidOf(first.url)
  // Nothing is stored from here on, until the time is over in which a stop still stores.
  process.kill(enginePid, 'SIGSTOP')
  load.sendTo(first.otlpUrl)
  await sleep(1000)
  const stopped = stopInTime(first, timeoutMs)
  await sleep(timeoutMs * 0.62)
  process.kill(enginePid, 'SIGCONT')
  await stopped
  load.pause()
  await load.finish()
  const engine = openEngine(join(dataDir, 'store'))
  const { spans } = await takeCensus(engine)
  await engine.close()
  assert.ok(spans < load.acknowledgedSpans().length, 'the log was longer than what could be stored')
  const second = await serveFor(t, dataDir)
  const { stored } = await awaitStored(second.url)
  const found = await exportedSpans(second.url)
  assert.deepEqual(
    load.acknowledgedSpans().filter((span) => found.get(spanIdOf(span)) !== 1),
    [],
  )
  assert.equal(stored.spans, found.size)
  await stopInTime(second)
})

test('a second signal ends it at once, and loses nothing', async (t) => {
  const dataDir = temporaryFolder()
  const clew = await serveFor(t, dataDir, ['--writer-block-wait', '1m'])
  const load = new NumberedLoad(t, { clients: 4, retries: false })
  load.sendTo(clew.otlpUrl)
  await sleep(500)
  clew.child.kill('SIGTERM')
  // Two signals at the same moment would count as one.
  while (!clew.stderr().includes('clew stops')) await sleep(1)
  const { code } = await clew.stop('SIGTERM')
  load.pause()
  await load.finish()
  assert.equal(code, 143)
  const next = await serveFor(t, dataDir)
  await awaitStored(next.url)
  const found = await exportedSpans(next.url)
  assert.deepEqual(
    load.acknowledgedSpans().filter((span) => found.get(spanIdOf(span)) !== 1),
    [],
  )
  await stopInTime(next)
})
