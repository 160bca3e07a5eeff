/**
 * The whole program under load is killed with SIGKILL at random moments and started again on the same folder. In the end
 * every span of every acknowledged request is there, and none is there twice.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { spanIdOf, spansPerRequest } from '../support/numbered-requests.ts'
import { takeCensus } from '../support/store-census.ts'
import { awaitStored, exportedSpans, summedSpans } from '../support/stored-spans.ts'
import { openEngine } from '../support/temporary-store.ts'
import { serveFor, type Ending } from '../support/served.ts'

const kills = 10
const killsUnderRetries = 7

/** Settings that put different work under the kills, one after the other. */
const variants: readonly (readonly string[])[] = [
  // Many blocks: kills land in inserts and commits.
  ['--writer-block-wait', '20ms'],
  // The log is the buffer, and has several segments.
  ['--memory-batches-in-flight', '1MiB', '--log-segment-bytes', '1MiB', '--writer-block-wait', '200ms'],
  [],
]

/** Kills a clew again and again while the load goes on. */
async function killUnderLoad(
  t: Ending,
  times: number,
  { dataDir, load, more = [] }: { dataDir: string; load: NumberedLoad; more?: readonly string[] },
): Promise<void> {
  for (let kill = 0; kill < times; kill++) {
    const clew = await serveFor(t, dataDir, [...(variants[kill % variants.length] ?? []), ...more])
    load.sendTo(clew.otlpUrl)
    await sleep(50 + Math.random() * 850)
    const { signal } = await clew.stop('SIGKILL')
    load.pause()
    assert.equal(signal, 'SIGKILL')
  }
}

/** The store by SQL, with no clew on it: nothing is doubled, and summaries agree with spans. */
async function assertNothingTwice(dataDir: string): Promise<void> {
  const engine = openEngine(join(dataDir, 'store'))
  try {
    const { spans, spanIds, summed, wrongTraces, spansByDay } = await takeCensus(engine)
    assert.deepEqual({ spans, summed, wrongTraces }, { spans: spanIds, summed: spanIds, wrongTraces: 0 })
    assert.deepEqual(spansByDay, [spans / 2, spans / 2], 'requests are stored whole')
  } finally {
    await engine.close()
  }
}

test(`${kills} kills under load: what was acknowledged is there, nothing is there twice`, async (t) => {
  const dataDir = temporaryFolder()
  const load = new NumberedLoad(t, { clients: 6, retries: false })
  await killUnderLoad(t, kills, { dataDir, load })
  await load.finish()
  const clew = await serveFor(t, dataDir)
  const { stored } = await awaitStored(clew.url)
  const found = await exportedSpans(clew.url)
  const summed = await summedSpans(clew.url)
  assert.equal((await clew.stop()).code, 0)
  t.diagnostic(`${load.sent} requests, ${load.acknowledged.size} acknowledged, ${stored.spans} spans stored`)
  assert.ok(load.acknowledged.size > 10 * kills && load.acknowledged.size < load.sent, 'kills cut requests off')
  const missing = load.acknowledgedSpans().filter((span) => !found.has(spanIdOf(span)))
  assert.deepEqual(missing, [], 'spans that were acknowledged and are not there')
  const doubled = [...found].filter(([, count]) => count > 1)
  assert.deepEqual(doubled, [], 'spans that are there twice')
  assert.deepEqual([stored.spans, summed], [found.size, found.size])
  assert.ok(found.size <= load.sent * spansPerRequest)
  await assertNothingTwice(dataDir)
})

for (const sync of [true, false]) {
  test(`${killsUnderRetries} kills, syncing ${sync ? 'on' : 'off'}, under clients that try again: each request once`, async (t) => {
    const dataDir = temporaryFolder()
    const load = new NumberedLoad(t, { clients: 6, retries: true })
    await killUnderLoad(t, killsUnderRetries, { dataDir, load, more: ['--durability-sync', String(sync)] })
    const clew = await serveFor(t, dataDir)
    load.sendTo(clew.otlpUrl)
    await load.finish()
    const { stored } = await awaitStored(clew.url)
    assert.equal((await clew.stop()).code, 0)
    t.diagnostic(`${load.sent} requests, ${load.resent} sent again`)
    assert.ok(load.resent >= killsUnderRetries, 'requests were sent again')
    assert.equal(load.acknowledged.size, load.sent)
    assert.equal(stored.spans, load.sent * spansPerRequest)
    await assertNothingTwice(dataDir)
  })
}
