/** Condition on one span -> predicate of model/query.ts, which means the same in every store and in the evaluator. */
import { InputError } from '../../base/errors.ts'
import { childrenOf } from '../../model/query-limits.ts'
import {
  and,
  arithmetic,
  attribute,
  bool,
  compare,
  everything,
  float,
  int,
  intrinsic,
  nil,
  not,
  nothing,
  or,
  text,
  type ArithmeticOperator,
  type Operand,
  type Predicate,
  type TypedValue,
} from '../../model/query.ts'
import { intMax } from './number-text.ts'
import type { AttributeName, Binary, FieldExpression, IntrinsicField, OrderOperator } from './syntax.ts'

const comparisons: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', '=~', '!~'])
type ComparisonOperator = OrderOperator | '=~' | '!~'

/**
 * The maximum number of conditions in one predicate. Stores accept fewer. A comparison of conditions needs each
 * condition twice; this bounds the result.
 */
const conditionsMax = 1_000

/** Only for a condition that passed `check`. Throws `InputError` `too_large`. */
export function predicateOf(field: FieldExpression): Predicate {
  switch (field.kind) {
    case 'attribute':
      return compare(operandOf(field), '=', bool(true))
    case 'literal':
      return field.value.type === 'bool' && field.value.value ? everything : nothing
    case 'intrinsic':
      return nothing
    case 'unary':
      return field.operator === '!' ? negated(predicateOf(field.operand)) : nothing
    case 'binary':
      if (field.operator === '&&') return allOf(predicateOf(field.left), predicateOf(field.right))
      if (field.operator === '||') return anyOf(predicateOf(field.left), predicateOf(field.right))
      return isComparison(field) ? comparisonOf(field) : nothing
  }
}

type ComparisonExpression = Binary & { readonly operator: ComparisonOperator }

function isComparison(field: Binary): field is ComparisonExpression {
  return comparisons.has(field.operator)
}

function comparisonOf(field: ComparisonExpression): Predicate {
  const { operator, left, right } = field
  // `.a = true` has the rules of attributes and values; `.a = (.b = 1)` is about two conditions.
  const isPlain = (side: FieldExpression): boolean => side.kind === 'literal' || !isCondition(side)
  if (!isPlain(left) || !isPlain(right) || (isCondition(left) && isCondition(right))) return agreement(field)
  if (operator === '=~' || operator === '!~') return compare(operandOf(left), operator, operandOf(right))
  return rootCondition(field) ?? compare(operandBeside(left, right), operator, operandBeside(right, left))
}

/** Whether its form shows that it is true or false. An attribute may be a boolean, but its form does not show it. */
export function isCondition(field: FieldExpression): boolean {
  if (field.kind === 'literal') return field.value.type === 'bool'
  if (field.kind === 'unary') return field.operator === '!'
  return field.kind === 'binary' && (isComparison(field) || field.operator === '&&' || field.operator === '||')
}

/** Both true or both false; for `!=` one of each. An attribute without a value is neither. */
function agreement({ operator, left, right }: ComparisonExpression): Predicate {
  const [a, b] = [truthsOf(left), truthsOf(right)]
  const agree = anyOf(allOf(a.isTrue, b.isTrue), allOf(a.isFalse, b.isFalse))
  const differ = anyOf(allOf(a.isTrue, b.isFalse), allOf(a.isFalse, b.isTrue))
  const predicate = operator === '=' ? agree : differ
  assertSmall(predicate)
  return predicate
}

function truthsOf(field: FieldExpression): { readonly isTrue: Predicate; readonly isFalse: Predicate } {
  const isTrue = predicateOf(field)
  if (field.kind === 'attribute') return { isTrue, isFalse: compare(operandOf(field), '=', bool(false)) }
  return { isTrue, isFalse: negated(isTrue) }
}

function assertSmall(predicate: Predicate): void {
  const waiting: (Predicate | Operand)[] = [predicate]
  let conditions = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'compare' && ++conditions > conditionsMax) {
      throw new InputError('too_large', `cannot compare these conditions: they become more than ${conditionsMax}`)
    }
    waiting.push(...childrenOf(next))
  }
}

/**
 * Grafana finds roots with `nestedSetParent < 0` and the like, and a person may write `parent = nil`. Both need only
 * the parent's id, which a store knows.
 */
