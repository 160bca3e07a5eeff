/** Spans that come more than once, against the real store through the sink that `serve` uses. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { takeCensus } from '../../../../test/support/store-census.ts'
import { temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { drawSpans, second, spanBatchOf, type TestSpan } from '../../../../test/support/test-spans.ts'
import type { BlockInsert } from '../../../model/sink.ts'
import type { Engine } from '../engine.ts'
import { KnownKeys } from '../known-keys.ts'
import { ClickHouseSink } from '../sink.ts'
import { SeenSpans } from './seen-spans.ts'

const nowMs = Date.now()
const origin = BigInt(nowMs - 60_000) * 1_000_000n

interface Opened {
  readonly engine: Engine
  readonly keys: KnownKeys
  readonly sink: () => ClickHouseSink
  readonly restart: () => void
  /** Stores the requests as one block; returns how many spans of it were repeats. */
  readonly store: (requests: readonly (readonly TestSpan[])[], mayBeStored?: boolean) => Promise<number>
  /** Spans in the store and in the summaries of `traces`. */
  readonly counts: () => Promise<[spans: number, summed: number, wrongTraces: number]>
}

function sinkOf(engine: Engine, keys: KnownKeys, startedEmpty: boolean): ClickHouseSink {
  return new ClickHouseSink({
    engine,
    keys,
    seen: new SeenSpans({ startedEmpty, nowMs: () => nowMs, placesMin: 1024 }),
    inserting: () => Promise.resolve(() => {}),
  })
}

async function open(t: TestContext): Promise<Opened> {
  const engine = await temporaryEngine(t)
  const keys = new KnownKeys()
  let sink = sinkOf(engine, keys, true)
  let blocks = 0
  return {
    engine,
    keys,
    sink: () => sink,
    restart: () => void (sink = sinkOf(engine, keys, false)),
    async store(requests, mayBeStored = false) {
      const before = sink.repeatedSpans
      const block = sink.newBlock()
      for (const spans of requests) block.add(spanBatchOf(spans))
      await block.insert({ token: `log-${blocks++}`, mayBeStored })
      return sink.repeatedSpans - before
    },
    async counts() {
      const { spans, summed, wrongTraces } = await takeCensus(engine)
      return [spans, summed, wrongTraces]
    },
  }
}

const shop = drawSpans(
  `web "GET /" 0s+200ms server user.id=7
     web call 10ms+150ms client
       cart reserve 20ms+100ms server error
         cart "SELECT stock" 30ms+50ms client db.system=redis`,
  origin,
)
const [root, call, reserve, select] = shop as [TestSpan, TestSpan, TestSpan, TestSpan]

test('a span that comes again beside other ones is stored once, and counts once', async (t) => {
  const { engine, keys, store, counts } = await open(t)
  assert.equal(await store([[root, call]]), 0)
  assert.equal(await store([[call, reserve], [select]]), 1)
  assert.deepEqual(await counts(), [4, 4, 0])
  assert.equal(keys.spans, 4)
  const rows = await engine.query<[string]>('SELECT name FROM spans ORDER BY start_time')
  assert.deepEqual(
    rows.map(([name]) => name),
    ['GET /', 'call', 'reserve', 'SELECT stock'],
  )
  const [newest] = await engine.query(
    'SELECT span_count, error_count, root_name, summary FROM traces ORDER BY start_time DESC LIMIT 1',
  )
  assert.deepEqual(newest!.slice(0, 3), [2, 1, ''])
  assert.match(String(newest![3]), /\[\["cart",2,1\]\]\]$/)
})

test('every column of the spans that stay is what it was', async (t) => {
  const { engine, store } = await open(t)
  await store([shop])
  const columns = 'lower(hex(trace_id)), * EXCEPT trace_id'
  const whole = await engine.query(`SELECT ${columns} FROM spans ORDER BY start_time`)
  await engine.execute('TRUNCATE TABLE spans')
  await engine.execute('TRUNCATE TABLE traces')
  await store([[call], [select]])
  assert.equal(await store([shop]), 2)
  assert.deepEqual(await engine.query(`SELECT ${columns} FROM spans ORDER BY start_time`), whole)
})

