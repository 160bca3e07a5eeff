import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceOverviewAnswer } from '../../../src/api/native/contract.ts'
import {
  boxOf,
  cellOf,
  durationLabels,
  heatGrid,
  isInBox,
  rangeHolding,
  rangeOfData,
  tracesInBox,
} from './heat-grid.ts'

const answer: TraceOverviewAnswer = {
  start: '2026-11-23T05:00:00Z',
  end: '2026-11-23T06:00:00Z',
  total: 7,
  errorTraces: 1,
  p50Nano: '2000',
  p99Nano: '9000',
  bucketMs: 600_000,
  rows: ['2000', '4000', '8000'],
  rowsEnd: '16000',
  cells: [
    { column: 0, row: 0, traces: 3, errorTraces: 0 },
    { column: 1, row: 1, traces: 2, errorTraces: 1 },
    { column: 5, row: 2, traces: 2, errorTraces: 0 },
  ],
  lastMatch: null,
}
const start = Date.parse(answer.start)

test('a row ends where the next begins, and the highest row at the end given by the server', () => {
  const grid = heatGrid(answer)
  assert.deepEqual(grid.bounds, [2000, 4000, 8000, 16_000])
  assert.equal(grid.columns, 6)
})

test('a highest row without an end contains the longest traces', () => {
  assert.ok(heatGrid({ ...answer, rowsEnd: null }).bounds.at(-1)! > 86_400e9, 'a day is in it')
})

test('the scale is labelled at round durations in the rows shown, else at their bounds', () => {
  const labels = (...bounds: number[]): string[] =>
    durationLabels({ startMs: 0, endMs: 1, bucketMs: 1, columns: 1, bounds }).map(({ label }) => label)
  assert.deepEqual(labels(0, 1000, 2000, 128_000), ['1 µs', '10 µs', '100 µs'])
  assert.deepEqual(labels(20e6, 40e6, 80e6), ['20 ms', '80 ms'])
  const day = 86_400e9
  assert.deepEqual(labels(1e9, day, 20 * day), ['1 s', '10 s', '1 min', '10 min', '1 h', '10 h', '1 d', '10 d'])
})

test('a point gives a cell, two cells a box, and the box its traces', () => {
  const grid = heatGrid(answer)
  const a = cellOf(grid, start + 1, 2500)!
  const b = cellOf(grid, start + 700_000, 7999)!
  assert.deepEqual(
    [a, b],
    [
      { column: 0, row: 0 },
      { column: 1, row: 1 },
    ],
  )
  const box = boxOf(grid, b, a)
  assert.deepEqual(box, { fromMs: start, toMs: start + 1_200_000, minNano: 2000, maxNano: 8000 })
  assert.equal(tracesInBox(answer, box), 5)
  assert.equal(tracesInBox(answer, boxOf(grid, a, a)), 3)
  assert.ok(isInBox(box, 2000) && !isInBox(box, 8000))
  assert.equal(cellOf(grid, start - 1, 2500), undefined)
  assert.equal(cellOf(grid, start, 1999), undefined)
  assert.equal(cellOf(grid, start, 16_000), undefined)
})

test('a range that does not contain the box is widened to it, or replaced', () => {
  const holding = (fromMs: number, toMs: number) =>
    rangeHolding({ fromMs, toMs, minNano: 0, maxNano: 1 }, { fromMs: 1000, toMs: 2000 })
  assert.equal(holding(1000, 2000), undefined)
  assert.equal(holding(1999, 2001), undefined, 'boxes in URLs are rounded')
  assert.deepEqual(holding(500, 1500), { fromMs: 500, toMs: 2000 })
  assert.deepEqual(holding(300, 400), { fromMs: 200, toMs: 500 })
})

test('the range that contains all traces is offered when they fill only a sliver of the map', () => {
  const at = (...columns: number[]): { fromMs: number; toMs: number } | undefined => {
    const cells = columns.map((column) => ({ column, row: 0, traces: 1, errorTraces: 0 }))
    const range = rangeOfData({ ...answer, bucketMs: 60_000, cells })
    return range && { fromMs: (range.fromMs - start) / 60_000, toMs: (range.toMs - start) / 60_000 }
  }
  assert.deepEqual(at(55, 50), { fromMs: 50, toMs: 56 })
  assert.deepEqual(at(59), { fromMs: 59, toMs: 60 })
  assert.equal(at(48, 59), undefined, 'a fifth of the range is no sliver')
  assert.equal(at(), undefined)
})
