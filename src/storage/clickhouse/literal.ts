/**
 * Values -> ClickHouse literals, for the embedded engine: its own binding of parameters is serialised over the whole
 * process (one slow search would hold up all others), so placeholders are replaced here, in the one place that may.
 * The grammar of a placeholder is the server's: `{name:Type}` (clickhouse.com/docs, "Queries with parameters").
 */
import { assert } from '../../base/errors.ts'
import type { QueryParameter } from './engine.ts'

const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*):([A-Za-z0-9_(), ']+)\}/g

/** Every placeholder must have a value; text outside placeholders is left as it is. */
export function bindParameters(sql: string, parameters: Readonly<Record<string, QueryParameter>>): string {
  return sql.replaceAll(placeholder, (_match, name: string, type: string) => {
    const value = parameters[name]
    assert(value !== undefined, `query parameter ${name} has no value`)
    return printLiteral(value, type)
  })
}

function printLiteral(value: QueryParameter, type: string): string {
  if (Array.isArray(value)) return `[${value.map((item: string) => printText(item)).join(',')}]`
  switch (type) {
    case 'String':
      return printText(String(value as string))
    case 'FixedString(16)':
    case 'FixedString(8)':
      return printId(String(value as string), type)
    case 'Float64':
      return printFloat(Number(value))
    default:
      return printInteger(value as string | number | bigint, type)
  }
}

/** Quote and backslash are the only characters with a meaning inside quotes; NUL is spelled out for the C boundary. */
export function printText(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
}

/** Ids travel as hex text. */
function printId(hex: string, type: string): string {
  const length = type === 'FixedString(16)' ? 32 : 16
  assert(hex.length === length && /^[0-9a-f]+$/.test(hex), `${hex} is not an id of ${length} hex digits`)
  return `toFixedString(unhex('${hex}'), ${length / 2})`
}

function printFloat(value: number): string {
  assert(Number.isFinite(value), 'a float parameter must be finite')
  return Object.is(value, -0) ? '-0.0' : `toFloat64('${value}')`
}

function printInteger(value: string | number | bigint, type: string): string {
  const text = String(value)
  assert(/^-?\d{1,20}$/.test(text), `${text} is not an integer`)
  assert(/^U?Int(8|16|32|64)$/.test(type) || type === 'DateTime64(9)', `type ${type} cannot be bound`)
  // Nanoseconds since the epoch compare with DateTime64(9) only after this.
  return type === 'DateTime64(9)' ? `fromUnixTimestamp64Nano(toInt64(${text}))` : `to${type}(${text})`
}
