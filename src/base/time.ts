/**
 * Points in time as text. Values are nanoseconds since 1970-01-01T00:00:00Z as bigint, within a signed 64-bit integer
 * (1677-09-21 to 2262-04-11).
 */
import { parseDuration } from './duration.ts'

const timeNanosMin = -(1n << 63n)
const timeNanosMax = (1n << 63n) - 1n
const nanosPerMs = 1_000_000n
const nanosPerSecond = 1_000_000_000n

// RFC 3339 §5.6 `date-time`; a space may stand for the T (§5.6, note).
const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))$/
const unixMs = /^\d{1,13}$/
const relative = /^-(.+)$/

/** The current time. Without a monotonic anchor the system only gives milliseconds. */
export function nowNanos(): bigint {
  return BigInt(Date.now()) * nanosPerMs
}

/**
 * Reads RFC 3339 (`2026-11-23T06:25:04.123456789Z`, any offset, at most nanoseconds), Unix milliseconds (`1795415104123`),
 * `now`, or a duration before now (`-1h`, `-2d12h`). `undefined` for anything else, and for times that do not exist or do
 * not fit 64 bits.
 */
export function parseTime(text: string, now: bigint = nowNanos()): bigint | undefined {
  if (text === 'now') return now
  if (unixMs.test(text)) return inRange(BigInt(text) * nanosPerMs)
  const ago = relative.exec(text)
  if (ago !== null) {
    const nanos = parseDuration(ago[1] ?? '')
    return nanos === undefined ? undefined : inRange(now - nanos)
  }
  return parseRfc3339(text)
}

function parseRfc3339(text: string): bigint | undefined {
  const match = rfc3339.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  // 60 is a leap second (RFC 3339 §5.7): it counts as the first second of the next minute, as Unix time does.
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  if (offsetHours > 23 || offsetMinutes > 59) return undefined
  const offsetMs = (match[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * 60_000
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day) // Date.UTC would read years below 100 as 1900 and later
  date.setUTCHours(hour, minute, second)
  const fraction = BigInt((match[7] ?? '').padEnd(9, '0'))
  return inRange(BigInt(date.getTime() - offsetMs) * nanosPerMs + fraction)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function inRange(nanos: bigint): bigint | undefined {
  return nanos >= timeNanosMin && nanos <= timeNanosMax ? nanos : undefined
}

/** RFC 3339 in UTC with nine fraction digits: `2026-11-23T06:25:04.123000000Z`. */
export function printTime(nanos: bigint): string {
  const fraction = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond
  const wholeMs = Number((nanos - fraction) / nanosPerMs)
  return `${new Date(wholeMs).toISOString().slice(0, -5)}.${fraction.toString().padStart(9, '0')}Z`
}
