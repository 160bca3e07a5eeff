/**
 * The quick way to spans and events by the value of one of their own attributes: bare comparisons of a column or a map
 * entry, which the engine's indexes can use. Arrays and maps are not seen here.
 */
import { printTypedValue } from '../../../model/attributes.ts'
import { spellingOf } from '../../../model/evaluate/spelling.ts'
import type { Value } from '../../../model/query.ts'
import { dedicatedByKey } from '../../dedicated.ts'
import { numberSql } from './raw-value.ts'
import type { Conditions, KeyFacts } from './conditions.ts'
import type { CompiledTable } from './table.ts'

export interface EqualityContext {
  readonly table: CompiledTable
  readonly facts: KeyFacts
  readonly conditions: Conditions
}

/**
 * Alternatives of which one must hold. A dedicated attribute is looked up in its column alone, unless some sender was seen
 * to give it a value the column cannot hold: each further alternative would keep the engine from skipping granules.
 */
export function ownEquality(key: string, value: Value, context: EqualityContext): string[] {
  const { table, facts } = context
  const dedicated = table.own === 'span' ? dedicatedByKey.get(key) : undefined
  if (dedicated === undefined) return mapEquality(key, value, context)
  const parts: string[] = []
  if (dedicated.type === 'port') {
    const number = portOf(value)
    if (number !== undefined) parts.push(`${dedicated.column} = ${context.conditions.bind(number, 'UInt16')}`)
  } else if ((value.type === 'string' || value.type === 'spelled') && value.value !== '') {
    parts.push(`${dedicated.column} = ${context.conditions.bind(value.value, 'String')}`)
  }
  if (facts.irregular.has(key)) parts.push(...mapEquality(key, value, context))
  return parts
}

function portOf(value: Value): number | undefined {
  const number =
    value.type === 'spelled'
      ? spellingOf(value.value).number
      : value.type === 'int' || value.type === 'float' || value.type === 'duration'
        ? value.value
        : undefined
  const port = Number(number)
  return Number.isInteger(port) && port > 0 && port <= 0xffff ? port : undefined
}

function mapEquality(key: string, value: Value, context: EqualityContext): string[] {
  const { conditions } = context
  switch (value.type) {
    case 'string':
      return [stringEquality(key, value.value, conditions)]
    case 'int':
    case 'float':
    case 'duration':
      return numberEquality(key, value.value, conditions)
    case 'bool':
      return [`attributes_other[${conditions.bind(key, 'String')}] = '${value.value}'`]
    case 'spelled':
      return spelledEquality(key, value.value, context)
    default:
      return []
  }
}

/** The engine reads a key that is missing as an empty text. */
function stringEquality(key: string, text: string, conditions: Conditions): string {
  const name = conditions.bind(key, 'String')
  if (text === '') return `(mapContains(attributes_string, ${name}) AND attributes_string[${name}] = '')`
  return `attributes_string[${name}] = ${conditions.bind(text, 'String')}`
}

function numberEquality(key: string, number: bigint | number, conditions: Conditions): string[] {
  const name = conditions.bind(key, 'String')
  const parts: string[] = []
  const asDouble = Number(number)
  if (Number.isFinite(asDouble)) {
    const asked = numberSql(number, conditions)
    parts.push(`(mapContains(attributes_number, ${name}) AND attributes_number[${name}] = ${asked})`)
  }
  const texts = otherTexts(number).map((text) => conditions.bind(text, 'String'))
  if (texts.length > 0) parts.push(`attributes_other[${name}] IN (${texts.join(', ')})`)
  return parts
}

/** Typed JSON of the numbers that are equal to this one: it tells `42` from `42.0`, and 0 has a sign. */
export function otherTexts(number: bigint | number): string[] {
  if (Number.isNaN(number)) return []
  const asDouble = Number(number)
  const texts: string[] = []
  if (typeof number === 'number' || BigInt(asDouble) === number) {
    texts.push(printTypedValue({ type: 'double', value: asDouble }))
    if (asDouble === 0) texts.push('0.0', '-0.0')
  }
  if (Number.isFinite(asDouble) && Number.isInteger(asDouble)) texts.push(String(BigInt(number)))
  return [...new Set(texts)]
}

function spelledEquality(key: string, text: string, { facts: { kinds }, conditions }: EqualityContext): string[] {
  const { number, bool, special, shown } = spellingOf(text)
  const parts = [stringEquality(key, text, conditions)]
  if (number !== undefined) parts.push(...numberEquality(key, number, conditions))
  // Many a word could be base64, and looking for bytes of every key would double what a search reads.
  const others = shown.filter(
    (json) =>
      (kinds?.arrays.has(key) === true && json.startsWith('{"arrayValue"')) ||
      (kinds?.maps.has(key) === true && json.startsWith('{"kvlistValue"')) ||
      (kinds?.bytes.has(key) === true && json.startsWith('{"bytesValue"')),
  )
  if (bool !== undefined) others.push(text)
  if (special !== undefined) others.push(`{"doubleValue":"${text}"}`)
  if (others.length > 0) {
    const name = conditions.bind(key, 'String')
    parts.push(`attributes_other[${name}] IN (${others.map((other) => conditions.bind(other, 'String')).join(', ')})`)
  }
  return parts
}
