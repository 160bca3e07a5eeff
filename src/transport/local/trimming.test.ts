/** What the log keeps, for whom and how long, and what it deletes by itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { commitTo, openLog, readAll, record, temporaryFolder } from '../../../test/support/temporary-log.ts'

const kibibyte = 1024
const small = { segmentBytes: 8 * kibibyte, maxBytes: 64 * kibibyte, retryWindowMs: 0 }
const body = (n: number): string => `${n} `.padEnd(kibibyte, '.')

test('only a consumer that holds back the log makes it refuse; another loses the oldest records, which is counted', async (t) => {
  const log = await openLog(await temporaryFolder(t), { ...small, heldBy: ['store'] })
  await log.consumer('store')
  await log.consumer('copy')
  for (let n = 0; n < 200; n++) {
    await log.append(record(body(n)))
    await commitTo(log, 'store', n + 1)
  }
  const { consumers, oldestPosition, diskBytes } = log.stats()
  const copy = consumers.find(({ name }) => name === 'copy')!
  assert.deepEqual(
    [copy.holdsLog, copy.goneRecords, copy.pendingRecords],
    [false, oldestPosition, 200 - oldestPosition],
  )
  assert.ok(oldestPosition >= 120 && oldestPosition < 160, `kept while there is room: from ${oldestPosition}`)
  assert.ok(diskBytes <= small.maxBytes + small.segmentBytes, `${diskBytes} bytes`)
  assert.equal((await readAll(log, 0))[0]!.position, oldestPosition)
  // Now the one that holds it back stops reading.
  await assert.rejects(
    async () => {
      for (let n = 200; n < 400; n++) await log.append(record(body(n)))
    },
    { code: 'log_full' },
  )
  assert.equal((await readAll(log, 200)).length, log.stats().nextPosition - 200, 'nothing is dropped that it needs')
  await log.close()
})

test('with no consumer that holds it back the log never refuses, and stays within its bound', async (t) => {
  const log = await openLog(await temporaryFolder(t), { ...small, heldBy: [] })
  await log.consumer('copy')
  for (let n = 0; n < 200; n++) await log.append(record(body(n)))
  assert.ok(log.stats().diskBytes <= small.maxBytes + 2 * small.segmentBytes)
  assert.equal((await readAll(log, 199)).length, 1)
  await log.close()
})

test('an idle log deletes what nobody needs, including its last segment, and keeps its positions', async (t) => {
  const dir = await temporaryFolder(t)
  let nowMs = 1_000_000
  const options = { segmentBytes: 8 * kibibyte, retryWindowMs: 60_000, trimEveryMs: 20, now: () => nowMs }
  const log = await openLog(dir, options)
  for (let n = 0; n < 30; n++) await log.append(record(body(n)))
  await commitTo(log, 'store', 30)
  await sleep(100)
  assert.ok(log.stats().diskBytes > 30 * kibibyte, 'kept for clients that try again')
  assert.equal((await log.append(record(body(29)))).duplicate, true)
  nowMs += 60_001
  for (let tries = 0; log.stats().diskBytes > kibibyte && tries < 200; tries++) await sleep(20)
  assert.ok(log.stats().diskBytes < kibibyte, `${log.stats().diskBytes} bytes are left`)
  assert.equal((await log.append(record(body(30)))).position, 30)
  nowMs += 60_001
  await sleep(100)
  assert.equal((await readAll(log, 30)).length, 1, 'what is not committed stays')
  await log.close()
  const again = await openLog(dir, options)
  assert.deepEqual(
    (await readAll(again, 0)).map(({ position }) => position),
    [30],
  )
  await again.close()
})

test('appends go on while an idle log begins a new segment', async (t) => {
  const log = await openLog(await temporaryFolder(t), { retryWindowMs: 0, trimEveryMs: 1 })
  await log.consumer('store')
  for (let n = 0; n < 100; n++) {
    const { position } = await log.append(record(body(n)))
    assert.equal(position, n)
    await commitTo(log, 'store', n + 1)
    await sleep(n % 3)
  }
  assert.equal(log.stats().pendingRecords, 0)
  await log.close()
})
