import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { drawTrace } from '../../../../test/support/draw-trace.ts'
import { randomTrace } from '../../../../test/support/random-traceql-text.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import type { Relation } from '../syntax.ts'
import { related } from './relations.ts'
import { TraceIndex } from './trace-index.ts'

/** The plain version: it looks at each pair and walks up the tree from each span. */
function isRelated(relation: Relation, a: number, b: number, { parents }: TraceIndex): boolean {
  const isBelow = (below: number, above: number): boolean => {
    for (let at = parents[below]!; at >= 0; at = parents[at]!) if (at === above) return true
    return false
  }
  switch (relation) {
    case '>':
      return parents[b] === a
    case '<':
      return parents[a] === b
    case '>>':
      return isBelow(b, a)
    case '<<':
      return isBelow(a, b)
    case '~':
      return a !== b && parents[a]! >= 0 && parents[a] === parents[b]
  }
}

test('every relation finds the same spans as looking at each pair', () => {
  let found = 0
  fc.assert(
    fc.property(randomTrace, fc.nat(), fc.nat(), (rows, some, others) => {
      const index = new TraceIndex(rows)
      const left = index.spans.filter((_, i) => ((some >> i) & 1) === 1)
      const right = index.spans.filter((_, i) => ((others >> i) & 1) === 1)
      for (const relation of ['>', '<', '>>', '<<', '~'] as const) {
        const meets = (a: number, b: number): boolean => isRelated(relation, a, b, index)
        const positive = right.filter((b) => left.some((a) => meets(a, b)))
        const negative = right.filter((b) => !left.some((a) => meets(a, b)))
        const both = new Set([...positive, ...left.filter((a) => right.some((b) => meets(a, b)))])
        assert.deepEqual(related(relation, left, right, index), positive, relation)
        assert.deepEqual(related(`!${relation}`, left, right, index), negative, relation)
        assert.deepEqual(
          related(`&${relation}`, left, right, index),
          [...both].sort((a, b) => a - b),
          relation,
        )
        found += positive.length
      }
    }),
    { numRuns: 1000, seed: 14 },
  )
  assert.ok(found > 1000, `only ${found} spans were related`)
})

/** A chain of spans, each below the one before it, or all below the first. */
function manySpans(count: number, isDeep: boolean): SpanRow[] {
  const [one] = drawTrace('a one 0ms+1ms') as [SpanRow]
  return Array.from({ length: count }, (_, i) => ({
    ...one,
    spanId: (i + 1).toString(16).padStart(16, '0'),
    parentSpanId: i === 0 ? '' : (isDeep ? i : 1).toString(16).padStart(16, '0'),
    startTimeUnixNano: one.startTimeUnixNano + BigInt(i),
  }))
}

for (const isDeep of [true, false]) {
  test(`50,000 spans ${isDeep ? 'below each other' : 'beside each other'} are related in near-linear time`, () => {
    const index = new TraceIndex(manySpans(50_000, isDeep))
    const { spans } = index
    const sizes = (['>', '<', '>>', '<<', '~', '!>>', '&<<'] as const).map(
      (operator) => related(operator, spans, spans, index).length,
    )
    const inner = 49_999
    assert.deepEqual(
      sizes,
      isDeep ? [inner, inner, inner, inner, 0, 1, 50_000] : [inner, 1, inner, 1, inner, 1, 50_000],
    )
  })
}
