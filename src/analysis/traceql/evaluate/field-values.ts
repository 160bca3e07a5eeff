/** Evaluates an expression on one span: to values for groups and columns, to numbers for functions. */
import { scalarsOf, type Scalar } from '../../../model/evaluate/arithmetic.ts'
import { toAnyValueJson } from '../../../model/attributes.ts'
import { compileTest, valuesOf, type View } from '../../../model/evaluate/evaluate.ts'
import type { Held } from '../../../model/evaluate/held-value.ts'
import { fieldOf, isCondition, operandOf, predicateOf } from '../condition.ts'
import type { FieldExpression } from '../syntax.ts'

/** A function that returns all values: none when the span has none, several for attributes of several events. */
export function compileValues(field: FieldExpression): (view: View) => readonly Held[] {
  if (field.kind === 'attribute' || field.kind === 'intrinsic') return valuesOf(fieldOf(field))
  if (isCondition(field)) {
    const isMet = compileTest(predicateOf(field))
    return (view) => [{ type: 'bool', value: isMet(view) }]
  }
  const scalars = scalarsOf(operandOf(field), valuesOf)
  return (view) => scalars(view).map(heldOf)
}

function heldOf(scalar: Scalar): Held {
  if (typeof scalar === 'number') return { type: 'double', value: scalar }
  return typeof scalar === 'string' ? { type: 'string', value: scalar } : { type: 'bool', value: scalar }
}

/** A function that returns the numbers among the values, including those in arrays. */
export function compileNumbers(field: FieldExpression): (view: View) => readonly number[] {
  const scalars = scalarsOf(operandOf(field), valuesOf)
  return (view) => scalars(view).filter((scalar) => typeof scalar === 'number' && !Number.isNaN(scalar)) as number[]
}

/** Equal values have equal keys: 5 and 5.0 are one group, 5 and "5" are two. */
export function keyOf(values: readonly Held[]): string {
  return JSON.stringify(values.map(partOf))
}

function partOf(held: Held): unknown {
  switch (held.type) {
    case 'int':
      return ['number', String(held.value)]
    case 'double':
      return ['number', Number.isInteger(held.value) ? String(BigInt(held.value)) : String(held.value)]
    case 'status':
    case 'kind':
      return [held.type, held.value]
    default:
      return toAnyValueJson(held)
  }
}
