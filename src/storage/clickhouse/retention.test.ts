import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, beforeEach, test } from 'node:test'
import { drawSpans, second, type TestEvent } from '../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../test/support/temporary-store.ts'
import type { Lease } from '../../model/lease.ts'
import { partsToDrop, startRetention, type Retention, type RetentionOptions } from './retention.ts'
import { readServices } from './read/catalog/services.ts'
import { startRollups } from './rollup/scheduler.ts'
import { openStoredFigures } from './stored-figures.ts'

const engine = await temporaryEngine({ after })
// Each insert is to stay a part of its own.
await engine.execute('SYSTEM STOP MERGES')
const day = 86_400n * second
const hourMs = 3_600_000
/** Noon, so that an hour back is the same day. */
const now = 20_775n * day + 12n * 3600n * second
const nowMs = Number(now / 1_000_000n)

async function retention(options: Partial<RetentionOptions>): Promise<Retention> {
  const running = await startRetention({
    engine,
    spansMs: 0,
    eventsMs: 0,
    maxBytes: 0,
    now: () => nowMs,
    onDropped: async () => {},
    onProblem: (message, error) => assert.fail(`${message}: ${String(error)}`),
    ...options,
  })
  return running
}

/** Stores one span and one event at this age, each insert a part of its own. */
async function storeAt(ageNs: bigint, id: number, count = 1): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => `web GET ${i}us+1ms server`).join('\n')
  const event: TestEvent = { timeNs: now - ageNs, service: 'web', body: 'x', resource: {} }
  await storeRows(engine, drawSpans(lines, now - ageNs, { next: id }), [event])
}

async function ages(table: 'spans' | 'traces' | 'events'): Promise<number[]> {
  const time = table === 'events' ? 'time' : 'start_time'
  const rows = await engine.query<[string]>(`SELECT toUnixTimestamp64Nano(${time}) FROM ${table} ORDER BY ${time} DESC`)
  return rows.map(([at]) => Number((now - BigInt(at) + 3599n * second) / (3600n * second)))
}

beforeEach(() => emptyStore(engine))

test('drops spans with their traces, and events, each at its own age', async () => {
  for (const [i, hours] of [1, 30, 60, 100].entries()) await storeAt(BigInt(hours) * 3600n * second, i * 10 + 1)
  const running = await retention({ spansMs: 50 * hourMs, eventsMs: 90 * hourMs })
  await running.runNow()
  assert.deepEqual(
    [await ages('spans'), await ages('traces'), await ages('events')],
    [
      [1, 30],
      [1, 30],
      [1, 30, 60],
    ],
  )
  await running.stop()
})

test('keeps everything when it has no limit', async () => {
  await storeAt(4000n * day, 1)
  const running = await retention({})
  await running.runNow()
  assert.equal((await ages('spans')).length, 1)
  await running.stop()
})

test('a row at exactly its age stays, one older by a nanosecond goes', async () => {
  await storeAt(50n * 3600n * second, 1)
  await storeAt(50n * 3600n * second + 1n, 2)
  const running = await retention({ spansMs: 50 * hourMs })
  await running.runNow()
  assert.equal((await ages('spans')).length, 1)
  await running.stop()
})

test('drops the oldest until the store is within its cap, and not more', async () => {
  for (const [i, hours] of [1, 30, 60, 100].entries()) await storeAt(BigInt(hours) * 3600n * second, i * 5000 + 1, 2000)
  const figures = openStoredFigures(engine)
  const before = (await figures.read()).diskBytes
  const running = await retention({ maxBytes: Math.floor(before * 0.6) })
  await running.runNow()
  const left = await openStoredFigures(engine).read()
  assert.ok(left.diskBytes <= before * 0.6, `${left.diskBytes} of ${before}`)
  assert.ok(left.spans === 4000, `${left.spans} spans`)
  assert.deepEqual([...new Set(await ages('spans'))], [1, 30])
  await running.stop()
})

