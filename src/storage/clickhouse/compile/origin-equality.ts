/**
 * The quick way to rows by an attribute of their resource or instrumentation scope: bare comparisons over the column's
 * dictionary, once for each distinct resource. Arrays, maps and bytes are not seen here.
 */
import { spellingOf } from '../../../model/evaluate/spelling.ts'
import type { Value } from '../../../model/query.ts'
import type { Conditions } from './conditions.ts'
import { otherTexts } from './own-equality.ts'

/** Alternatives of which one must hold. */
export function originEquality(
  column: 'resource' | 'scope',
  key: string,
  value: Value,
  conditions: Conditions,
): string[] {
  const name = conditions.bind(key, 'String')
  const raw = `JSONExtractRaw(${column}, 'attributes', ${name})`
  /** The engine prints numbers in its own way, so both sides are printed by it. */
  const isNumber = (number: bigint | number): string =>
    `${raw} IN (${otherTexts(number)
      .map((text) => `JSONExtractRaw(${conditions.bind(text, 'String')})`)
      .join(', ')})`
  // The engine gives the text of a missing key as empty, and that of a number or an empty value as its JSON.
  const isText = (text: string): string =>
    text === ''
      ? `${raw} = '""'`
      : `(JSONExtractString(${column}, 'attributes', ${name}) = ${conditions.bind(text, 'String')} AND startsWith(${raw}, '"'))`
  switch (value.type) {
    case 'string':
      return [isText(value.value)]
    case 'int':
    case 'float':
    case 'duration':
      return Number.isNaN(value.value) ? [] : [isNumber(value.value)]
    case 'bool':
      return [`${raw} = '${value.value}'`]
    case 'spelled': {
      const { number, bool, special } = spellingOf(value.value)
      const parts = [isText(value.value)]
      if (number !== undefined) parts.push(isNumber(number))
      if (bool !== undefined) parts.push(`${raw} = '${bool}'`)
      if (special !== undefined) parts.push(`${raw} = '{"doubleValue":"${special}"}'`)
      return parts
    }
    default:
      return []
  }
}
