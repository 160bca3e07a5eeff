/** Conditions on intrinsics -> SQL. */
import { namesOf, type PositiveOperator } from '../../../model/evaluate/held-value.ts'
import { numberIn } from '../../../model/evaluate/spelling.ts'
import type { Intrinsic, Value } from '../../../model/query.ts'
import type { Conditions } from './conditions.ts'
import { anchored, numberSql } from './raw-value.ts'
import type { CompiledTable, IntrinsicSql } from './table.ts'

/** Met when any value of the intrinsic meets the operator. */
export function intrinsicMeets(
  field: Intrinsic,
  operator: PositiveOperator,
  value: Value,
  { table, conditions }: { readonly table: CompiledTable; readonly conditions: Conditions },
): string {
  const intrinsic = table.intrinsics[field.name]
  if (intrinsic === undefined) return '0'
  const test = comparison(intrinsic, operator, value, conditions)
  if (test === undefined) return '0'
  if (intrinsic.isList === true) return `arrayExists(one -> ${test('one')}, ${intrinsic.sql})`
  const sql = test(intrinsic.sql)
  if (intrinsic.ofTrace === true) return `trace_id IN (SELECT trace_id FROM traces GROUP BY trace_id HAVING ${sql})`
  return intrinsic.exists === undefined ? sql : `(${intrinsic.exists} AND ${sql})`
}

export function intrinsicExists(field: Intrinsic, { table }: { readonly table: CompiledTable }): string {
  const intrinsic = table.intrinsics[field.name]
  return intrinsic === undefined ? '0' : (intrinsic.exists ?? '1')
}

type Test = (sql: string) => string

function comparison(
  intrinsic: IntrinsicSql,
  operator: PositiveOperator,
  value: Value,
  conditions: Conditions,
): Test | undefined {
  switch (intrinsic.type) {
    case 'text':
      return textComparison(operator, value, conditions)
    case 'id':
      return idComparison(intrinsic.bytes!, operator, value, conditions)
    case 'number':
    case 'time':
      return numberComparison(intrinsic, operator, value, conditions)
    default:
      return nameComparison(intrinsic.type, operator, value)
  }
}

function textComparison(operator: PositiveOperator, value: Value, conditions: Conditions): Test | undefined {
  if (value.type !== 'string' && !(value.type === 'spelled' && operator === '=')) return undefined
  if (operator === '=~') {
    const pattern = conditions.bind(anchored(value.value), 'String')
    return (sql) => `match(${sql}, ${pattern})`
  }
  const asked = conditions.bind(value.value, 'String')
  return (sql) => `${sql} ${operator} ${asked}`
}

/** An id as the engine keeps it, so that its index is used; anything else is compared as text. */
function idComparison(
  bytes: 8 | 16,
  operator: PositiveOperator,
  value: Value,
  conditions: Conditions,
): Test | undefined {
  const isId = (value.type === 'string' || value.type === 'spelled') && /^[0-9a-f]+$/.test(value.value)
  if (operator === '=' && isId && value.value.length === bytes * 2) {
    const asked = conditions.bind(value.value, `FixedString(${bytes})`)
    return (sql) => `${sql} = ${asked}`
  }
  const test = textComparison(operator, value, conditions)
  return test === undefined ? undefined : (sql) => test(`lower(hex(${sql}))`)
}

function numberComparison(
  { type }: IntrinsicSql,
  operator: PositiveOperator,
  value: Value,
  conditions: Conditions,
): Test | undefined {
  const number =
    value.type === 'int' || value.type === 'duration' || value.type === 'float'
      ? value.value
      : value.type === 'spelled' && operator === '='
        ? numberIn(value.value)
        : undefined
  if (number === undefined || operator === '=~' || Number.isNaN(number)) return undefined
  if (type === 'time' && typeof number === 'bigint') {
    const asked = conditions.bind(number, 'DateTime64(9)')
    return (sql) => `${sql} ${operator} ${asked}`
  }
  const asked = numberSql(number, conditions)
  return (sql) => `${type === 'time' ? `toUnixTimestamp64Nano(${sql})` : sql} ${operator} ${asked}`
}

function nameComparison(type: 'status' | 'kind', operator: PositiveOperator, value: Value): Test | undefined {
  if (operator !== '=') return undefined
  const code = value.type === type ? value.value : value.type === 'spelled' ? namesOf(type).indexOf(value.value) : -1
  return Number.isInteger(code) && code >= 0 && code <= 255 ? (sql) => `${sql} = ${code}` : undefined
}
