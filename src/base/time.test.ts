import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTime, printTime } from './time.ts'

const now = 1_795_415_104_123_000_000n

test('RFC 3339, Unix milliseconds and times before now are read', () => {
  const cases: [string, string][] = [
    ['2026-11-23T06:25:04Z', '2026-11-23T06:25:04.000000000Z'],
    ['2026-11-23T06:25:04.123456789Z', '2026-11-23T06:25:04.123456789Z'],
    ['2026-11-23T06:25:04.1234567891Z', '2026-11-23T06:25:04.123456789Z'],
    ['2026-11-23 06:25:04.5+01:30', '2026-11-23T04:55:04.500000000Z'],
    ['2026-11-23t06:25:04-08:00', '2026-11-23T14:25:04.000000000Z'],
    ['1969-12-31T23:59:59.999999999Z', '1969-12-31T23:59:59.999999999Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000000Z'],
    ['0', '1970-01-01T00:00:00.000000000Z'],
    ['1795415104123', '2026-11-23T06:25:04.123000000Z'],
    ['now', '2026-11-23T06:25:04.123000000Z'],
    ['-1h', '2026-11-23T05:25:04.123000000Z'],
    ['-1d12h', '2026-11-21T18:25:04.123000000Z'],
  ]
  for (const [text, printed] of cases) {
    const nanos = parseTime(text, now)
    assert.equal(nanos === undefined ? undefined : printTime(nanos), printed, text)
  }
})

test('times that do not exist or do not fit are refused', () => {
  const bad = [
    '',
    'yesterday',
    '2026-11-23',
    '2026-11-23T06:25Z',
    '2026-11-23T06:25:04',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T06:25:04+24:00',
    '0050-01-01T00:00:00Z',
    '2263-01-01T00:00:00Z',
    '1795415104123000000',
    '-1795415104123',
    '-',
    '1h',
  ]
  for (const text of bad) assert.equal(parseTime(text, now), undefined, text)
})

test('a printed time parses to the same value', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (nanos) => {
      assert.equal(parseTime(printTime(nanos)), nanos)
    }),
  )
})
