import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { drawSpans, second } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { bucketSeconds } from '../../touched-buckets.ts'
import { bucketOf } from '../rollup/intervals.ts'
import { startRollups } from '../rollup/scheduler.ts'
import { BucketWatch } from './bucket-watch.ts'

const engine = await temporaryEngine({ after })
/** The middle of a bucket, so that no row counts for the one before. */
const origin = 1_795_000_350n * second
const first = bucketOf(origin)

/** Numbers of buckets from the first on. */
function numbers(buckets: ReadonlySet<number>): number[] {
  return [...buckets].map((bucket) => (bucket - first) / bucketSeconds).sort((a, b) => a - b)
}

test('a reader of what another process stores and rolls up knows which buckets it must compute itself', async () => {
  await emptyStore(engine)
  let nowMs = Number(origin / 1_000_000n) + 24 * 3_600_000
  const onProblem = (message: string, error: unknown): never => assert.fail(`${message}: ${String(error)}`)
  const rollups = await startRollups({
    engine,
    intervalMs: 1e9,
    now: () => nowMs,
    onProblem,
  })
  const watch = new BucketWatch(engine)
  const ids = { next: 1 }
  const look = async (): Promise<number[]> => {
    await watch.look()
    return numbers(watch.dirtyBuckets())
  }
  const rollUp = async (): Promise<void> => {
    await rollups.checkStored()
    nowMs += 60_000
    assert.ok((await rollups.runDue()) > 0)
  }
  /** Stored by another process: these rollups are told nothing. */
  const store = (line: string): Promise<unknown> => storeRows(engine, drawSpans(line, origin, ids))

  assert.deepEqual(await look(), [])
  await store('web a 0s+1s')
  await store('web b 50m+1s')
  assert.deepEqual(await look(), [-1, 0, 1, 9, 10, 11])
  await rollUp()
  assert.deepEqual(await look(), [])

  await store('web late 1s+1s')
  assert.deepEqual(await look(), [-1, 0, 1])
  await engine.execute('OPTIMIZE TABLE spans FINAL')
  assert.deepEqual(await look(), [-1, 0, 1], 'a merge changes nothing')
  await rollUp()
  assert.deepEqual(await look(), [])

  await store('web long 20m+16m')
  assert.deepEqual(await look(), [3, 4, 5, 6, 7, 8], 'what a long span lasts into is wrong too')
  await engine.execute("ALTER TABLE spans DELETE WHERE name = 'long' SETTINGS mutations_sync = 1")
  assert.deepEqual(await look(), [], 'rows that left before they were rolled up count no more')
  await engine.execute('TRUNCATE TABLE spans')
  assert.deepEqual(await look(), [-1, 0, 1, 9, 10, 11], 'what is rolled up of rows that left is wrong')
  await rollups.stop()
})
