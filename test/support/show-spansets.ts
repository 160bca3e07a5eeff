/** What a search finds in a trace, as the short text of traceql-scenarios.ts. */
import assert from 'node:assert/strict'
import { compileSearch, type FoundSpanset } from '../../src/analysis/traceql/evaluate/search.ts'
import type { Label } from '../../src/analysis/traceql/evaluate/spanset.ts'
import { readQuery } from '../../src/analysis/traceql/read-query.ts'
import { namesOf, type Held } from '../../src/model/evaluate/held-value.ts'
import type { SpanRow } from '../../src/model/span-row.ts'

/** Throws `InputError` for a query that cannot be answered. */
export function findIn(rows: readonly SpanRow[], query: string): string {
  const { body } = readQuery(query)
  assert.ok(body.kind === 'pipeline', `${query} finds no spans`)
  return show(compileSearch(body.stages)(rows))
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
  if (held.type === 'bytes' || held.type === 'map' || held.type === 'empty') return held.type
  return String(held.value)
}
