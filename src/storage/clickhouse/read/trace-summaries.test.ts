import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { drawSpans, second, spanBatchOf } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import type { Engine } from '../engine.ts'
import { StoreBlock } from '../block/store-block.ts'
import { TraceSummaries } from './trace-summaries.ts'

const engine = await temporaryEngine({ after })
let queries = 0
/** Called once a query has read, before its answer is given. */
let afterQuery: () => void | Promise<void> = () => {}
const observed: Pick<Engine, 'query'> = {
  query: async (sql, options) => {
    queries++
    const rows = await engine.query(sql, options)
    await afterQuery()
    return rows as never
  },
}

/** Three traces of one span. */
const spans = drawSpans(['web a 0s+1s', 'web b 1s+1s', 'web c 2s+1s'].join('\n'), 1_795_000_200n * second)
const ids = spans.map(({ traceId }) => traceId)

let summaries: TraceSummaries
beforeEach(async () => {
  await emptyStore(engine)
  await storeRows(engine, spans)
  summaries = new TraceSummaries(observed)
  afterQuery = () => {}
  queries = 0
})

/** One more span for each of the traces at these places, stored as the writer does it. */
async function storeMore(...places: readonly number[]): Promise<void> {
  const block = new StoreBlock()
  block.add(spanBatchOf(places.map((place) => ({ ...spans[place]!, spanId: 'f'.repeat(16) }))))
  const settled = summaries.inserting((traceId) => block.holds(traceId))
  await block.insert(engine, `more-${Math.random()}`).finally(settled)
}

/** How many spans each of the traces has. */
async function counts(asked = ids): Promise<(number | undefined)[]> {
  const found = new Map((await summaries.read(asked)).map(({ traceId, spanCount }) => [traceId, spanCount]))
  return asked.map((id) => found.get(id))
}

test('summaries are read once', async () => {
  assert.deepEqual(await counts(ids.slice(0, 2)), [1, 1])
  assert.deepEqual(await counts(), [1, 1, 1])
  assert.deepEqual(await counts(), [1, 1, 1])
  assert.equal(queries, 2)
})

test('a trace that the store does not have is asked for again', async () => {
  const other = ['e'.repeat(32)]
  assert.deepEqual(await counts(other), [undefined])
  await storeRows(engine, [{ ...spans[0]!, traceId: other[0]! }])
  assert.deepEqual(await counts(other), [1])
})

test('a block takes out those of its traces and no others', async () => {
  await counts()
  await storeMore(0, 2)
  assert.deepEqual(await counts(), [2, 1, 2])
  assert.deepEqual(await counts(), [2, 1, 2])
  assert.equal(queries, 2)
})

test('what was read while a block was on its way is not kept', async () => {
  afterQuery = () => storeMore(0, 1, 2)
  assert.deepEqual(await counts(), [1, 1, 1])
  afterQuery = () => {}
  assert.deepEqual(await counts(), [2, 2, 2])

  summaries = new TraceSummaries(observed)
  const settled = summaries.inserting(() => false)
  await counts()
  const before = queries
  await counts()
  assert.equal(queries, before + 1)
  settled()
  await counts()
  await counts()
  assert.equal(queries, before + 2)
})

test('those asked for longest ago make room', async () => {
  summaries = new TraceSummaries(observed, 2)
  await counts([ids[0]!, ids[1]!])
  await counts([ids[0]!])
  await counts([ids[2]!])
  const before = queries
  assert.deepEqual(await counts([ids[0]!, ids[2]!]), [1, 1])
  assert.equal(queries, before)
  await counts([ids[1]!])
  assert.equal(queries, before + 1)
})

test('nothing is kept when rows left the store', async () => {
  await counts()
  await emptyStore(engine)
  summaries.forget()
  assert.deepEqual(await counts(), [undefined, undefined, undefined])
})
