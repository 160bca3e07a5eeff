import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { drawSpans, second } from '../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../test/support/temporary-store.ts'
import type { Lease } from '../../model/lease.ts'
import { startTidy, type Tidy, type TidyOptions } from './tidy.ts'

const engine = await temporaryEngine({ after })
const noon = 20_775n * 86_400n * second + 43_200n * second

async function storeParts(...spans: readonly number[]): Promise<void> {
  for (const [part, count] of spans.entries()) {
    const lines = Array.from({ length: count }, (_, i) => `web GET ${i}us+1ms server`).join('\n')
    await storeRows(engine, drawSpans(lines, noon, { next: part * 1000 + 1 }))
  }
}

async function parts(table: string): Promise<number[]> {
  const rows = await engine.query<[string]>(
    `SELECT rows FROM system.parts WHERE active AND table = '${table}' ORDER BY rows DESC`,
  )
  return rows.map(([count]) => Number(count))
}

function tidyOf(progress: () => number, options: Partial<TidyOptions> = {}): Tidy {
  const onProblem = (message: string, error: unknown): void => assert.fail(`${message}: ${String(error)}`)
  return startTidy({ engine, progress, onProblem, ...options })
}

beforeEach(async () => {
  await emptyStore(engine)
  await engine.execute('SYSTEM STOP MERGES')
})

test('joins the parts of a partition, and keeps every row', async () => {
  await storeParts(5, 7, 9)
  await engine.execute('SYSTEM START MERGES')
  const tidy = tidyOf(() => 0)
  // The engine may be merging some of them itself at that moment, which leaves those to it.
  for (let tries = 0; tries < 100 && (await parts('spans')).length > 1; tries++) {
    await tidy.run()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await tidy.stop()
  assert.deepEqual(await parts('spans'), [21])
})

test('leaves partitions over the bound to the engine', async () => {
  await storeParts(50, 3)
  await engine.execute('SYSTEM START MERGES')
  const bounded = tidyOf(() => 0, { partitionBytesMax: 1 })
  assert.equal(await bounded.run(), 0)
  await bounded.stop()
})

test('waits until nothing comes, then works until nothing is left to join', async () => {
  await storeParts(5, 5)
  await engine.execute('SYSTEM START MERGES')
  let blocks = 0
  const busy = setInterval(() => blocks++, 10)
  const tidy = tidyOf(() => blocks, { quietMs: 50 })
  await new Promise((resolve) => setTimeout(resolve, 400))
  clearInterval(busy)
  for (let tries = 0; tries < 500 && (await parts('spans')).length > 1; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  await tidy.stop()
  assert.deepEqual(await parts('spans'), [10])
})

test('joins nothing without the lease, and no more once it is lost', async () => {
  await storeParts(5, 7)
  const tried: string[] = []
  // Merges are stopped: what counts is what it asks for.
  const asking = new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name === 'execute') return (sql: string) => Promise.resolve(void tried.push(sql))
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  for (const steps of [0, 1]) {
    let checks = 0
    const lease: Lease = {
      name: 'upkeep',
      generation: 1,
      isHeld: () => ++checks <= steps,
      lost: new AbortController().signal,
      release: () => Promise.resolve(),
    }
    const tidy = tidyOf(() => 0, { engine: asking, lease })
    await tidy.run()
    await tidy.stop()
    assert.equal(tried.length, steps, 'spans and traces both have parts to join')
  }
})
