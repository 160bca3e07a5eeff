import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockTicks, durationAxis } from './axis.ts'
import {
  parseRfc3339,
  parseTimeInput,
  parseUnixNano,
  printAgo,
  printClock,
  printExactTime,
  printRange,
  printTime,
  printZone,
  resolveRange,
} from './time.ts'

process.env['TZ'] = 'Europe/Berlin'
const winter = Date.parse('2026-11-23T05:25:04.123Z')
const summer = Date.parse('2026-07-01T05:25:04.123Z')

test('nanoseconds are kept', () => {
  assert.equal(parseUnixNano('1700000000123456789'), 1_700_000_000_123_456_789n)
  assert.equal(parseUnixNano('nonsense'), 0n)
  assert.equal(parseRfc3339('2026-11-23T05:25:04.123456789Z'), BigInt(winter) * 1_000_000n + 456_789n)
  assert.equal(parseRfc3339('2026-11-23'), undefined)
  assert.equal(printExactTime(BigInt(winter) * 1_000_000n + 456_789n, 'utc'), '2026-11-23 05:25:04.123456789 UTC')
})

test('the zone is always named, with its offset at that moment', () => {
  assert.equal(printTime(winter, 'local'), '2026-11-23 06:25:04.123 UTC+01')
  assert.equal(printTime(summer, 'local'), '2026-07-01 07:25:04.123 UTC+02')
  assert.equal(printZone(winter, 'utc'), 'UTC')
  assert.equal(printClock(winter, winter + 1000, 'local'), '06:25:04.123')
  assert.equal(printClock(summer, winter, 'utc'), '07-01 05:25:04.123')
})

test('ranges count back from now or are fixed, and invalid ones become the last hour', () => {
  const now = winter
  assert.deepEqual(resolveRange({ from: '-15m', to: '' }, now), { fromMs: now - 900_000, toMs: now })
  const fixed = { from: '2026-11-23T04:00:00Z', to: '2026-11-23T05:00:00Z' }
  assert.deepEqual(resolveRange(fixed, now), { fromMs: Date.parse(fixed.from), toMs: Date.parse(fixed.to) })
  assert.deepEqual(resolveRange({ from: 'x', to: '' }, now), { fromMs: now - 3_600_000, toMs: now })
  assert.equal(printRange({ from: '-1h', to: '' }, now, 'utc'), 'Last 1 h')
  assert.equal(printRange(fixed, now, 'utc'), '2026-11-23 04:00:00 – 05:00:00')
})

test('typed times are read in the zone shown', () => {
  assert.equal(parseTimeInput('2026-11-23 05:25:04.123', 'utc'), winter)
  assert.equal(parseTimeInput('2026-11-23T05:25:04.123Z', 'local'), winter)
  assert.equal(parseTimeInput('yesterday', 'utc'), undefined)
  assert.equal(printAgo(winter - 180_000, winter), '3 min ago')
})

test('an axis of minutes or hours has clock steps and no rounded label', () => {
  const hour = 3600e9
  const labels = (from: number, to: number, most: number): string[] => {
    const { ticks, print } = durationAxis(from, to, most)
    return ticks.map(print)
  }
  assert.deepEqual(labels(0, 24 * hour, 5), ['0', '6 h', '12 h', '18 h', '24 h'])
  assert.deepEqual(labels(0, 11 * hour, 11).slice(0, 3), ['0', '1 h', '2 h'])
  assert.deepEqual(labels(0, 800e9, 10).slice(0, 3), ['0', '2 min', '4 min'])
  assert.deepEqual(labels(20 * hour, 21 * hour, 4), ['20.00 h', '20.25 h', '20.50 h', '20.75 h', '21.00 h'])
  assert.deepEqual(labels(20 * hour, 20.5 * hour, 3), ['1200 min', '1210 min', '1220 min', '1230 min'])
  assert.deepEqual(labels(hour, hour + 1e9, 2), ['3600.0 s', '3600.5 s', '3601.0 s'])
  assert.deepEqual(labels(0, 100 * 24 * hour, 4), ['0', '1200 h', '2400 h'])
  for (let most = 1; most < 20; most++) {
    for (const to of [1, 13, 999, 1e5, 7e8, 3e10, 599e9, 700e9, hour, 9 * hour, 30 * hour, 1e17]) {
      const { ticks, print } = durationAxis(0, to, most)
      assert.ok(ticks.length <= most + 1, `${ticks.length} ticks`)
      const sizes: Record<string, number> = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9, min: 60e9, h: hour }
      for (const tick of ticks.slice(1)) {
        const [value, unit] = print(tick).split(' ') as [string, string]
        assert.ok(Math.abs(Number(value) * sizes[unit]! - tick) <= tick * 1e-9, `${tick} is labelled ${print(tick)}`)
      }
    }
  }
})

test('an axis has round ticks in one unit', () => {
  const axis = durationAxis(0, 1.84e9, 6)
  assert.deepEqual(axis.ticks.map(axis.print), ['0', '0.5 s', '1.0 s', '1.5 s'])
  const fine = durationAxis(1.2e9, 1.2001e9, 5)
  assert.equal(fine.print(fine.ticks[0]!), '1.20000 s')
  const clock = clockTicks(winter, winter + 3_600_000, { most: 6, offsetMinutes: 60 })
  assert.equal(clock.step, 600_000)
  assert.ok(clock.ticks.every((tick) => tick % 600_000 === 0))
})
