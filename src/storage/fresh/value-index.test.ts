import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spanBatchOf, type TestSpan } from '../../../test/support/test-spans.ts'
import type { Position } from '../../model/log.ts'
import type { IndexedCondition } from './indexed-condition.ts'
import { clockSkewMaxMs } from './coverage.ts'
import { ValueIndex } from './value-index.ts'

const keys = ['user.id', 'url.path']
const startedAtMs = 1_700_000_000_000

/** A span of trace N with one value; the trace's number is its entry. */
interface Row {
  readonly entry: number
  readonly key: string
  readonly value: string | number | boolean
  /** How long after the arrival of the record the span starts. */
  readonly aheadMs: number
}

function spanOf({ entry, key, value, aheadMs }: Row, atMs: number): TestSpan {
  return {
    traceId: (entry + 1).toString(16).padStart(32, '0'),
    spanId: '0000000000000001',
    parentSpanId: '',
    service: 'a',
    name: 'call',
    kind: 1,
    status: 0,
    startNs: BigInt(Math.round(atMs + aheadMs)) * 1_000_000n,
    durationNs: 1n,
    attributes: { other: 1, [key]: value },
    resource: {},
  }
}

function add(index: ValueIndex, rows: readonly Row[], position: number, atMs: number): void {
  // At the end of the ring, the entries continue at its beginning.
  const entries = new Uint32Array(1 << 14)
  const first = (1 << 14) - 3
  rows.forEach(({ entry }, row) => (entries[(first + row) & (entries.length - 1)] = entry))
  index.add(spanBatchOf(rows.map((row) => spanOf(row, atMs))), { position: position as Position, atMs, entries, first })
}

const anyEntry = (): boolean => true

function find(index: ValueIndex, key: string, value: string, entriesMax = Infinity): ReadonlySet<number> | undefined {
  return index.find({ scope: 'any', key, value }, entriesMax, anyEntry)
}

const row: fc.Arbitrary<Row> = fc.record({
  entry: fc.nat(2000),
  key: fc.constantFrom(...keys, 'thread.name'),
  value: fc.constantFrom('u1', 'u2', 'u3', '', '42', 42, 42.5, true, '/a/rather/long/path/1', '/a/rather/long/path/2'),
  aheadMs: fc.constantFrom(-1000, -1, 0, 0, 0, 59_000, 3_600_000),
})
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      rows: fc.array(row, { minLength: 1, maxLength: 100, size: 'max' }),
      times: fc.constantFrom(1, 1, 10),
    }),
  },
  { weight: 2, arbitrary: fc.record({ dropShare: fc.double({ min: 0, max: 1, noNaN: true }) }) },
)
const asked = ['u1', 'u2', 'u3', '42', '42.5', 'true', '/a/rather/long/path/1', '/a/rather/long/path/2', 'nobody']

test('a span that is covered is found by its value, whatever was added and forgotten', () => {
  let found = 0
  let forgotten = 0
  const property = fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
    const index = new ValueIndex(keys, 0, -Infinity)
    const held: { row: Row; position: number; startMs: number }[] = []
    let kept = 0
    for (const [position, each] of steps.entries()) {
      const atMs = startedAtMs + position * 1000
      if ('dropShare' in each) index.dropBefore((kept = Math.max(kept, Math.floor(each.dropShare * position))))
      else {
        const rows = Array.from({ length: each.times }, () => each.rows).flat()
        add(index, rows, position, atMs)
        for (const one of each.rows) held.push({ row: one, position, startMs: atMs + one.aheadMs })
      }
      for (const key of keys) {
        for (const value of asked) {
          const entries = find(index, key, value)!
          const having = held.filter(({ row: one }) => one.key === key && String(one.value) === value)
          for (const { row: one, position: of, startMs } of having) {
            if (of >= kept && index.coveredSinceMs === -Infinity) assert.ok(entries.has(one.entry), `${key}=${value}`)
            if (startMs > index.coveredSinceMs + clockSkewMaxMs) assert.ok(entries.has(one.entry), `${key}=${value}`)
          }
          const ever = new Set(having.map(({ row: one }) => one.entry))
          found += entries.size
          // Values that are neither text nor number share a hash and may be arrays, so any text finds them too.
          for (const { row: one } of held) {
            if (one.key === key && typeof one.value === 'boolean') ever.add(one.entry)
          }
          if (!/^[u/]/.test(value)) continue
          assert.ok(
            [...entries].every((entry) => ever.has(entry)),
            `${key}=${value}`,
          )
          forgotten += ever.size - entries.size
        }
      }
    }
  })
  fc.assert(property, { numRuns: 30, seed: 16, endOnFailure: true })
  assert.ok(found > 1000 && forgotten > 100, `${found} found, ${forgotten} forgotten`)
})