function rootCondition({ operator, left, right }: ComparisonExpression): Predicate | undefined {
  if (isIntrinsic(left, 'parent') || isIntrinsic(right, 'parent')) {
    return compare(intrinsic('parentId'), operator, nil)
  }
  if (!isIntrinsic(left, 'nestedSetParent') || right.kind !== 'literal' || right.value.type !== 'int') return undefined
  const asked = `${operator} ${right.value.value}`
  if (['< 0', '<= -1', '= -1'].includes(asked)) return compare(intrinsic('parentId'), '=', nil)
  return ['>= 0', '> -1', '!= -1'].includes(asked) ? compare(intrinsic('parentId'), '!=', nil) : undefined
}

function isIntrinsic(field: FieldExpression, name: IntrinsicField['name']): field is IntrinsicField {
  return field.kind === 'intrinsic' && field.name === name
}

/** The number of hex digits of each id. */
const idDigits: Readonly<Record<string, number>> = {
  traceId: 32,
  linkTraceId: 32,
  spanId: 16,
  parentId: 16,
  linkSpanId: 16,
}

/** An id may be written in capitals and without leading zeros. */
function operandBeside(field: FieldExpression, other: FieldExpression): Operand {
  const operand = operandOf(field)
  const digits = other.kind === 'intrinsic' ? idDigits[other.name] : undefined
  if (digits === undefined || operand.kind !== 'value' || operand.type !== 'string') return operand
  const isId = /^[0-9a-fA-F]+$/.test(operand.value) && operand.value.length <= digits
  return isId ? text(operand.value.toLowerCase().padStart(digits, '0')) : operand
}

export function fieldOf(name: AttributeName | IntrinsicField): Extract<Operand, { kind: 'attribute' | 'intrinsic' }> {
  if (name.kind === 'attribute') return attribute(name.scope, name.key)
  // `parent` is only compared with nil.
  return intrinsic(name.name === 'parent' ? 'parentId' : name.name)
}

/** A value of a span. Arithmetic that has only literals is computed here. */
export function operandOf(field: FieldExpression): Operand {
  switch (field.kind) {
    case 'literal':
      return field.value
    case 'attribute':
    case 'intrinsic':
      return fieldOf(field)
    case 'unary':
      return computed('*', int(-1n), operandOf(field.operand))
    case 'binary':
      return computed(field.operator as ArithmeticOperator, operandOf(field.left), operandOf(field.right))
  }
}

function computed(operator: ArithmeticOperator, left: Operand, right: Operand): Operand {
  const constant = left.kind === 'value' && right.kind === 'value' ? constantOf(operator, left, right) : undefined
  return constant ?? { kind: 'arithmetic', operator, left, right }
}

type NumberValue = Extract<TypedValue, { type: 'int' | 'float' | 'duration' }>

function isNumber(value: Operand): value is NumberValue {
  return value.kind === 'value' && (value.type === 'int' || value.type === 'float' || value.type === 'duration')
}

/** Whole numbers stay exact while they fit 64 bits; everything else is computed in doubles, as on spans. */
function constantOf(operator: ArithmeticOperator, left: Operand, right: Operand): TypedValue | undefined {
  if (!isNumber(left) || !isNumber(right)) return undefined
  if (typeof left.value === 'bigint' && typeof right.value === 'bigint') {
    const exact = exactly(operator, left.value, right.value)
    if (exact !== undefined && exact <= intMax && exact >= -intMax - 1n) return int(exact)
  }
  return float(arithmetic[operator](Number(left.value), Number(right.value)))
}

function exactly(operator: ArithmeticOperator, a: bigint, b: bigint): bigint | undefined {
  if (operator === '+') return a + b
  if (operator === '-') return a - b
  return operator === '*' ? a * b : undefined
}

function isEverything(predicate: Predicate): boolean {
  return predicate.kind === 'and' && predicate.of.length === 0
}

function isNothing(predicate: Predicate): boolean {
  return predicate.kind === 'or' && predicate.of.length === 0
}

export function allOf(...of: readonly Predicate[]): Predicate {
  return of.some(isNothing) ? nothing : and(...of)
}

export function anyOf(...of: readonly Predicate[]): Predicate {
  return of.some(isEverything) ? everything : or(...of)
}

export function negated(of: Predicate): Predicate {
  if (isEverything(of)) return nothing
  return isNothing(of) ? everything : not(of)
}
