/**
 * Reads and prints numbers and durations as TraceQL writes them.
 *
 *     number   = digits | [ digits ] "." digits | number "e" [ "+" | "-" ] digits
 *     duration = part { part }        part = ( digits | [ digits ] "." digits ) unit
 *     unit     = "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" | "d" | "w" | "y"       w is 7 days, y is 365 days
 */
import { printDurationExact } from '../../base/duration.ts'
import { duration, float, int } from '../../model/query.ts'
import type { LiteralValue } from './syntax.ts'

const daySeconds = 86_400n
const nanosPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter that keyboards give
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: daySeconds * 1_000_000_000n,
  w: 7n * daySeconds * 1_000_000_000n,
  y: 365n * daySeconds * 1_000_000_000n,
}

/** The maximum length of one number: bounds the work on hostile input. */
const charsMax = 64
export const intMax = (1n << 63n) - 1n

const number = /^(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/
const durations = /^(?:(?:\d+(?:\.\d+)?|\.\d+)[a-zµμ]+)+$/
const durationPart = /(\d{0,64})(?:\.(\d{1,64}))?([a-zµμ]{1,64})/g

export interface NumberText {
  /** The number of characters that belong to it. */
  readonly chars: number
  /** Without a sign. An int may exceed 64 bits. Any number when there is a problem. */
  readonly value: LiteralValue
  readonly problem?: string
}

/** Reads the number at a position that has a digit, or a dot and a digit. */
export function readNumber(text: string, start: number): NumberText {
  const whole = /(?:\d+\.?\d*|\.\d+)[eE][+-]\d+(?![\w.µμ])|[\w.µμ]+/y
  whole.lastIndex = start
  const run = whole.exec(text)![0]
  const chars = run.length
  if (chars > charsMax) return { chars, value: int(0n), problem: `a number has at most ${charsMax} characters` }
  if (/^\d+$/.test(run)) return { chars, value: int(BigInt(run)) }
  if (number.test(run)) {
    const value = Number(run)
    return { chars, value: float(value), ...(Number.isFinite(value) ? {} : { problem: 'the number is too large' }) }
  }
  return { chars, ...durationOf(run) }
}

function durationOf(run: string): { value: LiteralValue; problem?: string } {
  const units = 'a duration is a number with a unit, such as `1.5s` or `1d2h`; units are ns, us, ms, s, m, h, d, w, y'
  if (!durations.test(run)) return { value: int(0n), problem: `cannot read the number \`${run}\`: ${units}` }
  let total = 0n
  for (const [, digits = '', fraction = '', unit = ''] of run.matchAll(durationPart)) {
    const nanos = nanosPerUnit[unit]
    if (nanos === undefined) return { value: int(0n), problem: `\`${unit}\` is not a unit: ${units}` }
    total += BigInt(digits === '' ? '0' : digits) * nanos
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length)
  }
  if (total > intMax) return { value: duration(0n), problem: 'a duration is at most 292 years' }
  return { value: duration(total) }
}

/** Text that `readNumber` reads back to the same value, with a sign when it is negative. */
export function printNumber(value: Extract<LiteralValue, { type: 'int' | 'float' | 'duration' }>): string {
  if (value.type === 'int') return value.value.toString()
  if (value.type === 'duration') return printDurationExact(value.value)
  if (Object.is(value.value, -0)) return '-0.0'
  const text = String(value.value)
  return /[.e]/.test(text) ? text : text + '.0'
}
