import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomSearch, randomTrace } from '../../../../test/support/random-traceql-text.ts'
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import type { View } from '../../../model/evaluate/evaluate.ts'
import { planOf } from '../plan.ts'
import { readQuery } from '../read-query.ts'
import type { TraceCondition } from '../trace-condition.ts'
import { compileSearch } from './search.ts'
import { TraceIndex } from './trace-index.ts'

function isMet(condition: TraceCondition, views: readonly View[]): boolean {
  if (condition.kind === 'some') return views.some(compileTest(condition.where))
  return condition.kind === 'and'
    ? condition.of.every((each) => isMet(each, views))
    : condition.of.some((each) => isMet(each, views))
}

test('a plan misses no trace and no span, and an exact plan gives the whole answer', () => {
  const seen = { matching: 0, passed: 0, refused: 0, exact: 0 }
  fc.assert(
    fc.property(randomSearch, fc.array(randomTrace, { minLength: 8, maxLength: 8 }), (text, traces) => {
      const { body } = planOf(readQuery(text))
      assert.ok(body.kind === 'search')
      const search = compileSearch(body.stages)
      const meets = compileTest(body.spans)
      for (const rows of traces) {
        const index = new TraceIndex(rows)
        const views = index.spans.map((position) => index.viewAt(position))
        const ids = (sets: ReturnType<typeof search>): string[][] =>
          sets.map(({ spans }) => spans.map(({ row }) => row.spanId).sort())
        const found = ids(search(rows))
        const bound = index.spans.filter((_, i) => meets(views[i]!)).map((position) => index.rowAt(position).spanId)
        const isCandidate = isMet(body.candidates, views)
        if (found.length > 0) {
          assert.ok(isCandidate, text)
          for (const id of found.flat()) assert.ok(bound.includes(id), `${text} finds a span that its plan misses`)
        }
        if (body.isExact) {
          assert.deepEqual(found, bound.length === 0 ? [] : [bound.sort()], text)
          seen.exact++
        }
        seen.matching += found.length > 0 ? 1 : 0
        seen.passed += isCandidate && found.length === 0 ? 1 : 0
        seen.refused += isCandidate ? 0 : 1
      }
    }),
    { numRuns: 400, seed: 15 },
  )
  // There are 3,200 pairs of a query and a trace. The test proves little when one of these cases is rare.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 150, `${what}: ${count}`)
})
