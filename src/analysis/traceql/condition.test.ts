import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showPredicate } from '../../../test/support/show-predicate.ts'
import { predicateOf } from './condition.ts'
import { readQuery } from './read-query.ts'

/** The condition, and its predicate. */
const conditions: readonly (readonly [string, string])[] = [
  ['.a', 'nearest.a = true'],
  ['!.a', 'not nearest.a = true'],
  ['true', 'all'],
  ['!true', 'none'],
  ['false || .a', 'nearest.a = true'],
  ['true || .a', 'all'],
  ['false && .a', 'none'],
  ['span.a = 1 && resource.b != "x" || event.c > 1.5', '((span.a = 1 & resource.b != "x") | event.c > float 1.5)'],
  ['1s < duration', 'duration 1000000000 < duration'],
  ['link.a =~ "x.*" && instrumentation.b !~ "y"', '(link.a =~ "x.*" & instrumentation.b !~ "y")'],
  ['.a = nil || nil != .b', '(nearest.a = nil | nil != nearest.b)'],
  ['parent = nil', 'parentId = nil'],
  ['nil != parent', 'parentId != nil'],
  ['nestedSetParent < 0 || nestedSetParent = -1', '(parentId = nil | parentId = nil)'],
  ['nestedSetParent > -1', 'parentId != nil'],
  ['nestedSetParent > 5', 'nestedSetParent > 5'],
  // Constants are computed, whole numbers exactly.
  ['.a > 10 * 1024 * 1024', 'nearest.a > 10485760'],
  ['.a = 9007199254740993 + 0', 'nearest.a = 9007199254740993'],
  ['.a = 9223372036854775807 + 1', 'nearest.a = float 9223372036854776000'],
  ['duration > 2 * 1s', 'duration > 2000000000'],
  ['.a = 1 / 4 + 2 ^ 3', 'nearest.a = float 8.25'],
  ['duration > 2 * span.budget', 'duration > (2 * span.budget)'],
  ['-.a < 1', '(-1 * nearest.a) < 1'],
  ['.a = .b', 'nearest.a = nearest.b'],
  // Conditions that are compared with each other; an attribute without a value is neither true nor false.
  ['(.a = 1) = true', 'nearest.a = 1'],
  ['(.a = 1) != true', 'not nearest.a = 1'],
  ['.a = true', 'nearest.a = true'],
  ['(.a = 1) = (.b = 2)', '((nearest.a = 1 & nearest.b = 2) | (not nearest.a = 1 & not nearest.b = 2))'],
  ['.a != (.b = 2)', '((nearest.a = true & not nearest.b = 2) | (nearest.a = false & nearest.b = 2))'],
  // Ids are found in any case and without leading zeros.
  ['trace:id = "ABC"', 'traceId = "00000000000000000000000000000abc"'],
  ['"abc" = span:id', '"0000000000000abc" = spanId'],
  ['trace:id =~ "ABC"', 'traceId =~ "ABC"'],
  ['trace:id = "not hex"', 'traceId = "not hex"'],
]

for (const [text, expected] of conditions) {
  test(`{ ${text} } is ${expected}`, () => {
    const { body } = readQuery(`{ ${text} }`)
    assert.ok(body.kind === 'pipeline' && body.stages[0]?.kind === 'filter')
    assert.equal(showPredicate(predicateOf(body.stages[0].where!)), expected)
  })
}
