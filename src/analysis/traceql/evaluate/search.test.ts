import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawTrace } from '../../../../test/support/draw-trace.ts'
import { findIn } from '../../../../test/support/show-spansets.ts'
import { traceqlScenarios } from '../../../../test/support/traceql-scenarios.ts'

for (const { name, trace, finds } of traceqlScenarios) {
  const rows = drawTrace(trace)
  for (const [query, found] of finds) {
    test(`in ${name}, ${query} finds ${found}`, () => {
      assert.equal(findIn(rows, query), found)
      // The order in which spans come does not matter.
      if (name !== 'a shop') return
      assert.equal(findIn(rows.toReversed(), query), found)
    })
  }
}

test('a trace without spans holds nothing', () => {
  assert.equal(findIn([], '{ } || { }'), '-')
})
