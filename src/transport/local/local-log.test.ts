import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { UnavailableError } from '../../base/errors.ts'
import type { Log, Position } from '../../model/log.ts'
import { commitTo, openLog, readAll, record, temporaryFolder, textOf } from '../../../test/support/temporary-log.ts'

const segmentsIn = async (dir: string): Promise<string[]> =>
  (await readdir(dir)).filter((name) => name.endsWith('.seg')).sort()

const hasCode = (code: string) => (error: unknown) => error instanceof UnavailableError && error.code === code

async function appendAll(log: Log, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => log.append(record(`body ${from + i}`))))
}

test('every field and byte of a record comes back, in order, also after reopening', async (t) => {
  const dir = await temporaryFolder(t)
  let log = await openLog(dir, { sync: true })
  const records = [
    record(Uint8Array.of(0, 255, 10), { signal: 'events', codec: 'lines', encoding: 'zstd', tenant: 'über' }),
    record('', { receivedAtMs: 1_700_000_000_123.5 }),
    record(Buffer.alloc(3_000_000, 'large'), { encoding: 'gzip' }),
    record('last'),
  ]
  for (const [position, each] of records.entries()) {
    assert.deepEqual(await log.append(each), { partition: 0, position, duplicate: false })
  }
  for (let round = 0; round < 2; round++) {
    const expected = records.map((each, position) => ({
      ...each,
      partition: 0,
      position,
      body: Buffer.from(each.body),
      hash: createHash('sha1').update(each.body).digest('hex').slice(0, 32),
    }))
    assert.deepEqual(await readAll(log), expected)
    await log.close()
    log = await openLog(dir)
  }
  await log.close()
})

test('reading starts at any position and ends with the newest record', async (t) => {
  const log = await openLog(await temporaryFolder(t), { segmentBytes: 20_000 })
  await appendAll(log, 0, 500)
  for (const from of [0, 1, 137, 138, 139, 499, 500]) {
    const positions = (await readAll(log, from)).map(({ position }) => position)
    assert.deepEqual(
      positions,
      Array.from({ length: 500 - from }, (_, i) => from + i),
    )
  }
  await log.close()
})

test('a reader sees what is appended while it reads', async (t) => {
  const log = await openLog(await temporaryFolder(t), { segmentBytes: 1000 })
  await appendAll(log, 0, 5)
  const seen: number[] = []
  for await (const { position } of log.read(0 as Position)) {
    seen.push(position)
    if (position < 20) await log.append(record(`later ${position}`))
  }
  assert.deepEqual(seen, Array.from({ length: 26 }, (_, i) => i).slice(0, seen.length))
  assert.equal(seen.length, log.stats().nextPosition)
  await log.close()
})

test('bodies read are not shared between records', async (t) => {
  const log = await openLog(await temporaryFolder(t))
  await appendAll(log, 0, 3)
  const [first, second] = await readAll(log)
  assert.ok(first !== undefined && second !== undefined)
  assert.notEqual(first.body.buffer, second.body.buffer)
  first.body.fill(0)
  assert.equal(await textOf(log), '0:body 0 1:body 1 2:body 2')
  await log.close()
})

test('50 appenders at once share syncs; positions follow the order of calls and of answers', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir, { sync: true, segmentBytes: 50_000 })
  const answered: number[] = []
  let count = 0
  const appendSome = async (appender: number): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const called = count++
      const { position } = await log.append(record(`${appender}/${i}/${called}`))
      assert.equal(position, called)
      answered.push(position)
    }
  }
  await Promise.all(Array.from({ length: 50 }, (_, appender) => appendSome(appender)))
  assert.deepEqual(
    answered,
    Array.from({ length: 1000 }, (_, i) => i),
  )
  const { syncs, appendedRecords } = log.stats()
  assert.equal(appendedRecords, 1000)
  assert.ok(syncs < 200, `${syncs} syncs`)
  const stored = await readAll(log)
  assert.ok(stored.every(({ position, body }) => Buffer.from(body).toString().endsWith(`/${position}`)))
  assert.equal(stored.length, 1000)
  await log.close()
})

test('more records than one system call takes are written as one group', async (t) => {
  const log = await openLog(await temporaryFolder(t), { sync: true })
  await appendAll(log, 0, 3000)
  assert.equal(log.stats().syncs, 1)
  assert.equal((await readAll(log)).length, 3000)
  await log.close()
})

