/**
 * A predicate over events -> SQL over spans, for the events that are inside spans. It holds for every span with an event that
 * meets the predicate, and for some others: text is looked for in the events' JSON, which costs a sixth of parsing it.
 */
import { isPlainWord } from '../../../model/evaluate/event-view.ts'
import { checkLimits } from '../../../model/query-limits.ts'
import { fieldComparison, pathsOf, type AttributeField, type Field, type Predicate } from '../../../model/query.ts'
import { all, either, type Conditions, type KeyFacts } from './conditions.ts'
import { attributeExists } from './attribute-sql.ts'
import { intrinsicMeets } from './intrinsic-sql.ts'
import { spansTable } from './spans-table.ts'

export function spanMayHave(predicate: Predicate, facts: KeyFacts, conditions: Conditions): string {
  checkLimits(predicate)
  return mayMeet(predicate, { facts, conditions })
}

interface Context {
  readonly facts: KeyFacts
  readonly conditions: Conditions
}

function mayMeet(predicate: Predicate, context: Context): string {
  switch (predicate.kind) {
    case 'and':
      return all(predicate.of.map((part) => mayMeet(part, context)))
    case 'or':
      return either(predicate.of.map((part) => mayMeet(part, context)))
    case 'not':
      return '1'
    case 'exists':
      return mayExist(predicate.field, context)
    case 'word':
      return wordMayBe(predicate.text, context)
    case 'compare': {
      const plain = fieldComparison(predicate)
      if (plain === undefined) return '1'
      const { field, operator, value } = plain
      if (value.type === 'nil') return operator === '!=' ? mayExist(field, context) : '1'
      if (field.kind === 'attribute' || operator === '!=' || operator === '!~') return mayExist(field, context)
      if (field.name === 'service' || field.name === 'traceId' || field.name === 'spanId') {
        return intrinsicMeets(field, operator, value, { table: spansTable, conditions: context.conditions })
      }
      if (field.name === 'type' && operator === '=' && value.type === 'string') {
        return isInEvents(`"name":${JSON.stringify(value.value)}`, context)
      }
      return mayExist(field, context)
    }
  }
}

/** Events of spans have neither body nor severity. */
function mayExist(field: Field, context: Context): string {
  if (field.kind === 'attribute') return attributeMayExist(field, context)
  return field.name === 'body' || field.name === 'severity' ? '0' : '1'
}

function attributeMayExist({ scope, key }: AttributeField, { facts, conditions }: Context): string {
  const parts: string[] = []
  if (scope === 'any' || scope === 'event' || scope === 'nearest') {
    const first = new Set([key, ...pathsOf(key).map((path) => path[0]!)])
    for (const one of first) {
      if (facts.kinds?.event.has(one) ?? true) parts.push(isInEvents(JSON.stringify(one), { facts, conditions }))
    }
  }
  for (const place of ['resource', 'instrumentation'] as const) {
    if (scope !== place && scope !== 'any' && !(scope === 'nearest' && place === 'resource')) continue
    const field: AttributeField = { kind: 'attribute', scope: place, key }
    parts.push(attributeExists(field, { table: spansTable, facts, conditions }))
  }
  return either(parts)
}

function isInEvents(text: string, { conditions }: Context): string {
  return `position(events, ${conditions.bind(text, 'String')}) > 0`
}

function wordMayBe(word: string, { conditions }: Context): string {
  const escaped = conditions.bind(JSON.stringify(word).slice(1, -1), 'String')
  return `positionCaseInsensitive${isPlainWord(word) ? '' : 'UTF8'}(events, ${escaped}) > 0`
}
