import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showCount, showDuration, showShare, showTime, zoneName } from './format.ts'

test('durations have three digits and a unit, then minutes and hours', () => {
  const cases: [number, string][] = [
    [0, '0 ns'],
    [999, '999 ns'],
    [1_000, '1.00 µs'],
    [999_400, '999 µs'],
    [999_600, '1.00 ms'],
    [84_123_456, '84.1 ms'],
    [1_840_000_000, '1.84 s'],
    [59_940_000_000, '59.9 s'],
    [59_960_000_000, '1 min 00 s'],
    [124_000_000_000, '2 min 04 s'],
    [3_599_600_000_000, '1 h 00 min'],
    [90_000_000_000_000, '25 h 00 min'],
    [-2_000_000, '-2.00 ms'],
  ]
  for (const [nanos, text] of cases) assert.equal(showDuration(nanos), text)
})

test('counts are exact, and tiny shares are shown as less than the smallest step', () => {
  assert.equal(showCount(12_431), '12,431')
  assert.deepEqual(
    [showShare(0, 9), showShare(1, 100_000), showShare(31, 1000), showShare(9, 9), showShare(0, 0)],
    ['0 %', '< 0.1 %', '3.1 %', '100 %', '-'],
  )
})

test('times are in the local zone and name it', () => {
  process.env.TZ = 'Asia/Kolkata'
  assert.equal(showTime('2026-11-23T06:25:04.123456789Z'), '2026-11-23 11:55:04.123')
  assert.equal(zoneName('2026-11-23T06:25:04Z'), 'UTC+05:30')
  process.env.TZ = 'America/New_York'
  assert.deepEqual([zoneName('2026-07-01T00:00:00Z'), zoneName('2026-12-01T00:00:00Z')], ['UTC-04', 'UTC-05'])
  process.env.TZ = 'UTC'
  assert.deepEqual([zoneName(), showTime(null)], ['UTC', '-'])
})
