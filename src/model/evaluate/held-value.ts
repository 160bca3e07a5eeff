/** Compares one value that a span holds with one value of a query. The rules are in model/query.ts. */
import { RE2JS } from 're2js'
import { InputError } from '../../base/errors.ts'
import { toAnyValueJson, type AttributeValue } from '../attributes.ts'
import type { Operator, Value } from '../query.ts'
import { spellingOf } from './spelling.ts'

/** What a field holds: an attribute's value, or an intrinsic of a type that attributes do not have. */
export type Held = AttributeValue | { readonly type: 'status' | 'kind'; readonly value: number }

/** `!=` and `!~` are about all values of a field, so they are not here. */
export type PositiveOperator = Exclude<Operator, '!=' | '!~'>

/** A function that says whether one element meets the condition. */
export function elementTest(operator: PositiveOperator, value: Value): (held: Held) => boolean {
  if (operator === '=~') return patternTest(value)
  const decide = deciders[operator]
  switch (value.type) {
    case 'string': {
      const bytes = Buffer.from(value.value)
      return (held) => held.type === 'string' && decide(Buffer.from(held.value).compare(bytes))
    }
    case 'int':
    case 'float':
    case 'duration': {
      const asked = value.value
      return (held) => isNumber(held) && decide(compareNumbers(held.value, asked))
    }
    case 'bool':
    case 'status':
    case 'kind':
      return operator === '='
        ? (held) => held.type === value.type && (held as { value: unknown }).value === value.value
        : () => false
    case 'spelled':
      return operator === '=' ? spelledTest(value.value) : () => false
    case 'nil':
      return () => false
  }
}

/** Each gets the order of the held and the wanted value, or NaN when they have none. */
const deciders = {
  '=': (order: number) => order === 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
} as const

type NumberHeld = Extract<Held, { type: 'int' | 'double' }>

function isNumber(held: Held): held is NumberHeld {
  return held.type === 'int' || held.type === 'double'
}

/** Negative, zero or positive by the exact values; NaN when one of them is. */
function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number.isNaN(a) || Number.isNaN(b) ? NaN : 0
}

const statusNames = ['unset', 'ok', 'error']
const kindNames = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']

/** The name of a status or kind is its spelling. */
export function namesOf(type: 'status' | 'kind'): readonly string[] {
  return type === 'status' ? statusNames : kindNames
}

function spelledTest(text: string): (held: Held) => boolean {
  const spelling = spellingOf(text)
  return (held) => {
    switch (held.type) {
      case 'string':
        return held.value === text
      case 'int':
      case 'double':
        if (spelling.special !== undefined) return Object.is(held.value, spelling.special)
        return spelling.number !== undefined && compareNumbers(held.value, spelling.number) === 0
      case 'bool':
        return held.value === spelling.bool
      case 'status':
      case 'kind':
        return namesOf(held.type)[held.value] === text
      case 'empty':
        return false
      default:
        return spelling.shown.length > 0 && spelling.shown.includes(JSON.stringify(toAnyValueJson(held)))
    }
  }
}

function patternTest(value: Value): (held: Held) => boolean {
  if (value.type !== 'string') return () => false
  const pattern = compilePattern(value.value)
  return (held) => held.type === 'string' && pattern.matches(held.value)
}

/** Throws `InputError` for a pattern that is not RE2 syntax. */
export function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL)
  } catch (cause) {
    throw new InputError('bad_request', `cannot read the pattern "${pattern}": ${(cause as Error).message}`)
  }
}
