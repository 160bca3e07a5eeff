/** Conditions on attributes -> SQL, by the places where they may be. */
import type { Place } from '../../../model/evaluate/evaluate.ts'
import type { PositiveOperator } from '../../../model/evaluate/held-value.ts'
import { pathsOf, type AttributeField, type Value } from '../../../model/query.ts'
import { bodyValues, mayHave, nestedValues, rawValues, type PlaceContext } from './attribute-places.ts'
import { isOdd } from '../../key-kinds.ts'
import { all, either } from './conditions.ts'
import { originEquality } from './origin-equality.ts'
import { ownEquality } from './own-equality.ts'
import { rawTests, type RawTests } from './raw-value.ts'

/** Met when any value of the field meets the operator. */
export function attributeMeets(
  field: AttributeField,
  operator: PositiveOperator,
  value: Value,
  context: PlaceContext,
): string {
  const tests = rawTests(operator, value, context.conditions)
  return inScope(field, context, (place) => placeMeets(place, field.key, { operator, value, tests }, context))
}

export function attributeExists(field: AttributeField, context: PlaceContext): string {
  return inScope(field, context, (place) => placeExists(place, field.key, context))
}

/** SQL of an array of all values of the field, with '' and empty values among them. */
export function attributeValues(field: AttributeField, context: PlaceContext): string {
  const valuesAt = (place: Place): string[] => [
    ...(isKnown(place, field.key, context) ? [rawValues(place, field.key, context)] : []),
    ...nestedLists(place, field.key, context),
  ]
  const joined = (lists: readonly string[]): string =>
    lists.length === 0 ? "['']" : lists.length === 1 ? lists[0]! : `arrayConcat(${lists.join(', ')})`
  if (field.scope !== 'nearest') return joined(placesOf(field, context).flatMap(valuesAt))
  const { own } = context.table
  return `if(${placeExists(own, field.key, context)}, ${joined(valuesAt(own))}, ${joined(valuesAt('resource'))})`
}

function inScope(field: AttributeField, context: PlaceContext, sqlOf: (place: Place) => string): string {
  if (field.scope !== 'nearest') return either(placesOf(field, context).map(sqlOf))
  const { own } = context.table
  const onResource = sqlOf('resource')
  if (onResource === '0') return sqlOf(own)
  return either([sqlOf(own), all([`NOT ${placeExists(own, field.key, context)}`, onResource])])
}

function placesOf({ scope }: AttributeField, { table }: PlaceContext): readonly Place[] {
  if (scope === 'nearest') return [table.own, 'resource']
  if (scope !== 'any') return [scope]
  return table.own === 'span'
    ? ['span', 'resource', 'instrumentation', 'event', 'link']
    : ['event', 'resource', 'instrumentation']
}

interface Asked {
  readonly operator: PositiveOperator
  readonly value: Value
  readonly tests: RawTests
}

function placeMeets(place: Place, key: string, { operator, value, tests }: Asked, context: PlaceContext): string {
  const parts: string[] = []
  if (isKnown(place, key, context)) {
    const isOwn = place === context.table.own
    const hasArrays = context.facts.kinds?.arrays.has(key) ?? false
    if (isOwn && operator === '=') {
      parts.push(...ownEquality(key, value, context))
      if (hasArrays) parts.push(anyMeets(ownArrays(key, context), tests))
    } else if (
      operator === '=' &&
      (place === 'resource' || place === 'instrumentation') &&
      !mayBeNested(key, context)
    ) {
      const column = place === 'resource' ? 'resource' : 'scope'
      parts.push(...originEquality(column, key, value, context.conditions))
    } else parts.push(anyMeets(rawValues(place, key, context), tests, hasArrays))
  }
  for (const list of nestedLists(place, key, context)) parts.push(anyMeets(list, tests))
  return either(parts)
}

function placeExists(place: Place, key: string, context: PlaceContext): string {
  const parts = isKnown(place, key, context) ? [rawValues(place, key, context)] : []
  const lists = [...parts, ...nestedLists(place, key, context)]
  return either(lists.map((list) => `arrayExists(raw -> raw NOT IN ('', '{}'), ${list})`))
}

function ownArrays(key: string, { conditions }: PlaceContext): string {
  const value = `attributes_other[${conditions.bind(key, 'String')}]`
  return `if(startsWith(${value}, '{"arrayValue"'), [${value}], [])`
}

function anyMeets(list: string, { element, whole }: RawTests, mayBeArrays = true): string {
  if (!mayBeArrays) return `arrayExists(raw -> ${element('raw')}, ${list})`
  const elements = `if(startsWith(raw, '{"arrayValue"'), JSONExtractArrayRaw(raw, 'arrayValue', 'values'), [raw])`
  const meets = either([`arrayExists(part -> ${element('part')}, ${elements})`, whole('raw')])
  return meets === '0' ? '0' : `arrayExists(raw -> ${meets}, ${list})`
}

function mayBeNested(key: string, { facts: { kinds } }: PlaceContext): boolean {
  return kinds !== undefined && (kinds.arrays.has(key) || kinds.maps.has(key) || kinds.bytes.has(key))
}

function isKnown(place: Place, key: string, context: PlaceContext): boolean {
  // The engine's maps do not find the empty key.
  if (key === '') return false
  if (isOdd(key) && !(context.facts.kinds?.odd.has(key) ?? false)) return false
  return mayHave(place, key, context)
}

function nestedLists(place: Place, key: string, context: PlaceContext): string[] {
  const { facts, table, conditions } = context
  const paths = pathsOf(key)
  const lists = paths
    .filter(([first]) => (facts.kinds?.maps.has(first!) ?? false) && isKnown(place, first!, context))
    .map((path) => nestedValues(place, path, context))
  if (table.own === 'event' && place === 'event' && facts.kinds?.bodyMaps === true) {
    lists.push(...[[key], ...paths].map((path) => bodyValues(path, conditions)))
  }
  return lists
}