test('figures go with the rows they were made of', async () => {
  await storeAt(1n * 3600n * second, 1)
  await storeAt(60n * 3600n * second, 2)
  let clock = nowMs
  const rollups = await startRollups({
    engine,
    intervalMs: 1e9,
    now: () => clock,
    onProblem: (_, error) => assert.fail(String(error)),
  })
  clock += 60_000
  await rollups.runDue()
  const spans = async (): Promise<number | undefined> => (await readServices({ engine, rollups }, {}))[0]?.spans
  assert.equal(await spans(), 2)
  const running = await retention({
    spansMs: 50 * hourMs,
    eventsMs: 50 * hourMs,
    onDropped: () => rollups.checkStored(),
  })
  await running.runNow()
  assert.equal(await spans(), 1)
  clock += 60_000
  await rollups.runDue()
  assert.equal(rollups.dirtyBuckets().size, 0)
  assert.equal(await spans(), 1)
  await running.stop()
  await rollups.stop()
})

test('dropped parts leave the disk at once', async () => {
  await storeAt(60n * 3600n * second, 1)
  const [part] = await engine.query<[string]>("SELECT path FROM system.parts WHERE active AND table = 'spans'")
  assert.ok(existsSync(part![0]))
  const running = await retention({ spansMs: 50 * hourMs })
  await running.runNow()
  assert.equal(existsSync(part![0]), false)
  await running.stop()
})

test('old data goes before the cap takes anything else', () => {
  const part = (name: string, newestNs: bigint) => ({
    table: 'spans',
    signal: 'spans' as const,
    name,
    bytes: 10,
    newestNs,
  })
  const parts = [part('new', 900_000_000n), part('old', 100_000_000n), part('middle', 500_000_000n)]
  const dropped = (excess: number, spansMs: number): string[] =>
    partsToDrop(parts, { spansMs, eventsMs: 0, nowMs: 1000, excess }).map(({ name }) => name)
  assert.deepEqual(dropped(0, 0), [])
  assert.deepEqual(dropped(1, 0), ['old'])
  assert.deepEqual(dropped(11, 0), ['old', 'middle'])
  assert.deepEqual(dropped(10, 800), ['old'])
  assert.deepEqual(dropped(11, 800), ['old', 'middle'])
})

test('stored figures of an empty store', async () => {
  const figures = await openStoredFigures(engine).read()
  assert.deepEqual(
    { ...figures, diskBytes: 0, parts: 0 },
    { spans: 0, events: 0, traces: 0, diskBytes: 0, parts: 0, oldestNs: undefined, newestNs: undefined },
  )
})

test('stored figures count what is stored, at most once a second', async () => {
  let clock = 1000
  const figures = openStoredFigures(engine, () => clock)
  await storeAt(day, 1, 3)
  const first = await figures.read()
  assert.deepEqual([first.spans, first.events, first.traces], [3, 1, 3])
  assert.deepEqual([first.oldestNs, first.newestNs], [now - day, now - day + 2000n])
  assert.ok(first.diskBytes > 0 && first.parts >= 3)
  await storeAt(0n, 50)
  clock += 999
  assert.equal(await figures.read(), first)
  clock += 100_000
  assert.deepEqual([(await figures.read()).spans, (await figures.read()).traces], [4, 4])
})

test('drops nothing more once the lease is lost', async () => {
  for (const [i, hours] of [1, 30, 60, 100].entries()) await storeAt(BigInt(hours) * 3600n * second, i * 10 + 1)
  let checks = 0
  const lease: Lease = {
    name: 'upkeep',
    generation: 1,
    // For the timer, for the run, and for one part.
    isHeld: () => ++checks <= 3,
    lost: new AbortController().signal,
    release: () => Promise.resolve(),
  }
  const running = await retention({ spansMs: 50 * hourMs, eventsMs: 50 * hourMs, lease })
  await running.runNow()
  const left = [...(await ages('spans')), ...(await ages('traces')), ...(await ages('events'))]
  assert.equal(left.length, 11, 'one of twelve parts went')
})
