import assert from 'node:assert/strict'
import { readFile, readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LogRecord, StoredRecord } from '../../model/log.ts'
import type { LogProblem } from './problem.ts'
import { recordFixedBytes } from './record.ts'
import { segmentHeaderBytes } from './segment.ts'
import { commitTo, openLog, readAll, record, temporaryFolder, textOf } from '../../../test/support/temporary-log.ts'

const bodies = ['alpha', '', 'beta', 'gamma-gamma', 'delta']
const codec = 'otlp-protobuf'
const headerBytes = recordFixedBytes + codec.length
/** Offset after each record, the segment's header first. */
const ends = bodies.reduce((all, body) => [...all, (all.at(-1) ?? 0) + headerBytes + body.length], [segmentHeaderBytes])

interface Written {
  readonly dir: string
  readonly path: string
  readonly bytes: Buffer
}

/** A folder with one closed segment that holds the five bodies. */
async function fiveRecords(t: TestContext): Promise<Written> {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir)
  for (const body of bodies) await log.append(record(body))
  await log.close()
  const path = join(dir, '0000000000000000.seg')
  const bytes = await readFile(path)
  assert.equal(bytes.length, ends.at(-1))
  return { dir, path, bytes }
}

interface Reopened {
  readonly text: string
  readonly problems: LogProblem[]
}

/** Opens the folder, appends `more` and reads everything. */
async function reopen(dir: string, more = 'more'): Promise<Reopened> {
  const problems: LogProblem[] = []
  const log = await openLog(dir, { onProblem: (problem) => problems.push(problem) })
  await log.append(record(more))
  const text = await textOf(log)
  await log.close()
  return { text, problems }
}

const textUpTo = (count: number): string =>
  [...bodies.slice(0, count), 'more'].map((body, i) => `${i}:${body}`).join(' ')

test('a log cut at any byte keeps every whole record and goes on', async (t) => {
  const { dir, path, bytes } = await fiveRecords(t)
  for (let length = 0; length < bytes.length; length++) {
    await writeFile(path, bytes.subarray(0, length))
    const whole = Math.max(0, ends.filter((end) => end <= length).length - 1)
    const { text, problems } = await reopen(dir)
    assert.equal(text, textUpTo(whole), `${length} bytes`)
    const isTorn = !ends.includes(length) && length > segmentHeaderBytes
    assert.deepEqual(
      problems.map(({ kind }) => kind),
      isTorn ? ['torn_tail'] : [],
      `${length} bytes`,
    )
  }
})

test('a tail of zeros, as after a loss of power, is cut', async (t) => {
  const { dir, path, bytes } = await fiveRecords(t)
  await writeFile(path, Buffer.concat([bytes.subarray(0, ends[3]), Buffer.alloc(100_000)]))
  const { text, problems } = await reopen(dir)
  assert.equal(text, textUpTo(3))
  assert.deepEqual(
    problems.map(({ kind, offset, bytes }) => ({ kind, offset, bytes })),
    [{ kind: 'torn_tail', offset: ends[3], bytes: 100_000 }],
  )
})

test('a changed byte loses only the record it is in', async (t) => {
  const { dir, path, bytes } = await fiveRecords(t)
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    await writeFile(path, damaged)
    const { text, problems } = await reopen(dir)
    const hit = ends.findIndex((end) => at < end) - 1
    const kept = bodies.map((body, i) => `${i}:${body}`).filter((_, i) => i !== hit)
    // The last record's position is reused: nothing after it shows that it was there.
    const next = hit === bodies.length - 1 ? hit : bodies.length
    assert.equal(text, [...kept, `${next}:more`].join(' '), `byte ${at}`)
    const kinds = hit === -1 ? [] : [hit === bodies.length - 1 ? 'torn_tail' : 'damaged_records']
    // Once at opening, once at reading.
    assert.deepEqual([...new Set(problems.map(({ kind }) => kind))], kinds, `byte ${at}`)
  }
})

test('a body that holds a whole segment is not mistaken for its records', async (t) => {
  const other = await fiveRecords(t)
  const dir = await temporaryFolder(t)
  const log = await openLog(dir)
  await log.append(record('first'))
  await log.append(record(other.bytes))
  await log.append(record('last'))
  await log.close()
  const path = join(dir, '0000000000000000.seg')
  const bytes = await readFile(path)
  bytes[segmentHeaderBytes + headerBytes + 'first'.length] = 0
  await writeFile(path, bytes)
  const { text, problems } = await reopen(dir)
  assert.equal(text, '0:first 2:last 3:more')
  assert.equal(problems[0]?.kind, 'damaged_records')
})

/** A folder with several segments of a few records each; the bodies are their positions. */
async function severalSegments(t: TestContext, count: number): Promise<{ dir: string; names: string[] }> {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir, { segmentBytes: 400 })
  for (let i = 0; i < count; i++) await log.append(record(`body ${i}`))
  await log.close()
  const names = (await readdir(dir)).sort()
  assert.ok(names.length >= 4)
  return { dir, names }
}

