import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration, printCount, printDuration, printOffset, printPlural, printShare } from './format.ts'

test('durations have three digits and carry over to the next unit', () => {
  const cases: [number, string][] = [
    [1, '1 ns'],
    [812, '812 ns'],
    [999.7e3, '1.00 ms'],
    [84.12e6, '84.1 ms'],
    [812e6, '812 ms'],
    [1.84e9, '1.84 s'],
    [59.99e9, '1 min 00 s'],
    [124e9, '2 min 04 s'],
    [3725e9, '1 h 02 min'],
    [100_000e9, '1 d 03 h'],
    [-5e6, '−5.00 ms'],
    [0, '0 ms'],
  ]
  for (const [nanos, text] of cases) assert.equal(printDuration(nanos), text)
  assert.equal(printOffset(40e6), '+40.0 ms')
})

test('a duration may have any unit, and is in milliseconds without one', () => {
  assert.equal(parseDuration('1.5 s'), 1.5e9)
  assert.equal(parseDuration('500'), 500e6)
  assert.equal(parseDuration('2m'), 120e9)
  assert.deepEqual(['1ns', '250us', '250 µs', '3h'].map(parseDuration), [1, 250e3, 250e3, 10_800e9])
  assert.deepEqual(['soon', '5 d', '-1s', ''].map(parseDuration), [undefined, undefined, undefined, undefined])
})

test('counts are exact to 9,999, and totals always', () => {
  assert.deepEqual([9999, 12_431, 999_960, 3_100_000].map(printCount), ['9,999', '12.4k', '1.00M', '3.10M'])
  assert.equal(printPlural(12_431, 'trace'), '12,431 traces')
  assert.equal(printPlural(1, 'trace'), '1 trace')
})

test('shares never show a false zero or more digits than they have', () => {
  assert.deepEqual(
    [printShare(31, 1000), printShare(1, 5000), printShare(0, 5), printShare(44, 100), printShare(0, 0)],
    ['3.1 %', '< 0.1 %', '0 %', '44 %', '-'],
  )
})
