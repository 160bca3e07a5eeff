import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawSpans, second, spanBatchOf } from '../../../test/support/test-spans.ts'
import { storeRows, temporaryEngine } from '../../../test/support/temporary-store.ts'
import { KnownKeys } from './known-keys.ts'

test('the end of the newest stored span is known from the start', async (t) => {
  const engine = await temporaryEngine(t)
  const loaded = async (): Promise<KnownKeys> => {
    const keys = new KnownKeys()
    await keys.load(engine)
    return keys
  }
  assert.equal((await loaded()).storedUntilMs, -Infinity)
  const origin = 1_795_000_200n * second
  await storeRows(engine, drawSpans('web a 0s+1s\n  web b 90s+2s\ncart c 30s+5s', origin))
  const { spans, storedUntilMs } = await loaded()
  assert.equal(spans, 3)
  assert.equal(storedUntilMs, Number(origin / 1_000_000n) + 92_001)
})

test('past the limit of remembered keys, every key may be one of a resource', async (t) => {
  const engine = await temporaryEngine(t)
  const resource = Object.fromEntries(['a', 'b', 'c'].map((key) => [key, 'v']))
  const spans = drawSpans('web a 0s+1s', 1_795_000_200n * second).map((span) => ({ ...span, resource }))
  const told = new KnownKeys(2)
  assert.equal(told.resource.has('c'), false)
  for (const each of spanBatchOf(spans).resources) told.addResource(each)
  await storeRows(engine, spans)
  const loaded = new KnownKeys(2)
  await loaded.load(engine)
  for (const keys of [told, loaded]) assert.deepEqual(['a', 'b', 'c'].map(keys.resource.has), [true, true, true])
  const roomy = new KnownKeys()
  await roomy.load(engine)
  assert.deepEqual(['a', 'b', 'c', 'd'].map(roomy.resource.has), [true, true, true, false])
})