test('a retry within the window is acknowledged with the first position and not stored, also after reopening', async (t) => {
  const dir = await temporaryFolder(t)
  let nowMs = 1_000_000
  const options = { now: () => nowMs, retryWindowMs: 1000 }
  const at = (body: string, fields = {}) => record(body, { receivedAtMs: nowMs, ...fields })
  let log = await openLog(dir, options)
  await log.append(at('other'))
  assert.deepEqual(await log.append(at('body')), { partition: 0, position: 1, duplicate: false })
  nowMs += 1000
  assert.deepEqual(await log.append(at('body')), { partition: 0, position: 1, duplicate: true })
  await log.close()
  log = await openLog(dir, options)
  assert.deepEqual(await log.append(at('body')), { partition: 0, position: 1, duplicate: true })
  assert.equal(log.stats().duplicateRecords, 1)
  nowMs += 1
  assert.deepEqual(await log.append(at('body')), { partition: 0, position: 2, duplicate: false })
  nowMs += 1001
  await log.close()
  log = await openLog(dir, options)
  assert.deepEqual(await log.append(at('body')), { partition: 0, position: 3, duplicate: false })
  await log.close()
})

test('the same bytes with another tenant, codec, encoding or signal are not a retry', async (t) => {
  const log = await openLog(await temporaryFolder(t))
  const fields = [{}, { tenant: 'a' }, { codec: 'b' }, { encoding: 'gzip' }, { signal: 'events' as const }]
  for (const [position, each] of fields.entries()) {
    assert.deepEqual(await log.append(record('body', each)), { partition: 0, position, duplicate: false })
  }
  await log.close()
})

test('reopening does not turn a record into a retry when its sender never repeats', async (t) => {
  const dir = await temporaryFolder(t)
  let log = await openLog(dir)
  await log.append(record('line', { retryable: false }))
  await log.close()
  log = await openLog(dir)
  assert.deepEqual(await log.append(record('line')), { partition: 0, position: 1, duplicate: false })
  assert.deepEqual(await log.append(record('line')), { partition: 0, position: 1, duplicate: true })
  await log.close()
})

test('a retry waits for the first one under way', async (t) => {
  const log = await openLog(await temporaryFolder(t), { sync: true })
  const order: string[] = []
  const first = log.append(record('body')).then((appended) => [order.push('first'), appended][1])
  const retry = log.append(record('body')).then((appended) => [order.push('retry'), appended][1])
  assert.deepEqual(await Promise.all([first, retry]), [
    { partition: 0, position: 0, duplicate: false },
    { partition: 0, position: 0, duplicate: true },
  ])
  assert.deepEqual(order, ['first', 'retry'])
  await log.close()
})

test('past its bound the log refuses with a time to retry, recognises retries, and takes records again', async (t) => {
  const log = await openLog(await temporaryFolder(t), { maxBytes: 1000 })
  await log.consumer('writer')
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => log.append(record(`body ${i}`))))
  const refused = results.filter((result) => result.status === 'rejected')
  assert.equal(results.length - refused.length, Math.floor(1000 / (56 + 'otlp-protobuf'.length + 6)))
  for (const { reason } of refused) assert.ok(hasCode('log_full')(reason) && reason.retryAfterMs > 0)
  assert.equal(log.stats().refusedRecords, refused.length)
  assert.deepEqual(await log.append(record('body 0')), { partition: 0, position: 0, duplicate: true })
  await commitTo(log, 'writer', 5)
  await appendAll(log, 100, 105)
  await assert.rejects(log.append(record('body 200')), hasCode('log_full'))
  await assert.rejects(log.append(record(Buffer.alloc(1001))), { code: 'too_large' })
  await commitTo(log, 'writer', log.stats().nextPosition)
  assert.equal(log.stats().pendingBytes, 0)
  await appendAll(log, 300, 310)
  await log.close()
})

test('pending bytes and records are those after the slowest consumer, also after reopening', async (t) => {
  const dir = await temporaryFolder(t)
  let log = await openLog(dir, { segmentBytes: 2000 })
  await log.consumer('a')
  await log.consumer('b')
  await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(record(`body ${i + 100}`))))
  const bytes = 56 + 'otlp-protobuf'.length + 'body 100'.length
  const pending = () => [log.stats().pendingRecords, log.stats().pendingBytes / bytes]
  assert.deepEqual(pending(), [100, 100])
  await commitTo(log, 'a', 77)
  assert.deepEqual(pending(), [100, 100])
  await commitTo(log, 'b', 33)
  assert.deepEqual(pending(), [67, 67])
  await log.close()
  log = await openLog(dir, { segmentBytes: 2000 })
  assert.deepEqual(pending(), [67, 67])
  await commitTo(log, 'b', 100)
  assert.deepEqual(pending(), [23, 23])
  await log.close()
})