test('the same span twice in one request, or in two of one block, is one', async (t) => {
  const { store, counts } = await open(t)
  assert.equal(await store([[root, root, call], [call, reserve], [root]]), 3)
  assert.deepEqual(await counts(), [3, 3, 0])
})

test('spans that share an id but differ in kind, start, length or name are different ones', async (t) => {
  const { store, counts } = await open(t)
  const others = [
    { ...call, kind: 2 },
    { ...call, startNs: call.startNs + 1n },
    { ...call, durationNs: call.durationNs + 1n },
    { ...call, name: 'call again' },
  ]
  assert.equal(await store([[call], others]), 0)
  assert.equal(await store([others]), 4)
  assert.deepEqual(await counts(), [5, 5, 0])
})

test('after a restart, what is stored is known: by spans of live traces and of old ones', async (t) => {
  const { restart, store, counts } = await open(t)
  const old = drawSpans('web "GET /old" 0s+1s server', origin - 86_400n * second, { next: 50 })
  await store([[root, call], old])
  restart()
  const unknown = drawSpans('web "GET /new" 0s+1s server', origin - 86_400n * second, { next: 60 })
  assert.equal(
    await store([
      [call, reserve],
      [...old, ...unknown],
    ]),
    2,
  )
  assert.deepEqual(await counts(), [5, 5, 0])
})

test('a thousand spans that overlap by half with those of the attempt before', async (t) => {
  const { store, counts, restart } = await open(t)
  const spans = drawSpans(
    Array.from({ length: 1500 }, (_, i) => `web "GET /${i % 7}" ${i}ms+1ms server`).join('\n'),
    origin,
    { next: 100 },
  )
  await store([spans.slice(0, 1000)])
  assert.equal(await store([spans.slice(500)]), 500)
  assert.deepEqual(await counts(), [1500, 1500, 0])
  restart()
  assert.equal(await store([spans]), 1500)
  assert.deepEqual(await counts(), [1500, 1500, 0])
})

test('blocks of two partitions, inserted at once, do not both store a span', async (t) => {
  const { sink, counts } = await open(t)
  const blocks = [
    [root, call],
    [call, reserve],
    [reserve, root],
  ].map((spans) => {
    const block = sink().newBlock()
    block.add(spanBatchOf(spans))
    return block
  })
  await Promise.all(blocks.map((block, i) => block.insert({ token: `partition-${i}`, mayBeStored: false })))
  assert.equal(sink().repeatedSpans, 3)
  assert.deepEqual(await counts(), [3, 3, 0])
})

test('a block of which an attempt stored the rows of traces alone, or with the spans of one day, is made whole', async (t) => {
  const { engine, store, counts } = await open(t)
  const midnight = BigInt(Math.floor(nowMs / 86_400_000)) * 86_400n * second
  const twoDays = drawSpans(
    `web "GET /" 0s+2s server
       web before 100ms+1ms
       web after 1500ms+1ms
     web repeated 10ms+1ms`,
    midnight - second,
    { next: 80 },
  )
  await store([[twoDays[3]!]])
  const edge = `fromUnixTimestamp64Nano(toInt64(${midnight}))`
  const lost = [`start_time < ${edge}`, 'true']
  for (const [attempt, condition] of lost.entries()) {
    const token = `two-days-${attempt}`
    await insertAsNew(engine, twoDays, { token, mayBeStored: false })
    // What a kill between the parts of the insert leaves.
    await remove(engine, 'spans', `name != 'repeated' AND ${condition}`)
    await insertAsNew(engine, twoDays, { token, mayBeStored: true })
    assert.deepEqual(await counts(), [4, 4, 0], condition)
    await remove(engine, 'spans', "name != 'repeated'")
    await remove(engine, 'traces', 'span_count = 3')
  }
})

async function remove(engine: Engine, table: string, condition: string): Promise<void> {
  await engine.execute(`ALTER TABLE ${table} DELETE WHERE ${condition} SETTINGS mutations_sync=1`)
}

/** By a process that has just begun. */
async function insertAsNew(engine: Engine, spans: readonly TestSpan[], insert: BlockInsert): Promise<void> {
  const sink = sinkOf(engine, new KnownKeys(), false)
  const block = sink.newBlock()
  block.add(spanBatchOf(spans))
  await block.insert(insert)
}
