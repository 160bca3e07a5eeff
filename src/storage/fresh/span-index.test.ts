import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { drawSpans, spanBatchOf } from '../../../test/support/test-spans.ts'
import type { Position } from '../../model/log.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import { SpanIndex, type PlacedSpan } from './span-index.ts'

/** A batch whose rows have these traces and begin new resources as given. Ranges are made up but exact. */
function batchOf(rows: readonly { trace: number; newResource: boolean }[]): SpanBatch {
  let resource = -1
  const spans = rows.map(({ trace, newResource }) => {
    if (newResource || resource < 0) resource++
    const [span] = drawSpans('a call 0s+1s', 1_700_000_000_000_000_000n)
    return { ...span!, traceId: hexTrace(trace), service: `service ${resource}` }
  })
  const starts = Uint32Array.from(rows, (_, row) => row * 100 + 3)
  return { ...spanBatchOf(spans), ranges: { starts, ends: starts.map((start) => start + 50) } }
}

/** Ids that differ in single bits, in every word. */
function hexTrace(trace: number): string {
  const words = [0, 0, 0, 0]
  words[trace % 4] = 1 << (trace >> 2)
  return words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

function spansOf(index: SpanIndex, trace: number, spansMax: number): PlacedSpan[] | undefined {
  const entry = index.entryOf(Buffer.from(hexTrace(trace), 'hex'))
  return entry === undefined ? undefined : index.spansOf(entry, spansMax)
}

interface PlainSpan {
  trace: number
  run: number
  position: number
  service: string
  start: number
}

/** The same index made of arrays and sets. */
class PlainIndex {
  spans: PlainSpan[] = []
  broken = new Set<number>()
  coveredSince = -Infinity
  runs = 0
  readonly spansMax: number
  readonly runsMax: number

  constructor(spansMax: number) {
    this.spansMax = spansMax
    this.runsMax = Math.max(64, Math.ceil(spansMax / 4))
  }

  add(rows: readonly { trace: number; newResource: boolean }[], position: number, readable: boolean): void {
    if (rows.length > this.spansMax) {
      this.spans = []
      this.broken.clear()
      this.coveredSince = position
      return
    }
    while (this.spans.length + rows.length > this.spansMax) this.dropRun()
    let resource = -1
    for (const [row, { trace, newResource }] of rows.entries()) {
      if (newResource || resource < 0) resource++
      if (row === 0 || (newResource && readable)) this.runs++
      if (!readable) this.broken.add(trace)
      this.spans.push({ trace, run: this.runs, position, service: `service ${resource}`, start: row * 100 + 3 })
    }
    while (new Set(this.spans.map(({ run }) => run)).size > this.runsMax) this.dropRun()
  }

  dropRun(): void {
    const { run, position } = this.spans[0]!
    const gone = this.spans.filter((span) => span.run === run)
    this.spans = this.spans.filter((span) => span.run !== run)
    this.coveredSince = Math.max(this.coveredSince, position)
    for (const { trace } of gone) {
      if (this.spans.some((span) => span.trace === trace)) this.broken.add(trace)
      else this.broken.delete(trace)
    }
  }

  find(trace: number): PlainSpan[] | undefined {
    const found = this.spans.filter((span) => span.trace === trace)
    return found.length === 0 || this.broken.has(trace) ? undefined : found
  }
}

const row = fc.record({ trace: fc.nat(30), newResource: fc.boolean() })
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 12 }), readable: fc.constant(true) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 12 }), readable: fc.constant(false) }),
  },
  { weight: 1, arbitrary: fc.record({ dropShare: fc.double({ min: 0, max: 1, noNaN: true }) }) },
)

test('after any arrivals and forgetting, the index holds what plain arrays hold', () => {
  fc.assert(
    fc.property(fc.constantFrom(8, 50, 120, 2000), fc.array(step, { maxLength: 80 }), (spansMax, steps) => {
      const index = new SpanIndex(spansMax, -Infinity)
      const plain = new PlainIndex(spansMax)
      for (const [position, each] of steps.entries()) {
        if ('dropShare' in each) {
          const before = Math.floor(each.dropShare * position)
          index.dropBefore(before as Position)
          while (plain.spans.length > 0 && plain.spans[0]!.position < before) plain.dropRun()
        } else {
          const arrival = { position: position as Position, atMs: position, readable: each.readable }
          index.add(batchOf(each.rows), arrival)
          plain.add(each.rows, position, each.readable)
        }
        assert.equal(index.spans, plain.spans.length)
        assert.equal(index.coveredSinceMs, plain.coveredSince)
        for (let trace = 0; trace <= 30; trace++) {
          const found = spansOf(index, trace, 1000)
          const expected = plain.find(trace)
          assert.deepEqual(
            found?.map(({ position: at, atMs, resource, start, end }) => [at, atMs, resource.serviceName, start, end]),
            expected?.map(({ position: at, service, start }) => [at, at, service, start, start + 50]),
          )
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('memory is taken as spans come and given back when the last is forgotten', () => {
  const index = new SpanIndex(1_000_000, -Infinity)
  const empty = index.bytes
  assert.ok(empty < 100_000)
  const rows = Array.from({ length: 1000 }, (_, i) => ({ trace: i % 100, newResource: i % 50 === 0 }))
  const batch = batchOf(rows)
  for (let position = 0; position < 100; position++) {
    index.add(batch, { position: position as Position, atMs: position, readable: true })
  }
  assert.equal(index.spans, 100_000)
  assert.ok(index.bytes > 16 * 100_000 && index.bytes < 30 * 100_000, `${index.bytes} bytes`)
  index.dropBefore(99 as Position)
  assert.equal(index.spans, 1000)
  index.dropBefore(100 as Position)
  assert.equal(index.spans, 0)
  assert.equal(index.bytes, empty)
  assert.equal(index.coveredSinceMs, 99)
})

test('a trace of more spans than asked for is not returned', () => {
  const index = new SpanIndex(1000, -Infinity)
  const arrival = { position: 0 as Position, atMs: 0, readable: true }
  index.add(batchOf(Array.from({ length: 20 }, () => ({ trace: 5, newResource: false }))), arrival)
  assert.equal(spansOf(index, 5, 19), undefined)
  assert.equal(spansOf(index, 5, 20)?.length, 20)
})