const bodyText = (each: StoredRecord): string => Buffer.from(each.body).toString()

test('damage in an older segment loses only the damaged records', async (t) => {
  const { dir, names } = await severalSegments(t, 20)
  const path = join(dir, names[1] ?? '')
  const bytes = await readFile(path)
  bytes.fill(0xff, segmentHeaderBytes + 20, segmentHeaderBytes + 120)
  await writeFile(path, bytes)
  const first = Number(names[1]?.slice(0, 16))
  const problems: LogProblem[] = []
  const log = await openLog(dir, { onProblem: (problem) => problems.push(problem) })
  const kept = (await readAll(log)).map(bodyText)
  await log.close()
  const expected = Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== first && i !== first + 1)
  assert.deepEqual(
    kept,
    expected.map((i) => `body ${i}`),
  )
  assert.ok(problems.every(({ kind, path: where }) => kind === 'damaged_records' && where === path))
  assert.ok(problems.length > 0)
})

test('an older segment that lost its end, its header or everything does not stop the others', async (t) => {
  for (const damage of ['end', 'header', 'all', 'cut'] as const) {
    const { dir, names } = await severalSegments(t, 20)
    const path = join(dir, names[1] ?? '')
    const bytes = await readFile(path)
    if (damage === 'end') bytes.fill(0, bytes.length - 50)
    if (damage === 'header') bytes.fill(0, 0, segmentHeaderBytes)
    if (damage === 'all') bytes.fill(0)
    await writeFile(path, bytes)
    if (damage === 'cut') await truncate(path, 10)
    const [from, to] = [Number(names[1]?.slice(0, 16)), Number(names[2]?.slice(0, 16))]
    const log = await openLog(dir, { onProblem: () => undefined })
    const kept = (await readAll(log)).map(bodyText)
    await log.append(record('more'))
    assert.equal((await readAll(log)).at(-1)?.position, 20)
    await log.close()
    const isKept = (i: number): boolean =>
      i < from || i >= to || damage === 'header' || (damage === 'end' && i < to - 1)
    assert.deepEqual(
      kept,
      Array.from({ length: 20 }, (_, i) => i)
        .filter(isKept)
        .map((i) => `body ${i}`),
      damage,
    )
  }
})

test('a lone segment without anything readable is kept under another name, and no position is reused', async (t) => {
  const { dir, path, bytes } = await fiveRecords(t)
  await writeFile(path, Buffer.alloc(bytes.length, 0xee))
  const { text, problems } = await reopen(dir)
  const position = Number(text.split(':')[0])
  assert.ok(position >= bodies.length)
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ['damaged_segment'],
  )
  assert.deepEqual(await readFile(`${path}.damaged`), Buffer.alloc(bytes.length, 0xee))
})

test('records left by a write that failed before a new segment began are not read', async (t) => {
  const { dir, bytes } = await fiveRecords(t)
  // As if the last two had been refused, cutting them off had failed too, and position 3 went to another body.
  const header = Buffer.from(bytes.subarray(0, segmentHeaderBytes))
  const second = await temporaryFolder(t)
  await writeFile(join(second, '0000000000000000.seg'), bytes.subarray(0, ends[3]))
  await reopen(second, 'other')
  const reused = await readFile(join(second, '0000000000000000.seg'))
  await writeFile(join(dir, '0000000000000003.seg'), Buffer.concat([header, reused.subarray(ends[3])]))
  const { text } = await reopen(dir)
  assert.equal(text, '0:alpha 1: 2:beta 3:other 4:more')
  const log = await openLog(dir, { onProblem: () => undefined })
  // A retry with their bodies does not count as stored either.
  const retried: LogRecord = record('gamma-gamma')
  assert.deepEqual(await log.append(retried), { partition: 0, position: 5, duplicate: false })
  await log.close()
})

test('positions go on after what a consumer has seen, even if the records are gone', async (t) => {
  const { dir, path, bytes } = await fiveRecords(t)
  const log = await openLog(dir)
  await log.consumer('writer')
  await commitTo(log, 'writer', 3, 5)
  await log.close()
  await writeFile(path, bytes.subarray(0, ends[4]))
  const { text } = await reopen(dir)
  assert.equal(
    text,
    `${bodies
      .slice(0, 4)
      .map((body, i) => `${i}:${body}`)
      .join(' ')} 5:more`,
  )
})

test('a consumer whose state is unreadable starts again at the oldest record, and that is reported', async (t) => {
  const { dir } = await fiveRecords(t)
  await writeFile(join(dir, 'writer.consumer'), Buffer.alloc(8192))
  const problems: LogProblem[] = []
  const log = await openLog(dir, { onProblem: (problem) => problems.push(problem) })
  assert.deepEqual(await log.consumer('writer'), { next: 0, cutEnd: undefined })
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ['damaged_consumer'],
  )
  await log.close()
})
