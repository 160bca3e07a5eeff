import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { drawSpans, second, type TestSpan } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import type { Engine } from '../engine.ts'
import { KnownKeys } from '../known-keys.ts'
import { StoreWatch } from './store-watch.ts'
import { TraceSummaries } from './trace-summaries.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
let queries: string[] = []
/** Called once a query has read, before its answer is given. */
let afterQuery: () => void | Promise<void> = () => {}
const observed = {
  async query(sql: string, options: object) {
    queries.push(sql)
    const rows = await engine.query(sql, options)
    await afterQuery()
    return rows
  },
} as Engine

let keys: KnownKeys
let summaries: TraceSummaries
let watch: StoreWatch
beforeEach(async () => {
  await emptyStore(engine)
  keys = new KnownKeys()
  summaries = new TraceSummaries(engine)
  watch = new StoreWatch(observed, keys, summaries)
  afterQuery = () => {}
})

const ids = { next: 1 }

/** One span whose resource has the key; days after the origin. */
async function store(key: string, days = 0): Promise<TestSpan> {
  const [span] = drawSpans(`web a ${days * 24}h+1s @${key}=v`, origin, ids)
  await storeRows(engine, [span!])
  return span!
}

function known(...asked: readonly string[]): string[] {
  return asked.filter((key) => keys.resource.has(key))
}

test('only the rows that came since are read, also when they were merged with older ones', async () => {
  await store('a')
  await watch.catchUp()
  assert.deepEqual([known('a', 'b'), keys.spans], [['a'], 1])
  await store('b')
  await store('c', 1)
  await engine.execute('OPTIMIZE TABLE spans FINAL')
  await watch.catchUp()
  assert.deepEqual([known('a', 'b', 'c'), keys.spans], [['a', 'b', 'c'], 3])
  queries = []
  await watch.catchUp()
  assert.equal(queries.length, 1, 'a look at a store without new rows reads no rows')
})

test('what was stored during a look is seen by who asks after it', async () => {
  await store('a')
  await watch.catchUp()
  let isFirst = true
  let second: Promise<void> | undefined
  afterQuery = async () => {
    if (!isFirst) return
    isFirst = false
    await store('b')
    second = watch.catchUp()
  }
  await watch.catchUp()
  await second
  assert.deepEqual(known('a', 'b'), ['a', 'b'])
})

test('a look that failed is made again', async () => {
  await store('a')
  let left = 2
  afterQuery = () => {
    if (--left === 0) throw new Error('no memory')
  }
  await assert.rejects(watch.catchUp(), /no memory/)
  await watch.catchUp()
  assert.deepEqual(known('a'), ['a'])
})

test('summaries are forgotten when rows come or leave, and else kept', async () => {
  const { traceId } = await store('a')
  await store('b', 1)
  const count = async (): Promise<number> => {
    await watch.catchUp()
    return (await summaries.read([traceId])).length
  }
  assert.equal(await count(), 1)
  await engine.execute('OPTIMIZE TABLE traces FINAL')
  assert.equal(await count(), 1)
  const day = Math.floor(Number(origin / second) / 86_400)
  await engine.execute(`ALTER TABLE traces DROP PARTITION ID '${day}'`)
  assert.equal(await count(), 0)
})
