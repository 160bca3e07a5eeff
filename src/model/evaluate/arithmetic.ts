/**
 * Comparisons that are not of a field with a value: two fields, or arithmetic on either side (`Operand` in
 * model/query.ts).
 */
import {
  arithmetic,
  isField,
  type Arithmetic,
  type Comparison,
  type Field,
  type Operand,
  type Operator,
} from '../query.ts'
import type { View } from './evaluate.ts'
import { compilePattern, type Held } from './held-value.ts'

export type Scalar = number | string | boolean
type ValuesOf = (field: Field) => (view: View) => readonly Held[]

export function operandTest({ left, operator, right }: Comparison, valuesOf: ValuesOf): (view: View) => boolean {
  const [lefts, rights] = [scalarsOf(left, valuesOf), scalarsOf(right, valuesOf)]
  const isNegative = operator === '!=' || operator === '!~'
  const meets = pairTest(operator, right)
  return (view) => {
    const [a, b] = [lefts(view), rights(view)]
    if (isNegative && (a.length === 0 || b.length === 0)) return false
    return a.some((one) => b.some((other) => meets(one, other))) !== isNegative
  }
}

/** A function that returns the numbers, texts and booleans of an operand. */
export function scalarsOf(operand: Operand, valuesOf: ValuesOf): (view: View) => readonly Scalar[] {
  if (isField(operand)) {
    const values = valuesOf(operand)
    return (view) => values(view).flatMap((held) => (held.type === 'array' ? held.value : [held]).flatMap(scalarOf))
  }
  if (operand.kind === 'arithmetic') return resultsOf(operand, valuesOf)
  const constant =
    operand.type === 'int' || operand.type === 'duration'
      ? [Number(operand.value)]
      : operand.type === 'string' || operand.type === 'float' || operand.type === 'bool'
        ? [operand.value]
        : []
  return () => constant
}

function scalarOf(held: Held): Scalar[] {
  if (held.type === 'int') return [Number(held.value)]
  return held.type === 'double' || held.type === 'string' || held.type === 'bool' ? [held.value] : []
}

function resultsOf({ operator, left, right }: Arithmetic, valuesOf: ValuesOf): (view: View) => readonly number[] {
  const [lefts, rights] = [scalarsOf(left, valuesOf), scalarsOf(right, valuesOf)]
  const operate = arithmetic[operator]
  const isNumber = (scalar: Scalar): scalar is number => typeof scalar === 'number'
  return (view) => {
    const others = rights(view).filter(isNumber)
    return lefts(view)
      .filter(isNumber)
      .flatMap((a) => others.map((b) => operate(a, b)))
  }
}

/** For `!=` and `!~` the test of `=` and `=~`. */
function pairTest(operator: Operator, right: Operand): (a: Scalar, b: Scalar) => boolean {
  if (operator === '=~' || operator === '!~') {
    if (right.kind !== 'value' || right.type !== 'string') return () => false
    const pattern = compilePattern(right.value)
    return (a) => typeof a === 'string' && pattern.matches(a)
  }
  const decide = deciders[operator]
  const isEquality = operator === '=' || operator === '!='
  return (a, b) => {
    if (typeof a !== typeof b || (typeof a === 'boolean' && !isEquality)) return false
    if (typeof a === 'string') return decide(Buffer.from(a).compare(Buffer.from(b as string)), 0)
    return decide(Number(a), Number(b))
  }
}

const deciders: Readonly<Record<Exclude<Operator, '=~' | '!~'>, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}