test('a consumer finds its state again, including the cut; a new one starts at the oldest record kept', async (t) => {
  const dir = await temporaryFolder(t)
  const options = { segmentBytes: 400, retryWindowMs: -1 }
  let log = await openLog(dir, options)
  assert.deepEqual(await log.consumer('writer'), { next: 0, cutEnd: undefined })
  for (let i = 0; i < 20; i++) await log.append(record(`body ${i}`))
  await commitTo(log, 'writer', 8, 12)
  await log.close()
  log = await openLog(dir, options)
  assert.deepEqual(await log.consumer('writer'), { next: 8, cutEnd: 12 })
  const [oldest] = await readAll(log)
  assert.ok(oldest !== undefined && oldest.position > 0 && oldest.position <= 8)
  assert.deepEqual(await log.consumer('sink'), { next: oldest.position, cutEnd: undefined })
  await log.close()
})

test('a commit that goes back, or past the end, is a bug and changes nothing', async (t) => {
  const log = await openLog(await temporaryFolder(t))
  await appendAll(log, 0, 10)
  await commitTo(log, 'writer', 5)
  await assert.rejects(commitTo(log, 'writer', 4), /assertion failed/)
  await assert.rejects(commitTo(log, 'writer', 11), /assertion failed/)
  await assert.rejects(commitTo(log, 'writer', 6, 5), /assertion failed/)
  assert.deepEqual(await log.consumer('writer'), { next: 5, cutEnd: undefined })
  await log.close()
})

test('segments go when every consumer is past them and the retry window is over; positions go on', async (t) => {
  const dir = await temporaryFolder(t)
  let nowMs = 5_000_000
  const options = { segmentBytes: 400, retryWindowMs: 1000, now: () => nowMs }
  let log = await openLog(dir, options)
  for (const name of ['a', 'b']) await log.consumer(name)
  for (let i = 0; i < 20; i++) await log.append(record(`body ${i}`, { receivedAtMs: nowMs }))
  const all = await segmentsIn(dir)
  await commitTo(log, 'a', 20)
  nowMs += 1001
  await commitTo(log, 'a', 20)
  assert.deepEqual(await segmentsIn(dir), all, 'b has not read them')
  nowMs -= 1001
  await commitTo(log, 'b', 20)
  assert.deepEqual(await segmentsIn(dir), all, 'a retry may still come')
  nowMs += 1001
  await commitTo(log, 'b', 20)
  assert.deepEqual(await segmentsIn(dir), all.slice(-1))
  await log.close()
  log = await openLog(dir, options)
  assert.equal((await log.append(record('next'))).position, 20)
  await log.close()
})

test('segments kept for retries are bounded in bytes', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir, { segmentBytes: 400, retryWindowMaxBytes: 1000 })
  for (let i = 0; i < 100; i++) {
    await log.append(record(`body ${i}`))
    await commitTo(log, 'writer', i + 1)
  }
  assert.ok((await segmentsIn(dir)).length <= 4)
  assert.ok(log.stats().diskBytes <= 1000 + 2 * 400)
  await log.close()
})

test('a process can open a folder only once, and again after closing', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir)
  await assert.rejects(openLog(`${dir}/../${dir.split('/').at(-1)}`), hasCode('store_locked'))
  await log.close()
  await (await openLog(dir)).close()
})

test('closing finishes what is under way and refuses the rest', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir, { sync: true })
  const underWay = Array.from({ length: 10 }, (_, i) => log.append(record(`body ${i}`)))
  const commit = commitTo(log, 'writer', 0, 3)
  const closed = log.close()
  await assert.rejects(log.append(record('late')), hasCode('shutting_down'))
  await assert.rejects(commitTo(log, 'writer', 0), hasCode('shutting_down'))
  assert.throws(() => log.read(0 as Position), hasCode('shutting_down'))
  await Promise.all([...underWay, commit, closed, log.close()])
  const again = await openLog(dir)
  assert.equal((await readAll(again)).length, 10)
  assert.deepEqual(await again.consumer('writer'), { next: 0, cutEnd: 3 })
  await again.close()
})

test('below the free space it must leave, the log refuses before it writes', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir, { minFreeBytes: 2 ** 60 })
  const [first, retry] = await Promise.allSettled([log.append(record('body')), log.append(record('body'))])
  assert.ok(first?.status === 'rejected' && hasCode('disk_full')(first.reason))
  assert.ok(retry?.status === 'rejected' && hasCode('disk_full')(retry.reason), 'nor is its retry stored')
  assert.deepEqual(await readAll(log), [])
  assert.equal(log.stats().refusedRecords, 1)
  await log.close()
})

test('refused records do not count towards the bound', async (t) => {
  const log = await openLog(await temporaryFolder(t), { minFreeBytes: 2 ** 60, maxBytes: 1000 })
  for (let i = 0; i < 20; i++) await assert.rejects(log.append(record(`body ${i}`)), hasCode('disk_full'))
  await log.close()
})

test('a folder that cannot be a log is refused by name', async () => {
  await assert.rejects(openLog('/dev/null/log'), hasCode('io_failed'))
})
