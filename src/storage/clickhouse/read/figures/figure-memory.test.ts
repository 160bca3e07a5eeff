/** Figures in memory while spans come, buckets are rolled up and parts are merged, against plain loops over the spans. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { compareFigures, randomRanges } from '../../../../../test/support/compare-figures.ts'
import { propertyRuns } from '../../../../../test/support/property-runs.ts'
import { randomEvents, randomSpans } from '../../../../../test/support/random-spans.ts'
import { drawSpans, second, type TestSpan } from '../../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../../test/support/temporary-store.ts'
import type { Engine } from '../../engine.ts'
import { KnownKeys } from '../../known-keys.ts'
import { startRollups, type Rollups } from '../../rollup/scheduler.ts'
import { readDependencies } from '../catalog/dependencies.ts'
import { readOperations, readServices } from '../catalog/services.ts'
import type { FigureContext } from '../figure-source.ts'
import { StoreWatch } from '../store-watch.ts'
import { TraceSummaries } from '../trace-summaries.ts'
import { FigureMemory } from './figure-memory.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
const originMs = Number(origin / 1_000_000n)

let queries = 0
/** How many parts each query over spans was told to read. */
let partsRead: number[] = []
const observed = {
  query(sql: string, options: object) {
    queries++
    const parts = / FROM spans .*_part IN \(([^)]*)\)/.exec(sql)?.[1]
    if (parts !== undefined) partsRead.push(parts.split(',').length)
    return engine.query(sql, options)
  },
} as Pick<Engine, 'query'>

async function start(now: () => number): Promise<Rollups> {
  return startRollups({
    engine,
    intervalMs: 1e9,
    now,
    onProblem: (message, error) => assert.fail(`${message}: ${String(error)}`),
  })
}

type Step = 'store' | 'roll up' | 'merge' | 'ask'

const steps = fc.array(fc.constantFrom<Step>('store', 'store', 'roll up', 'merge', 'ask', 'ask'), {
  minLength: 5,
  maxLength: 9,
})

test('are right for a reader that is told of rows and for one that looks, in any order of what happens', async () => {
  const property = fc.asyncProperty(
    randomSpans(origin),
    randomEvents(origin),
    fc.array(randomRanges(origin), { minLength: 1, maxLength: 1 }),
    steps,
    fc.boolean(),
    async (spans, events, ranges, order, isClosed) => {
      await emptyStore(engine)
      let nowMs = originMs + (isClosed ? 3_000_000 : 700_000)
      const rollups = await start(() => nowMs)
      const told: FigureContext = { engine, rollups, memory: new FigureMemory(engine, rollups) }
      const watch = new StoreWatch(engine, new KnownKeys(), new TraceSummaries(engine))
      const looking: FigureContext = { engine, rollups: watch, memory: new FigureMemory(engine, watch) }
      const stored: TestSpan[] = []
      let left = spans
      for (const step of [...order, 'store', 'ask'] as const) {
        if (step === 'store') {
          const part = left.slice(0, 1 + Math.floor(left.length / 2))
          left = left.slice(part.length)
          if (part.length > 0) {
            rollups.touch(await storeRows(engine, part, stored.length === 0 ? events : []))
            stored.push(...part)
          }
        } else if (step === 'roll up') {
          nowMs += 60_000
          await rollups.runDue()
        } else if (step === 'merge') await engine.execute('OPTIMIZE TABLE spans FINAL')
        else {
          const expected = { spans: stored, events: stored.length === 0 ? [] : events }
          await watch.catchUp()
          for (const range of [...ranges, {}]) {
            await compareFigures(told, expected, range, false)
            await compareFigures(looking, expected, range, false)
          }
        }
      }
      await rollups.stop()
    },
  )
  await fc.assert(property, { numRuns: propertyRuns(12), seed: 31 })
})

/** 30 hours of one call each half hour, rolled up. */
async function storeHours(): Promise<Rollups> {
  await emptyStore(engine)
  const lines = Array.from({ length: 60 }, (_, i) => `web GET ${i * 30}m+1s client\n  cart get ${i * 30}m+1s server`)
  const rollups = await start(() => originMs + 40 * 3_600_000)
  rollups.touch(await storeRows(engine, drawSpans(lines.join('\n'), origin, { next: 1 })))
  while ((await rollups.runDue()) > 0);
  return rollups
}

test('a list that was asked for before takes no query, one that ends elsewhere in the same bucket only that bucket', async () => {
  const rollups = await storeHours()
  const context = { engine: observed as Engine, rollups, memory: new FigureMemory(observed, rollups) }
  const calls = async (hours: number, seconds = 0): Promise<number | undefined> => {
    const endNs = origin + BigInt(hours) * 3600n * second + BigInt(seconds * 10) * (second / 10n)
    return (await readDependencies(context, { startNs: origin, endNs }))[0]?.calls
  }
  assert.equal(await calls(3), 6)
  const before = queries
  assert.equal(await calls(3), 6)
  assert.equal(queries, before)
  assert.equal(await calls(3, 1), 7)
  const cut = queries
  assert.ok(cut > before)
  assert.equal(await calls(3, 0.5), 7)
  assert.equal(await calls(3, 200), 7)
  assert.equal(queries, cut)
  assert.equal(await calls(28), 56)
  const all = queries
  assert.equal(await calls(28), 56)
  assert.equal(queries, all)
  await rollups.stop()
})

