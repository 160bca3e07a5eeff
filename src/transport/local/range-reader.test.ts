import assert from 'node:assert/strict'
import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Log, Position, RecordRanges } from '../../model/log.ts'
import { commitTo, openLog, record, temporaryFolder } from '../../../test/support/temporary-log.ts'

/** Every byte shows its record and its place in that record. */
function bodyOf(position: number, bytes: number): Buffer {
  const body = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) body[i] = (position * 31 + i * 7 + (i >> 8)) & 0xff
  return body
}

function sendable(position: number, bytes: number) {
  return record(bodyOf(position, bytes), { retryable: false, encoding: position % 3 === 0 ? 'identity' : '' })
}

async function readParts(log: Log, wanted: readonly (readonly [number, [number, number][]])[]) {
  assert.ok(log.readRanges !== undefined)
  const records: RecordRanges[] = wanted.map(([position, ranges]) => ({ position: position as Position, ranges }))
  return (await log.readRanges(records))?.map((parts) => parts.map((part) => Buffer.from(part)))
}

const sizes = fc.array(
  fc.oneof(fc.nat(40), fc.integer({ min: 500, max: 3000 }), fc.integer({ min: 60_000, max: 90_000 })),
  {
    minLength: 1,
    maxLength: 40,
  },
)
const shares = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
  {
    maxLength: 4,
  },
)

test('parts of any records have the right bytes, also after reopening', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.array(shares, { minLength: 40, maxLength: 40 }),
      fc.boolean(),
      async (bytes, parts, skipsOdd) => {
        const dir = await temporaryFolder(t)
        let log = await openLog(dir, { segmentBytes: 100_000 })
        for (const [position, size] of bytes.entries()) await log.append(sendable(position, size))
        const wanted = bytes.flatMap((size, position) => {
          if (skipsOdd && position % 2 === 1) return []
          const ranges = (parts[position] ?? []).map(([a, b]): [number, number] => {
            const [start, end] = [Math.floor(Math.min(a, b) * size), Math.floor(Math.max(a, b) * size)]
            return [start, end]
          })
          return [[position, ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])] as const]
        })
        const expected = wanted.map(([position, ranges]) =>
          ranges.map(([start, end]) => bodyOf(position, bytes[position]!).subarray(start, end)),
        )
        assert.deepEqual(await readParts(log, wanted), expected)
        await log.close()
        log = await openLog(dir, { segmentBytes: 100_000 })
        assert.deepEqual(await readParts(log, wanted), expected)
        await log.close()
      },
    ),
    { numRuns: 25 },
  )
})

test('records that are not kept, ranges past the end and damage give no answer', async (t) => {
  const dir = await temporaryFolder(t)
  let nowMs = 5_000_000
  const log = await openLog(dir, { segmentBytes: 2000, retryWindowMs: 1000, now: () => nowMs })
  await log.consumer('store')
  for (let position = 0; position < 20; position++) await log.append(sendable(position, 500))
  assert.deepEqual(await readParts(log, [[3, [[10, 12]]]]), [[bodyOf(3, 500).subarray(10, 12)]])
  assert.equal(await readParts(log, [[3, [[10, 501]]]]), undefined, 'past the end of the body')
  assert.equal(await readParts(log, [[20, [[0, 1]]]]), undefined, 'not appended yet')
  const { oldestPosition } = log.stats()
  assert.equal(oldestPosition, 0)
  nowMs += 1001
  await commitTo(log, 'store', 20)
  assert.ok(log.stats().oldestPosition > 3)
  assert.equal(await readParts(log, [[3, [[10, 12]]]]), undefined, 'deleted')
  assert.equal(
    await readParts(log, [
      [3, []],
      [19, [[0, 1]]],
    ]),
    undefined,
    'one of two deleted',
  )
  assert.deepEqual(await readParts(log, [[19, [[0, 500]]]]), [[bodyOf(19, 500)]])
  const segments = (await readdir(dir)).filter((name) => name.endsWith('.seg')).sort()
  await truncate(join(dir, segments.at(-1)!), 70)
  assert.equal(await readParts(log, [[19, [[0, 500]]]]), undefined, 'the file was cut')
  await log.close()
})

test('readers get the right bytes or none during appends and deletions', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(dir, { segmentBytes: 20_000, retryWindowMs: 0, retryWindowMaxBytes: 0 })
  await log.consumer('store')
  let next = 0
  const counts = { read: 0, gone: 0 }
  const readers = Array.from({ length: 6 }, async (_, reader) => {
    while (next < 600) {
      await new Promise(setImmediate) // an answer that needs no disk must not keep the others waiting
      const from = Math.max(0, next - 1 - ((reader * 17 + counts.read + counts.gone) % 60))
      if (from + 2 > next) continue
      const answer = await readParts(log, [
        [
          from,
          [
            [5, 9],
            [700, 900],
          ],
        ],
        [from + 1, [[0, 1000]]],
      ])
      if (answer === undefined) counts.gone++
      else {
        counts.read++
        const [first, second] = [bodyOf(from, 1000), bodyOf(from + 1, 1000)]
        assert.deepEqual(answer, [[first.subarray(5, 9), first.subarray(700, 900)], [second]])
      }
    }
  })
  for (; next < 600; next++) {
    await log.append(sendable(next, 1000))
    if (next % 10 === 9) await commitTo(log, 'store', next)
  }
  await Promise.all(readers)
  assert.ok(counts.read > 50 && counts.gone > 0, JSON.stringify(counts))
  await log.close()
})
