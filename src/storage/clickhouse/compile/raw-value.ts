/**
 * Conditions on one attribute value as raw JSON text, in SQL. A value is in one of two notations: typed JSON
 * (model/attributes.ts) as maps, resources and events of spans hold it, or OTLP JSON as it is inside arrays and maps:
 *   "text"                 {"stringValue":"text"}
 *   42   42.0   true       {"intValue":"42"}   {"doubleValue":42}   {"boolValue":true}
 *   {"doubleValue":"NaN"}  {"bytesValue":"…"}  {"arrayValue":{"values":[…]}}  {"kvlistValue":{"values":[…]}}  {}
 * '' is a value that is missing: it meets nothing.
 */
import { spellingOf } from '../../../model/evaluate/spelling.ts'
import { compilePattern, type PositiveOperator } from '../../../model/evaluate/held-value.ts'
import type { Value } from '../../../model/query.ts'
import { either, type Conditions } from './conditions.ts'

/** The condition as SQL over a name or short expression; never NULL. */
export type RawTest = (raw: string) => string

/** The condition on one element, and on an array, a map or bytes as a whole. */
export interface RawTests {
  readonly element: RawTest
  readonly whole: RawTest
}

const never: RawTest = () => '0'

export function rawTests(operator: PositiveOperator, value: Value, conditions: Conditions): RawTests {
  if (operator === '=~') return { element: patternTest(value, conditions), whole: never }
  switch (value.type) {
    case 'string': {
      const asked = conditions.bind(value.value, 'String')
      return { element: (raw) => `ifNull(${textOf(raw)} ${operator} ${asked}, 0)`, whole: never }
    }
    case 'int':
    case 'duration':
    case 'float':
      return { element: numberTest(operator, value.value, conditions), whole: never }
    case 'bool':
      return { element: operator === '=' ? boolTest(value.value) : never, whole: never }
    case 'spelled':
      return operator === '=' ? spelledTests(value.value, conditions) : { element: never, whole: never }
    default:
      return { element: never, whole: never }
  }
}

export function textOf(raw: string): string {
  return `multiIf(startsWith(${raw}, '"'), JSONExtractString(${raw}), startsWith(${raw}, '{"stringValue"'), JSONExtractString(${raw}, 'stringValue'), NULL)`
}

/** The value when it is whole and fits 64 bits, else NULL. */
export function intOf(raw: string): string {
  return `toInt64OrNull(if(startsWith(${raw}, '{"intValue"'), JSONExtractString(${raw}, 'intValue'), ${raw}))`
}

/** The value as a double, else NULL. */
export function doubleOf(raw: string): string {
  const text = `trim(BOTH '"' FROM JSONExtractRaw(${raw}, 'doubleValue'))`
  return `toFloat64OrNull(if(startsWith(${raw}, '{"doubleValue"'), ${text}, ${raw}))`
}

export function boolTest(value: boolean): RawTest {
  return (raw) => `${raw} IN ('${value}', '{"boolValue":${value}}')`
}

/** Whole numbers are compared as such: beyond 2^53 a double would not tell neighbours apart. */
function numberTest(operator: string, value: bigint | number, conditions: Conditions): RawTest {
  if (Number.isNaN(value)) return never
  const asked = numberSql(value, conditions)
  return (raw) => `coalesce(${intOf(raw)} ${operator} ${asked}, ${doubleOf(raw)} ${operator} ${asked}, 0)`
}

export function numberSql(value: bigint | number, conditions: Conditions): string {
  if (typeof value === 'bigint') return conditions.bind(value, 'Int64')
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return conditions.bind(value, 'Float64')
}

function spelledTests(text: string, conditions: Conditions): RawTests {
  const spelling = spellingOf(text)
  const asked = conditions.bind(text, 'String')
  const tests: RawTest[] = [(raw) => `ifNull(${textOf(raw)} = ${asked}, 0)`]
  if (spelling.number !== undefined) tests.push(numberTest('=', spelling.number, conditions))
  if (spelling.bool !== undefined) tests.push(boolTest(spelling.bool))
  if (spelling.special !== undefined) {
    tests.push(
      (raw) => `(startsWith(${raw}, '{"doubleValue"') AND JSONExtractString(${raw}, 'doubleValue') = ${asked})`,
    )
  }
  const whole = shownTest(spelling.shown, conditions)
  if (spelling.shown.length > 0) tests.push(whole)
  return { element: (raw) => either(tests.map((test) => test(raw))), whole }
}

/** The engine's own way of printing JSON makes equal texts of equal values. */
function shownTest(shown: readonly string[], conditions: Conditions): RawTest {
  if (shown.length === 0) return never
  const texts = shown.map((json) => conditions.bind(json, 'String'))
  return (raw) => {
    const isNested = `(startsWith(${raw}, '{"arrayValue"') OR startsWith(${raw}, '{"kvlistValue"') OR startsWith(${raw}, '{"bytesValue"'))`
    return `(${isNested} AND JSONExtractRaw(${raw}) IN (${texts.map((text) => `JSONExtractRaw(${text})`).join(', ')}))`
  }
}

function patternTest(value: Value, conditions: Conditions): RawTest {
  if (value.type !== 'string') return never
  const pattern = conditions.bind(anchored(value.value), 'String')
  return (raw) => `ifNull(match(${textOf(raw)}, ${pattern}), 0)`
}

/** The whole text must match, and `.` matches a line break. Throws `InputError` for what is not RE2 syntax. */
export function anchored(pattern: string): string {
  compilePattern(pattern)
  return `\\A(?s:${pattern})\\z`
}
