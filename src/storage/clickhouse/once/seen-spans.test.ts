import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { propertyRuns } from '../../../../test/support/property-runs.ts'
import { marks, SeenSpans, type SeenSpansOptions } from './seen-spans.ts'
import type { SpanIdentities } from './span-identities.ts'

const startedMs = 1_800_000_000_000

interface Row {
  readonly id: number
  readonly startMs: number
  readonly kind?: number
}

function identitiesOf(rows: readonly Row[]): SpanIdentities {
  const starts = BigInt64Array.from(rows, ({ startMs }) => BigInt(startMs) * 1_000_000n)
  return {
    rows: rows.length,
    traceIds: Uint32Array.from(rows.flatMap(({ id }) => [7, 0, 0, id % 3])),
    spanIds: Uint32Array.from(rows.flatMap(({ id }) => [0, id])),
    starts: new Uint32Array(starts.buffer),
    durations: new Uint32Array(rows.length * 2),
    kinds: Uint8Array.from(rows, ({ kind = 1 }) => kind),
    nameAt: () => 'GET',
  }
}

const nameOf = ['new', 'seen', 'uncovered'] as const

function mark(seen: SeenSpans, rows: readonly Row[]): string[] {
  const out = {
    marks: new Uint8Array(rows.length),
    slots: new Int32Array(rows.length),
    prints: new Int32Array(rows.length),
  }
  seen.mark(identitiesOf(rows), 0, rows.length, out)
  return [...out.marks].map((each) => nameOf[each]!)
}

const small = (options: Partial<SeenSpansOptions> = {}): SeenSpans =>
  new SeenSpans({ startedEmpty: true, nowMs: () => startedMs, placesMin: 64, placesMax: 1024, ...options })

test('a span is new once, and another of its id with another kind or start is new as well', () => {
  const seen = small()
  const span = { id: 1, startMs: startedMs }
  assert.deepEqual(mark(seen, [span, span]), ['new', 'seen'])
  assert.deepEqual(mark(seen, [{ ...span, kind: 2 }, { ...span, startMs: startedMs + 1 }, span]), [
    'new',
    'new',
    'seen',
  ])
  assert.deepEqual(
    nameOf.map((name) => marks[name]),
    [0, 1, 2],
  )
})

test('with a store that held spans, those that start before this process, or a minute after, are not called new', () => {
  const seen = small({ startedEmpty: false })
  const rows = [-1000, 59_999, 60_000].map((ms, id) => ({ id, startMs: startedMs + ms }))
  assert.deepEqual(mark(seen, rows), ['uncovered', 'uncovered', 'new'])
})

test('once it forgot spans, none that starts at their time or before is called new', () => {
  const seen = small()
  mark(seen, [{ id: 1, startMs: startedMs - 100 }])
  seen.forget()
  assert.equal(seen.bytes, 64 * 4)
  assert.deepEqual(
    mark(seen, [
      { id: 1, startMs: startedMs - 100 },
      { id: 2, startMs: startedMs - 99 },
    ]),
    ['uncovered', 'new'],
  )
})

test('a span whose clock is ahead does not make all spans after it uncertain', () => {
  const seen = small()
  mark(seen, [{ id: 1, startMs: startedMs + 1e9 }])
  seen.forget()
  assert.deepEqual(mark(seen, [{ id: 2, startMs: startedMs + 1 }]), ['new'])
})

test('whatever comes in whatever order, a repeat is never called new, and memory stays within its bound', () => {
  const span = fc.record({ id: fc.nat(2000), startMs: fc.integer({ min: startedMs - 1000, max: startedMs }) })
  // Blocks of many spans each, so that tables are filled and forgotten.
  const block = fc.array(span, { maxLength: 400, minLength: 1 })
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 12 }), (blocks) => {
      const seen = small()
      const stored = new Set<string>()
      for (const rows of blocks) {
        const said = mark(seen, rows)
        rows.forEach(({ id, startMs }, i) => {
          const key = `${id} ${startMs}`
          if (said[i] === 'new') assert.ok(!stored.has(key), `${key} was stored`)
          stored.add(key)
        })
        assert.ok(seen.bytes <= 1024 * 4)
      }
    }),
    { numRuns: propertyRuns(100) },
  )
})

test('new spans in order of time stay new while older ones are forgotten', () => {
  const seen = small()
  let uncertain = 0
  for (let id = 0; id < 5000; id++) {
    if (mark(seen, [{ id, startMs: startedMs - 10_000 + id }])[0] !== 'new') uncertain++
  }
  assert.equal(uncertain, 0)
  // The newest are known, the oldest are to be looked for.
  assert.deepEqual(
    mark(seen, [
      { id: 4999, startMs: startedMs - 5001 },
      { id: 0, startMs: startedMs - 10_000 },
    ]),
    ['seen', 'uncovered'],
  )
})
