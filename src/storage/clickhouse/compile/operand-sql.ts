/** Comparisons other than of a field with a value -> SQL: each side becomes arrays of its numbers, texts and booleans. */
import {
  isField,
  type Arithmetic,
  type Comparison,
  type Field,
  type Intrinsic,
  type Operand,
  type Value,
} from '../../../model/query.ts'
import { attributeValues } from './attribute-sql.ts'
import type { PlaceContext } from './attribute-places.ts'
import { either } from './conditions.ts'
import { anchored, boolTest, doubleOf, intOf, numberSql, textOf } from './raw-value.ts'

type ScalarType = 'number' | 'text' | 'bool'

const types: readonly ScalarType[] = ['number', 'text', 'bool']
const emptyArrays: Readonly<Record<ScalarType, string>> = {
  number: 'CAST([] AS Array(Float64))',
  text: 'CAST([] AS Array(String))',
  bool: 'CAST([] AS Array(UInt8))',
}

export function operandComparison({ left, operator, right }: Comparison, context: PlaceContext): string {
  const isNegative = operator === '!=' || operator === '!~'
  const positive = isNegative ? (operator === '!=' ? '=' : '=~') : operator
  const meets = either(
    types.map((type) => pairExists(type, { kind: 'compare', left, operator: positive, right }, context)),
  )
  if (!isNegative) return meets
  const hasValue = (operand: Operand): string =>
    either(types.map((type) => `notEmpty(${scalars(operand, type, context)})`))
  return `(${hasValue(left)} AND ${hasValue(right)} AND NOT ${meets})`
}

function pairExists(type: ScalarType, { left, operator, right }: Comparison, context: PlaceContext): string {
  if (operator === '=~') return type === 'text' ? patternExists(left, right, context) : '0'
  if (type === 'bool' && operator !== '=') return '0'
  const others = scalars(right, type, context)
  return `arrayExists(a -> arrayExists(b -> a ${operator} b, ${others}), ${scalars(left, type, context)})`
}

function patternExists(left: Operand, right: Operand, context: PlaceContext): string {
  if (right.kind !== 'value' || right.type !== 'string') return '0'
  const pattern = context.conditions.bind(anchored(right.value), 'String')
  return `arrayExists(a -> match(a, ${pattern}), ${scalars(left, 'text', context)})`
}

/** SQL of an array of the values of one type. */
function scalars(operand: Operand, type: ScalarType, context: PlaceContext): string {
  if (operand.kind === 'arithmetic') return type === 'number' ? results(operand, context) : emptyArrays[type]
  return isField(operand) ? fieldScalars(operand, type, context) : constant(operand, type, context)
}

const operations: Readonly<Record<Arithmetic['operator'], (a: string, b: string) => string>> = {
  '+': (a, b) => `${a} + ${b}`,
  '-': (a, b) => `${a} - ${b}`,
  '*': (a, b) => `${a} * ${b}`,
  '/': (a, b) => `${a} / ${b}`,
  '%': (a, b) => `${a} % ${b}`,
  '^': (a, b) => `pow(${a}, ${b})`,
}

function results({ operator, left, right }: Arithmetic, context: PlaceContext): string {
  const [lefts, rights] = [scalars(left, 'number', context), scalars(right, 'number', context)]
  return `arrayFlatten(arrayMap(x -> arrayMap(y -> ${operations[operator]('x', 'y')}, ${rights}), ${lefts}))`
}

function constant(value: Value, type: ScalarType, { conditions }: PlaceContext): string {
  switch (value.type) {
    case 'int':
    case 'duration':
    case 'float':
      return type === 'number' ? `[toFloat64(${numberOrNan(value.value, conditions)})]` : emptyArrays[type]
    case 'string':
      return type === 'text' ? `[${conditions.bind(value.value, 'String')}]` : emptyArrays[type]
    case 'bool':
      return type === 'bool' ? `[toUInt8(${value.value ? 1 : 0})]` : emptyArrays[type]
    default:
      return emptyArrays[type]
  }
}

function numberOrNan(value: bigint | number, conditions: PlaceContext['conditions']): string {
  return Number.isNaN(value) ? 'nan' : numberSql(value, conditions)
}

function fieldScalars(field: Field, type: ScalarType, context: PlaceContext): string {
  if (field.kind === 'intrinsic') return intrinsicScalars(field, type, context)
  const elements = `arrayFlatten(arrayMap(raw -> if(startsWith(raw, '{"arrayValue"'), JSONExtractArrayRaw(raw, 'arrayValue', 'values'), [raw]), ${attributeValues(field, context)}))`
  if (type === 'bool') {
    const isBool = `(${boolTest(true)('part')} OR ${boolTest(false)('part')})`
    return `arrayMap(part -> toUInt8(${boolTest(true)('part')}), arrayFilter(part -> ${isBool}, ${elements}))`
  }
  const value = type === 'text' ? textOf('part') : `coalesce(toFloat64(${intOf('part')}), ${doubleOf('part')})`
  return `arrayMap(part -> assumeNotNull(${value}), arrayFilter(part -> isNotNull(${value}), ${elements}))`
}

function intrinsicScalars(field: Intrinsic, type: ScalarType, { table }: PlaceContext): string {
  const intrinsic = table.intrinsics[field.name]
  if (intrinsic === undefined || intrinsic.ofTrace === true) return emptyArrays[type]
  const isText = intrinsic.type === 'text' || intrinsic.type === 'id'
  const isNumber = intrinsic.type === 'number' || intrinsic.type === 'time'
  if ((type === 'text' && !isText) || (type === 'number' && !isNumber) || type === 'bool') return emptyArrays[type]
  const of = (sql: string): string =>
    type === 'number'
      ? `toFloat64(${intrinsic.type === 'time' ? `toUnixTimestamp64Nano(${sql})` : sql})`
      : intrinsic.type === 'id'
        ? `lower(hex(${sql}))`
        : `toString(${sql})`
  if (intrinsic.isList === true) return `arrayMap(one -> ${of('one')}, ${intrinsic.sql})`
  const one = `[${of(intrinsic.sql)}]`
  return intrinsic.exists === undefined ? one : `if(${intrinsic.exists}, ${one}, ${emptyArrays[type]})`
}
