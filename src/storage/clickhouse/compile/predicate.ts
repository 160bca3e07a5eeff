/**
 * Predicate -> SQL with bound parameters. Every part is 0 or 1 and never NULL, so `NOT` is plain negation, as
 * model/query.ts says it.
 */
import { checkLimits } from '../../../model/query-limits.ts'
import { fieldComparison, type Comparison, type Field, type Predicate, type SpanQuery } from '../../../model/query.ts'
import type { PositiveOperator } from '../../../model/evaluate/held-value.ts'
import type { Value } from '../../../model/query.ts'
import { attributeExists, attributeMeets } from './attribute-sql.ts'
import type { PlaceContext } from './attribute-places.ts'
import { addTimeRange, all, Conditions, either, type KeyFacts } from './conditions.ts'
import { intrinsicExists, intrinsicMeets } from './intrinsic-sql.ts'
import { operandComparison } from './operand-sql.ts'
import { spansTable } from './spans-table.ts'

/** What spans must meet. Throws `InputError` for a predicate that is too large or has a wrong pattern. */
export function compileSpanQuery(query: SpanQuery, facts: KeyFacts): Conditions {
  const conditions = new Conditions()
  addTimeRange(conditions, 'start_time', query)
  addPredicate(query.where, { table: spansTable, facts, conditions })
  return conditions
}

/** Adds the parts of an `and` one by one, which is how the engine takes them. */
export function addPredicate(predicate: Predicate, context: PlaceContext): void {
  checkLimits(predicate)
  for (const part of predicate.kind === 'and' ? predicate.of : [predicate]) {
    context.conditions.add(predicateSql(part, context))
  }
}

function predicateSql(predicate: Predicate, context: PlaceContext): string {
  switch (predicate.kind) {
    case 'and':
      return all(predicate.of.map((part) => predicateSql(part, context)))
    case 'or':
      return either(predicate.of.map((part) => predicateSql(part, context)))
    case 'not':
      return negated(predicateSql(predicate.of, context))
    case 'exists':
      return exists(predicate.field, context)
    case 'word':
      return context.table.wordSql(predicate.text, context.conditions)
    case 'compare':
      return comparisonSql(predicate, context)
  }
}

function comparisonSql(comparison: Comparison, context: PlaceContext): string {
  const plain = fieldComparison(comparison)
  if (plain === undefined) return operandComparison(comparison, context)
  const { field, operator, value } = plain
  if (value.type === 'nil') {
    if (operator === '=') return negated(exists(field, context))
    return operator === '!=' ? exists(field, context) : '0'
  }
  if (operator === '!=' || operator === '!~') {
    const isMet = meets(field, operator === '!=' ? '=' : '=~', value, context)
    return all([exists(field, context), negated(isMet)])
  }
  return meets(field, operator, value, context)
}

function negated(sql: string): string {
  return sql === '0' ? '1' : sql === '1' ? '0' : `NOT (${sql})`
}

function exists(field: Field, context: PlaceContext): string {
  return field.kind === 'intrinsic' ? intrinsicExists(field, context) : attributeExists(field, context)
}

function meets(field: Field, operator: PositiveOperator, value: Value, context: PlaceContext): string {
  return field.kind === 'intrinsic'
    ? intrinsicMeets(field, operator, value, context)
    : attributeMeets(field, operator, value, context)
}
