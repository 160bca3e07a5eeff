import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSize, printSize, printSizeExact } from './size.ts'

test('sizes are read with binary and decimal units', () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['4096', 4096],
    ['64MiB', 67_108_864],
    ['64 mib', 67_108_864],
    ['1.5GiB', 1_610_612_736],
    ['500kB', 500_000],
    ['12B', 12],
    ['2TiB', 2 ** 41],
  ]
  for (const [text, bytes] of cases) assert.equal(parseSize(text), bytes, text)
})

test('text that is not a size is refused', () => {
  for (const text of ['', '-1', '1K', 'MiB', '1.MiB', '1e3', '64 M iB', '99999999999999TiB', 'iB', '1iB'])
    assert.equal(parseSize(text), undefined, text)
})

test('sizes are printed exactly for machines and briefly for people', () => {
  assert.deepEqual([0, 1500, 2048, 67_108_864].map(printSizeExact), ['0', '1500B', '2KiB', '64MiB'])
  assert.deepEqual([0, 512, 1023, 1024, 64_950, 1_048_575, 1_300_000_000].map(printSize), [
    '0 B',
    '512 B',
    '1023 B',
    '1 KiB',
    '63.4 KiB',
    '1 MiB',
    '1.21 GiB',
  ])
})

test('an exactly printed size parses to the same value', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(parseSize(printSizeExact(bytes)), bytes)))
})
