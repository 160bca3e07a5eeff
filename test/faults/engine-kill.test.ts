/** The process of the engine ends at any moment: the server goes on, and nothing is lost or doubled. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { spansPerRequest } from '../support/numbered-requests.ts'
import { serveFor } from '../support/served.ts'
import { takeCensus } from '../support/store-census.ts'
import { awaitStored, statusOf, summedSpans } from '../support/stored-spans.ts'
import { openEngine } from '../support/temporary-store.ts'

const kills = 20

/** Waits until the engine runs, in another process than the one that was killed. */
async function enginePid(url: string, killed?: number): Promise<number> {
  for (;;) {
    const { engine } = await statusOf(url)
    if (engine.pid !== null && engine.pid !== killed) return engine.pid
    await sleep(20)
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Asks on and on; statuses with how often each came, and what failed answers said. */
class Asking {
  readonly statuses = new Map<number, number>()
  readonly failures = new Set<string>()
  longestMs = 0
  #isOver = false
  readonly #askers: Promise<void>[]

  constructor(url: string) {
    const paths = ['/traces?limit=5', '/traces/overview', '/events?limit=5&query=step']
    this.#askers = paths.map((path) => this.#ask(`${url}/api/v1${path}`))
  }

  async #ask(url: string): Promise<void> {
    while (!this.#isOver) {
      const startedMs = performance.now()
      const answer = await fetch(url)
      const text = await answer.text()
      this.longestMs = Math.max(this.longestMs, performance.now() - startedMs)
      this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1)
      if (answer.status !== 200) {
        this.failures.add(text)
        assert.ok(Number(answer.headers.get('retry-after')) >= 1, text)
        await sleep(20)
      }
    }
  }

  async finish(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#askers)
  }
}

test(`${kills} kills of the engine under load and queries: the server goes on, each span is stored once`, async (t) => {
  const clew = await serveFor(t, temporaryFolder(), ['--writer-block-wait', '50ms'])
  const load = new NumberedLoad(t, { clients: 4, retries: false, pauseMs: 20 })
  load.sendTo(clew.otlpUrl)
  const asking = new Asking(clew.url)
  let longestUnansweredMs = 0
  let pid = await enginePid(clew.url)
  for (let kill = 0; kill < kills; kill++) {
    await sleep(Math.random() * 400)
    process.kill(pid, 'SIGKILL')
    const [before, killedMs] = [load.acknowledged.size, performance.now()]
    while (load.acknowledged.size === before) await sleep(5)
    longestUnansweredMs = Math.max(longestUnansweredMs, performance.now() - killedMs)
    pid = await enginePid(clew.url, pid)
  }
  assert.ok(longestUnansweredMs < 2000, `requests are answered while the engine is down: ${longestUnansweredMs} ms`)
  await asking.finish()
  await load.finish()
  assert.deepEqual([load.acknowledged.size, [...load.refusals]], [load.sent, []], 'no request was refused')
  const { stored, engine, problems } = await awaitStored(clew.url)
  t.diagnostic(`${load.sent} requests, answers ${JSON.stringify([...asking.statuses])}, longest ${asking.longestMs} ms`)
  assert.equal(engine.restarts, kills)
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['engine_restarted'],
  )
  assert.match(problems[0]!.message, /started again, 20 times since clew began; last: SIGKILL/)
  assert.match(await (await fetch(`${clew.url}/metrics`)).text(), /^clew_engine_restarts_total 20$/m)
  assert.ok((asking.statuses.get(200) ?? 0) > kills, 'queries are answered in between')
  assert.deepEqual(
    [...asking.statuses.keys()].filter((status) => status !== 200 && status !== 503),
    [],
  )
  for (const text of asking.failures) assert.match(text, /store_unavailable.*the engine's process ended \(SIGKILL\)/)
  const wanted = load.sent * spansPerRequest
  assert.deepEqual([stored.spans, await summedSpans(clew.url)], [wanted, wanted])
  assert.deepEqual(await clew.stop(), { code: 0, signal: null })
  const census = openEngine(join(clew.dataDir, 'store'))
  t.after(() => census.close())
  const { spans, spanIds, summed, wrongTraces } = await takeCensus(census)
  // All that was sent was acknowledged, so as many different spans as were sent are those that were sent.
  assert.deepEqual([spans, spanIds, summed, wrongTraces], [wanted, wanted, wanted, 0])
})

test('the engine ends with its server, and the next server finds the folder free', async (t) => {
  const first = await serveFor(t)
  const pid = await enginePid(first.url)
  assert.match(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'), /^500$/m)
  // What a terminal or a supervisor sends to all processes of a group does not end the engine before its server.
  process.kill(pid, 'SIGTERM')
  process.kill(pid, 'SIGINT')
  await sleep(200)
  assert.equal(await enginePid(first.url), pid)
  await first.stop('SIGKILL')
  const second = await serveFor(t, first.dataDir)
  assert.ok(!isRunning(pid), 'the engine of a killed server is gone')
  const next = await enginePid(second.url)
  assert.deepEqual(await second.stop(), { code: 0, signal: null })
  assert.ok(!isRunning(next), 'the engine of a stopped server is gone')
})
