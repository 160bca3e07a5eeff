import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { addTotals, noTotals, reportTotals, type Totals } from './totals.ts'

/** The lines that `reportTotals` prints, and its exit code. */
function reported(totals: Totals, ci: boolean): { lines: unknown[]; code: number } {
  const log = mock.method(console, 'log', () => {})
  const code = reportTotals(totals, { ci })
  const lines = log.mock.calls.map((call) => (call.arguments as unknown[])[0])
  log.mock.restore()
  return { lines, code }
}

test('totals of several runs add up', () => {
  const totals = noTotals()
  addTotals(totals, { ...noTotals(), passed: 3 })
  const more = { passed: 2, failed: 1, skipped: ['a.test.ts: x (no python3)'], failures: ['b.test.ts: y'] }
  addTotals(totals, more)
  assert.deepEqual(totals, { ...more, passed: 5 })
})

test('the last line is plain and a failure is in the exit code', () => {
  const none = noTotals()
  assert.deepEqual(reported({ ...none, passed: 5 }, true), { lines: ['5 passed, 0 failed'], code: 0 })
  assert.deepEqual(reported({ ...none, passed: 5, failed: 2, failures: ['b.test.ts: y'] }, false), {
    lines: ['failed: b.test.ts: y', '5 passed, 2 failed'],
    code: 1,
  })
})

test('a skip is printed on its own machine and fails in CI', () => {
  const totals = { ...noTotals(), passed: 5, skipped: ['a.test.ts: x'] }
  assert.deepEqual(reported(totals, false), {
    lines: ['skipped: a.test.ts: x', '1 skipped', '5 passed, 0 failed'],
    code: 0,
  })
  const inCi = reported(totals, true)
  assert.equal(inCi.code, 1)
  assert.equal(inCi.lines.at(-1), '5 passed, 1 failed')
})
