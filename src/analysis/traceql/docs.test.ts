import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { drawTrace } from '../../../test/support/draw-trace.ts'
import { findIn } from '../../../test/support/show-spansets.ts'
import { spansetOperators } from './join.ts'
import { readQuery } from './read-query.ts'

const page = readFileSync(new URL('../../../docs/traceql.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, kind, text]) => ({ kind, text: text! }))
const rows = drawTrace(blocks.find(({ kind }) => kind === 'trace')!.text)
const examples = blocks
  .filter(({ kind }) => kind === 'traceql')
  .flatMap(({ text }) => text.split('\n').filter((line) => line !== ''))

for (const example of examples) {
  test(`the page is right about ${example}`, () => {
    const [query, found] = example.split(' // ') as [string, string?]
    readQuery(query)
    // A comment may follow the expected result.
    if (found !== undefined) assert.equal(findIn(rows, query), found.split(/ {2,}/)[0])
  })
}

test('the page has an example of every operator between sets, and of every function', () => {
  const text = examples.map((example) => example.split(' // ')[0]).join('\n')
  for (const operator of spansetOperators) assert.ok(text.includes(`} ${operator} {`), operator)
  const functions =
    'count avg min max sum by coalesce select rate compare topk bottomk with count_over_time min_over_time'
  const others = 'max_over_time sum_over_time avg_over_time quantile_over_time histogram_over_time'
  for (const name of `${functions} ${others}`.split(' ')) assert.match(text, new RegExp(`\\b${name}\\(`))
  assert.ok(examples.length > 80)
})
