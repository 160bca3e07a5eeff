import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showPredicate } from '../../../test/support/show-predicate.ts'
import { planOf, type MetricsPlan } from './plan.ts'
import { readQuery } from './read-query.ts'
import type { TraceCondition } from './trace-condition.ts'

function showCondition(condition: TraceCondition): string {
  if (condition.kind === 'some') return `some[${showPredicate(condition.where)}]`
  return `${condition.kind}(${condition.of.map(showCondition).join(' ')})`
}

function search(text: string): { candidates: string; spans: string; isExact: boolean } {
  const { body } = planOf(readQuery(text))
  assert.ok(body.kind === 'search')
  return { candidates: showCondition(body.candidates), spans: showPredicate(body.spans), isExact: body.isExact }
}

/** The query, the condition on a trace, and for an exact plan the condition on the spans of the answer. */
const searches: readonly (readonly [string, string, string?])[] = [
  ['{ }', 'some[all]', 'all'],
  ['{ .a = 1 }', 'some[nearest.a = 1]', 'nearest.a = 1'],
  [
    '{ .a = 1 } | { .b = 2 } | { .c = 3 }',
    'some[(nearest.a = 1 & nearest.b = 2 & nearest.c = 3)]',
    '(nearest.a = 1 & nearest.b = 2 & nearest.c = 3)',
  ],
  [
    '{ name = "a" } || { name = "b" } | select(.a)',
    'or(some[name = "a"] some[name = "b"])',
    '(name = "a" | name = "b")',
  ],
  ['{ name = "a" } && { name = "b" }', 'and(some[name = "a"] some[name = "b"])'],
  ['{ name = "a" } >> { name = "b" } | count() > 2', 'and(and(some[name = "a"] some[name = "b"]) some[name = "b"])'],
  ['{ name = "a" } !>> { name = "b" }', 'some[name = "b"]'],
  ['{ name = "a" } &~ { name = "b" }', 'and(some[name = "a"] some[name = "b"])'],
  ['{ name = "a" } | by(.x) | count() > 2', 'and(some[name = "a"] some[name = "a"])'],
  ['{ name = "a" } | by(.x) | coalesce()', 'some[name = "a"]'],
  ['count() > 2', 'some[all]'],
  ['({ name = "a" } | count()) > ({ name = "b" } | count())', 'or(some[name = "a"] some[name = "b"])'],
  [
    '({ name = "a" } | by(.x) | count() > 1) && { name = "b" }',
    'and(and(some[name = "a"] some[name = "a"]) some[name = "b"])',
  ],
  ['{ span:childCount > 2 && name = "a" }', 'some[name = "a"]'],
  ['{ span:childCount > 2 || name = "a" }', 'some[all]'],
  ['{ !(span:childCount > 2 || name = "a") }', 'some[not name = "a"]'],
  ['{ !(span:childCount > 2 && name = "a") }', 'some[all]'],
  ['{ nestedSetParent < 0 && name = "a" }', 'some[(parentId = nil & name = "a")]', '(parentId = nil & name = "a")'],
  ['{ nestedSetParent > 3 }', 'some[all]'],
]

for (const [text, candidates, exact] of searches) {
  test(`${text} becomes the question ${candidates} to a store`, () => {
    const plan = search(text)
    assert.equal(plan.candidates, candidates)
    assert.equal(plan.isExact ? plan.spans : undefined, exact)
  })
}

test('a metrics query is planned with its math, its constants computed', () => {
  const { body, hints } = planOf(
    readQuery('({ .a = 1 } | rate() by(name)) / ({ } | rate()) * (2 ^ 3 + 1) with(exemplars=5)'),
  )
  assert.ok(body.kind === 'metrics' && body.source.kind === 'math')
  assert.equal(body.source.operator, '*')
  assert.equal(body.source.right, 9)
  const quotient = body.source.left as MetricsPlan
  assert.ok(quotient.source.kind === 'math')
  const rate = quotient.source.left as MetricsPlan
  assert.ok(rate.source.kind === 'select')
  assert.equal(showPredicate(rate.source.search.spans), 'nearest.a = 1')
  assert.deepEqual(hints.get('exemplars'), { kind: 'value', type: 'int', value: 5n })
})

test('the selection of compare says whether a store can evaluate it', () => {
  const selectionOf = (text: string): unknown => {
    const { body } = planOf(readQuery(text))
    assert.ok(body.kind === 'metrics' && body.source.kind === 'select')
    const { where, isExact } = body.source.selection!
    return [showPredicate(where), isExact]
  }
  assert.deepEqual(selectionOf('{ } | compare({ status = error })'), ['status = status 2', true])
  assert.deepEqual(selectionOf('{ } | compare({ span:childCount = 0 })'), ['all', false])
})

test('the order is kept', () => {
  const { order } = planOf(readQuery('{ } | order by errors desc, start'))
  assert.deepEqual(
    order.map(({ by, descending }) => [by, descending]),
    [
      ['errors', true],
      ['start', false],
    ],
  )
})

test('a plan stays small, whatever the query', () => {
  const pair = '({ .a = 1 } && { .b = 2 })'
  for (const text of [
    Array.from({ length: 200 }, () => pair).join(' | '),
    Array.from({ length: 120 }, () => '({ .a = 1 } | count()) >= ({ .b = 1 } | count())').join(' | '),
    Array.from({ length: 400 }, (_, i) => `{ .a = ${i} }`).join(' && '),
    Array.from({ length: 400 }, (_, i) => `{ .a = ${i} }`).join(' || '),
    Array.from({ length: 400 }, (_, i) => `{ .a = ${i} }`).join(' | '),
  ]) {
    const { candidates, spans, isExact } = search(text)
    const conditions = (shown: string): number => shown.split('nearest').length - 1
    assert.ok(conditions(candidates) <= 250 && conditions(spans) <= 250, text.slice(0, 60))
    assert.equal(isExact, false)
  }
})
