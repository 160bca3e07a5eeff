import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDuration, printDurationExact } from './duration.ts'

test('durations are read to the nanosecond', () => {
  const cases: [string, bigint][] = [
    ['0', 0n],
    ['1ns', 1n],
    ['500ms', 500_000_000n],
    ['1.5s', 1_500_000_000n],
    ['84.123456ms', 84_123_456n],
    ['3us', 3_000n],
    ['3µs', 3_000n],
    ['3μs', 3_000n],
    ['2m', 120_000_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['7d', 604_800_000_000_000n],
    ['0.3333333333333333s', 333_333_333n],
    ['9223372036854775807ns', 9_223_372_036_854_775_807n],
  ]
  for (const [text, nanos] of cases) assert.equal(parseDuration(text), nanos, text)
})

test('text that is not a duration is refused', () => {
  const bad = [
    '',
    '5',
    '-1s',
    '1 s',
    's',
    '1.s',
    '.5s',
    '1e3s',
    '1min',
    '1s2',
    '1S',
    '9223372036854775808ns',
    '1'.repeat(70) + 's',
  ]
  for (const text of bad) assert.equal(parseDuration(text), undefined, text)
})

test('durations are printed in the shortest exact form', () => {
  const cases: [bigint, string][] = [
    [0n, '0s'],
    [999n, '999ns'],
    [1_500n, '1.5us'],
    [84_123_456n, '84.123456ms'],
    [1_000_000_001n, '1.000000001s'],
    [61_000_000_000n, '61s'],
    [120_000_000_000n, '2m'],
    [604_800_000_000_000n, '7d'],
    [-2_000_000n, '-2ms'],
  ]
  for (const [nanos, text] of cases) assert.equal(printDurationExact(nanos), text)
})

test('a printed duration parses to the same value', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), (nanos) => {
      assert.equal(parseDuration(printDurationExact(nanos)), nanos)
    }),
  )
})
