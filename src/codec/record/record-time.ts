/**
 * Points in time as records write them. Numbers are seconds, milliseconds, microseconds or nanoseconds since the epoch,
 * distinguished by their size. Each range ends where the finer one begins, so times of 1973 … 5138 are read correctly:
 *   1e8 … 1e11 s    1e11 … 1e14 ms    1e14 … 1e17 µs    1e17 … 9.2e18 ns
 * Smaller numbers are not times. Text is RFC 3339, or the same without a zone, which means this machine's, as syslog
 * and most loggers write it; `,` may stand for the point (Python).
 */
import { parseTime } from '../../base/time.ts'
import type { Attribute, AttributeValue } from '../../model/attributes.ts'

const units: readonly { readonly below: number; readonly nanos: bigint }[] = [
  { below: 1e11, nanos: 1_000_000_000n },
  { below: 1e14, nanos: 1_000_000n },
  { below: 1e17, nanos: 1_000n },
  { below: 9.2e18, nanos: 1n },
]

/** Nanoseconds since the epoch, or `undefined` when the number is too small or large to be a time. */
export function nanosOfInteger(value: bigint): bigint | undefined {
  if (value < 100_000_000n) return undefined
  const unit = units.find(({ below }) => value < BigInt(below))
  return unit === undefined ? undefined : value * unit.nanos
}

/** As `nanosOfInteger`, with a double's fraction: precise to about a quarter of a microsecond for seconds. */
export function nanosOfNumber(value: number): bigint | undefined {
  if (!(value >= 1e8 && value < 9.2e18)) return undefined
  if (Number.isInteger(value)) return nanosOfInteger(BigInt(value))
  // 1e6 keeps seconds of this century within 2^53; finer units lose nothing that the double had.
  if (value < 1e11) return BigInt(Math.round(value * 1e6)) * 1000n
  if (value < 1e14) return BigInt(Math.round(value * 1e3)) * 1000n
  return nanosOfInteger(BigInt(Math.round(value)))
}

const zoneless = /^(\d{4})[-/](\d\d)[-/](\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?$/
const withZone = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))?\s?([Zz]|UTC|[+-]\d\d(?::?\d\d)?)$/

export function nanosOfText(text: string): bigint | undefined {
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) return trimmed.length > 19 ? undefined : nanosOfInteger(BigInt(trimmed))
  if (/^\d+\.\d+$/.test(trimmed)) return nanosOfDecimal(trimmed)
  const zoned = withZone.exec(trimmed)
  if (zoned !== null) return parseTime(zoned[1]! + (zoned[2] === undefined ? '' : `.${zoned[2]}`) + zone(zoned[3]!))
  const local = zoneless.exec(trimmed)
  if (local === null) return undefined
  return nanosOfLocal(local.slice(1, 7).map(Number) as LocalParts, local[7] ?? '')
}

/** Year, month (1-12), day, hour, minute, second. */
export type LocalParts = [number, number, number, number, number, number]

/** A time on this machine's clock; `undefined` when there is no such date. `fraction` is its decimal digits. */
export function nanosOfLocal(parts: LocalParts, fraction: string): bigint | undefined {
  const [year, month, day, hour, minute, second] = parts
  const date = new Date(year, month - 1, day, hour, minute, second)
  const same = date.getFullYear() === year && date.getMonth() === month - 1 && date.getDate() === day
  if (!same || hour > 23 || minute > 59 || second > 60) return undefined
  return BigInt(date.getTime()) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

/** Exact, unlike a conversion through a double: `1795415104.123456789`. */
function nanosOfDecimal(text: string): bigint | undefined {
  const [whole, fraction] = text.split('.') as [string, string]
  if (whole.length !== 9 && whole.length !== 10) return whole.length > 19 ? undefined : nanosOfNumber(Number(text))
  const seconds = nanosOfInteger(BigInt(whole))
  return seconds === undefined ? undefined : seconds + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

function zone(text: string): string {
  if (/^(z|utc)$/i.test(text)) return 'Z'
  const digits = text.slice(1).replace(':', '').padEnd(4, '0')
  return `${text[0]}${digits.slice(0, 2)}:${digits.slice(2)}`
}

/** Log4j's `instant`: { epochSecond, nanoOfSecond }. */
export function instantOf(parts: readonly Attribute[]): AttributeValue | undefined {
  const part = (name: string): bigint | undefined => {
    const value = parts.find(({ key }) => key === name)?.value
    return value?.type === 'int' ? value.value : undefined
  }
  const [seconds, nanos] = [part('epochSecond'), part('nanoOfSecond')]
  if (seconds === undefined || nanos === undefined || seconds < 100_000_000n || seconds > 9_000_000_000n)
    return undefined
  return { type: 'int', value: seconds * 1_000_000_000n + nanos }
}
