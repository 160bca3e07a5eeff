/**
 * Durations as text: `500ms`, `1.5s`, `2m`, `1h30m`. The same grammar serves options, API parameters and the command line:
 *
 *     duration = "0" | part { part }
 *     part     = digits [ "." digits ] unit
 *     unit     = "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" | "d"
 *
 * Values are nanoseconds as bigint, never negative and at most 2^63-1 (292 years).
 */

const nanosPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter that keyboards give
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
}

const durationNanosMax = (1n << 63n) - 1n
const wholePattern = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h|d))+$/
const partPattern = /(\d+)(?:\.(\d+))?(ns|us|µs|μs|ms|s|m|h|d)/g

/** Longer texts are refused: bounds the work on hostile input. */
const textCharsMax = 64

/** Nanoseconds, or `undefined` when the text is not a duration. Fractions below one nanosecond are cut. */
export function parseDuration(text: string): bigint | undefined {
  if (text === '0') return 0n
  if (text.length > textCharsMax || !wholePattern.test(text)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(partPattern)) {
    const nanos = nanosPerUnit[unit] ?? 0n
    total += BigInt(whole) * nanos
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length)
  }
  return total <= durationNanosMax ? total : undefined
}

/**
 * The shortest text that `parseDuration` reads back to the same nanoseconds, such as `84.123456ms`, `1.5s`, `2m`.
 * Minutes and above are used only when whole, as they have no exact decimal fraction. A negative value (skewed clocks)
 * gets a leading `-`, which `parseDuration` refuses.
 */
export function printDurationExact(nanos: bigint): string {
  if (nanos < 0n) return '-' + printDurationExact(-nanos)
  if (nanos === 0n) return '0s'
  for (const unit of ['d', 'h', 'm'] as const) {
    if (nanos % nanosPerUnit[unit]! === 0n) return `${nanos / nanosPerUnit[unit]!}${unit}`
  }
  if (nanos >= 1_000_000_000n) return decimal(nanos, 9) + 's'
  if (nanos >= 1_000_000n) return decimal(nanos, 6) + 'ms'
  if (nanos >= 1_000n) return decimal(nanos, 3) + 'us'
  return `${nanos}ns`
}

/** `nanos / 10^places` without rounding and without trailing zeros. */
function decimal(nanos: bigint, places: number): string {
  const scale = 10n ** BigInt(places)
  const fraction = (nanos % scale)
    .toString()
    .padStart(places, '0')
    .replace(/(?<!0)0+$/, '')
  return fraction === '' ? `${nanos / scale}` : `${nanos / scale}.${fraction}`
}