test('past the limit the oldest pairs are forgotten, and the covered time says so', () => {
  const index = new ValueIndex(keys, 5000, -Infinity)
  const rows = (from: number, count: number): Row[] =>
    Array.from({ length: count }, (_, i) => ({ entry: from + i, key: 'user.id', value: `u${from + i}`, aheadMs: 0 }))
  for (let position = 0; position < 20; position++)
    add(index, rows(position * 1000, 1000), position, startedAtMs + position)
  assert.ok(index.pairs <= 5000 && index.pairs > 3000, `${index.pairs} pairs`)
  assert.deepEqual(find(index, 'user.id', 'u19999'), new Set([19999]))
  assert.deepEqual(find(index, 'user.id', 'u5'), new Set())
  const covered = index.coveredSinceMs - startedAtMs
  assert.ok(covered >= 14 && covered < 17, `${covered}`)
  assert.ok(index.bytes < 200_000, `${index.bytes} bytes`)
  add(index, rows(0, 16_000), 20, startedAtMs + 20)
  assert.equal(index.coveredSinceMs, startedAtMs + 20, 'one record alone is too many')
  assert.ok(index.pairs <= 5000)
  index.clear()
  assert.deepEqual([index.pairs, index.bytes], [0, 0])
  assert.deepEqual(find(index, 'user.id', 'u15999'), new Set())
})

test('what was forgotten while its record was added is remembered when it comes again', () => {
  const index = new ValueIndex(keys, 1024, -Infinity)
  const rows = Array.from({ length: 1100 }, (_, entry): Row => ({
    entry,
    key: 'user.id',
    value: `u${entry}`,
    aheadMs: 0,
  }))
  add(index, rows, 0, startedAtMs)
  assert.ok(index.pairs < 200, `${index.pairs} pairs`)
  assert.equal(index.coveredSinceMs, startedAtMs)
  for (const one of rows.slice(0, 100)) add(index, [one], 1, startedAtMs + 1)
  for (const { entry, value } of rows.slice(0, 100)) {
    assert.deepEqual(find(index, 'user.id', String(value)), new Set([entry]))
  }
})

test('values repeated in a record take one pair for each trace, and small records share pairs', () => {
  const index = new ValueIndex(keys, 100_000, -Infinity)
  const repeated: Row = { entry: 7, key: 'user.id', value: 'u', aheadMs: 0 }
  add(index, [repeated, { ...repeated, entry: 8 }, repeated, repeated], 0, startedAtMs)
  add(index, [repeated], 1, startedAtMs)
  assert.equal(index.pairs, 2)
  index.dropBefore(1)
  assert.deepEqual(find(index, 'user.id', 'u'), new Set([7, 8]), 'record 1 has it still')
  index.dropBefore(2)
  assert.equal(index.pairs, 0)
  add(index, [repeated], 2, startedAtMs)
  assert.deepEqual(find(index, 'user.id', 'u'), new Set([7]), 'and again after it was forgotten')
})

test('a value of too many traces or spans gives no answer', () => {
  const index = new ValueIndex(keys, 100_000, -Infinity)
  const rows = Array.from({ length: 65 }, (_, entry): Row => ({ entry, key: 'user.id', value: 'u', aheadMs: 0 }))
  add(index, rows, 0, startedAtMs)
  assert.equal(find(index, 'user.id', 'u', 65)?.size, 65)
  assert.equal(find(index, 'user.id', 'u', 64), undefined)
  const others = Array.from({ length: 16_000 }, (_, i): Row => ({ ...rows[0]!, entry: 100 + i }))
  const wanted = (entry: number): boolean => entry < 10
  const condition: IndexedCondition = { scope: 'any', key: 'user.id', value: 'u' }
  add(index, others, 1, startedAtMs)
  assert.equal(index.find(condition, 64, wanted)?.size, 10)
  add(index, others, 2, startedAtMs)
  assert.equal(index.find(condition, 64, wanted), undefined, 'a chain of 32,000')
})

test('only a text that a span may have under an indexed key can be found', () => {
  const index = new ValueIndex(keys, 1000, -Infinity)
  const can = (condition: Partial<IndexedCondition>): boolean =>
    index.canFind({ scope: 'any', key: 'user.id', value: 'u', ...condition })
  assert.deepEqual(
    [can({}), can({ scope: 'span' }), can({ value: '' }), can({ key: 'thread.name' })],
    [true, true, false, false],
  )
  const [span] = [spanOf({ entry: 1, key: 'other', value: 1, aheadMs: 0 }, startedAtMs)]
  const batch = spanBatchOf([{ ...span!, resource: { 'user.id': 'u' } }])
  index.add(batch, { position: 0 as Position, atMs: 0, entries: new Uint32Array(2), first: 0 })
  assert.deepEqual([can({}), can({ scope: 'span' }), can({ key: 'url.path' })], [false, true, true])
})
