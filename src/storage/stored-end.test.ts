import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArrivalMarks } from './arrival-marks.ts'
import { StoredEnd } from './stored-end.ts'

const never = new AbortController().signal

test('records from before the start are old at once, later ones after the age', () => {
  const marks = new ArrivalMarks(2000, 5)
  assert.equal(marks.oldEnd(0), 5)
  for (let at = 0; at <= 10_000; at += 100) marks.note(6 + at / 100, at)
  const oldEnd = marks.oldEnd(10_000)
  // The records before 6 + 80 had come by 8000.
  assert.ok(oldEnd > 86 - 3 && oldEnd <= 86, String(oldEnd))
  assert.equal(marks.oldEnd(12_100), 106)
})

test('the newest record gets old, even if it came right after another', () => {
  const marks = new ArrivalMarks(2000, 0)
  marks.note(1, 1000)
  marks.note(2, 1010)
  assert.ok(marks.oldEnd(3005) >= 1)
  assert.equal(marks.oldEnd(3010), 2)
})

test('waiting ends when the old records are stored, and not before', async () => {
  const stored = new StoredEnd(3, 7, 1000)
  assert.ok(stored.isBehind)
  let isDone = false
  const waiting = stored.wait(never).then(() => (isDone = true))
  stored.came(9)
  stored.reached(6)
  await Promise.resolve()
  assert.ok(!isDone && stored.isWaitedFor)
  stored.reached(7)
  await waiting
  assert.ok(!stored.isBehind && !stored.isWaitedFor)
  await stored.wait(never)
})

test('a caller that gives up stops waiting, and nobody waits for a partition that is lost', async () => {
  const stored = new StoredEnd(0, 1, 1000)
  const gone = new AbortController()
  const waiting = stored.wait(gone.signal)
  gone.abort(new Error('client went away'))
  await assert.rejects(waiting, /client went away/)
  assert.ok(!stored.isWaitedFor)
  const other = stored.wait(never)
  stored.giveUp()
  await other
  assert.ok(!stored.isBehind)
})