test('a range up to now takes no query for what does not come any more', async () => {
  await emptyStore(engine)
  const rollups = await start(() => originMs)
  const context = { engine: observed as Engine, rollups, memory: new FigureMemory(observed, rollups) }
  rollups.touch(await storeRows(engine, drawSpans('web GET 1s+1s client\n  cart get 2s+1s server', origin)))
  const calls = async (seconds: number): Promise<number[]> => {
    const range = { startNs: origin - 3600n * second, endNs: origin + BigInt(seconds) * second }
    const [services, edges] = [await readServices(context, range), await readDependencies(context, range)]
    return [services.length, edges.length]
  }
  assert.deepEqual(await calls(10), [2, 1])
  const once = queries
  assert.deepEqual(await calls(11), [2, 1])
  assert.equal(queries, once)
  assert.deepEqual(await calls(2), [1, 0])
  rollups.touch(await storeRows(engine, drawSpans('stock get 3s+1s', origin, { next: 9 })))
  assert.deepEqual(await calls(12), [3, 1])
  await rollups.stop()
})

test('an open bucket is brought up to date from the parts that are new, and from all after these were merged', async () => {
  await emptyStore(engine)
  const rollups = await start(() => originMs)
  const context = { engine: observed as Engine, rollups, memory: new FigureMemory(observed, rollups) }
  const ids = { next: 1 }
  const store = async (line: string): Promise<void> =>
    rollups.touch(await storeRows(engine, drawSpans(line, origin, ids)))
  /** Spans of the service, and from how many parts they were read. */
  const ask = async (): Promise<[spans: number | undefined, partsRead: number[]]> => {
    partsRead = []
    const [web] = await readServices(context, {})
    return [web?.spans, partsRead]
  }
  await engine.execute('SYSTEM STOP MERGES spans')
  await store('web GET 1s+1s')
  await store('web GET 2s+1s')
  assert.deepEqual(await ask(), [2, [2]])
  await store('web GET 3s+1s')
  assert.deepEqual(await ask(), [3, [1]])
  await engine.execute('SYSTEM START MERGES spans')
  await engine.execute('OPTIMIZE TABLE spans FINAL')
  assert.deepEqual(await ask(), [3, []])
  await store('web GET 4s+1s')
  assert.deepEqual(await ask(), [4, [1]])
  await store('web GET 5s+1s')
  await engine.execute('OPTIMIZE TABLE spans FINAL')
  assert.deepEqual(await ask(), [5, [1]])
  const gone = `toUnixTimestamp64Nano(start_time) < ${origin + 2n * second}`
  await engine.execute(`ALTER TABLE spans DELETE WHERE ${gone} SETTINGS mutations_sync = 1`)
  await store('web GET 6s+1s')
  assert.deepEqual(await ask(), [5, [2]], 'rows that left are told by the number of those that are there')
  await rollups.stop()
})

test('a parent that comes later gives its edge to a child in the next bucket, for both kinds of readers', async () => {
  await emptyStore(engine)
  const rollups = await start(() => originMs)
  const watch = new StoreWatch(engine, new KnownKeys(), new TraceSummaries(engine))
  const contexts = [rollups, watch].map((states) => ({
    engine,
    rollups: states,
    memory: new FigureMemory(engine, states),
  }))
  const [parent, child] = drawSpans('web GET 100s+1ms client\n  cart get 310s+1s server', origin)
  const edges = async (): Promise<number[]> => {
    await watch.catchUp()
    return Promise.all(contexts.map(async (context) => (await readDependencies(context, {})).length))
  }
  rollups.touch(await storeRows(engine, [child!]))
  assert.deepEqual(await edges(), [0, 0])
  rollups.touch(await storeRows(engine, [parent!]))
  assert.deepEqual(await edges(), [1, 1])
  await rollups.stop()
})

test('hours and days that are rolled up as a whole are summed by the engine, and again after late rows', async () => {
  const rollups = await storeHours()
  const context = { engine, rollups, memory: new FigureMemory(engine, rollups) }
  const spans = async (): Promise<(number | undefined)[]> =>
    (await readServices(context, {})).map(({ spans: count, newest }) => count * 100 + newest.calls)
  assert.deepEqual(await spans(), [6001, 6001])
  rollups.touch(await storeRows(engine, drawSpans('web GET 5h+1s', origin, { next: 500 })))
  assert.deepEqual(await spans(), [6001, 6101])
  await rollups.stop()
})

test('what does not fit into memory is computed by the engine', async () => {
  await emptyStore(engine)
  const rollups = await start(() => originMs)
  const context = { engine: observed as Engine, rollups, memory: new FigureMemory(observed, rollups, 1000) }
  rollups.touch(await storeRows(engine, drawSpans('web GET 1s+1s\nweb POST 2s+1s\ncart get 3s+1s', origin)))
  const ask = async (): Promise<number> => {
    assert.deepEqual(
      (await readServices(context, {})).map(({ name }) => name),
      ['cart', 'web'],
    )
    assert.equal((await readOperations(context, 'web', {})).length, 2)
    return queries
  }
  const once = await ask()
  assert.ok((await ask()) > once)
  await rollups.stop()
})

test('one who gives up waiting for figures leaves the others theirs', async () => {
  await emptyStore(engine)
  const rollups = await start(() => originMs)
  const memory = new FigureMemory(engine, rollups)
  rollups.touch(await storeRows(engine, drawSpans('web GET 1s+1s', origin)))
  const leaving = new AbortController()
  const context = { engine, rollups, memory }
  const answers = Promise.allSettled([
    readServices(context, {}),
    readServices(context, {}, leaving.signal),
    readServices(context, {}),
  ])
  leaving.abort()
  assert.deepEqual(
    (await answers).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await rollups.stop()
})
