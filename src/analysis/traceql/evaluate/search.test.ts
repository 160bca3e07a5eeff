import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawTrace } from '../../../../test/support/draw-trace.ts'
import { traceqlScenarios } from '../../../../test/support/traceql-scenarios.ts'
import { namesOf, type Held } from '../../../model/evaluate/held-value.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import { readQuery } from '../read-query.ts'
import { compileSearch, type FoundSpanset } from './search.ts'
import type { Label } from './spanset.ts'

function find(query: string, rows: readonly SpanRow[]): FoundSpanset[] {
  const { body } = readQuery(query)
  assert.ok(body.kind === 'pipeline')
  return compileSearch(body.stages)(rows)
}

function show(sets: readonly FoundSpanset[]): string {
  return sets.length === 0 ? '-' : sets.map(showSet).join(' / ')
}

function showSet({ spans, labels, numbers }: FoundSpanset): string {
  const columns = (selected: readonly Label[]): string =>
    selected.length === 0 ? '' : `[${selected.map(({ name, values }) => `${name}=${showValues(values)}`).join(' ')}]`
  const parts = [spans.map(({ row, selected }) => row.name + columns(selected)).join(' ')]
  if (labels.length > 0) parts.push(`{${labels.map(({ values }) => showValues(values)).join()}}`)
  if (numbers.length > 0) parts.push(`(${numbers.map(({ name, value }) => `${name}=${value}`).join(' ')})`)
  return parts.join(' ')
}

function showValues(values: readonly Held[]): string {
  return values.length === 0 ? 'nil' : values.map(showValue).join('+')
}

function showValue(held: Held): string {
  if (held.type === 'array') return `[${held.value.map(showValue).join()}]`
  if (held.type === 'status' || held.type === 'kind') return namesOf(held.type)[held.value]!
  return 'value' in held ? String(held.value) : held.type
}

for (const { name, trace, finds } of traceqlScenarios) {
  const rows = drawTrace(trace)
  for (const [query, found] of finds) {
    test(`in ${name}, ${query} finds ${found}`, () => {
      assert.equal(show(find(query, rows)), found)
      // The order in which spans come does not matter.
      if (name !== 'a shop') return
      assert.equal(show(find(query, rows.toReversed())), found)
    })
  }
}

test('a trace without spans holds nothing', () => {
  assert.deepEqual(find('{ } || { }', []), [])
})
