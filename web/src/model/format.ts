/** Numbers as people read them: durations, counts, shares. Each has its unit and at most three digits. */

const durationUnits = [
  { unit: 'ns', nanos: 1 },
  { unit: 'µs', nanos: 1e3 },
  { unit: 'ms', nanos: 1e6 },
  { unit: 's', nanos: 1e9 },
] as const

/** `812 ns`, `84.1 ms`, `1.84 s`, `2 min 04 s`, `3 h 05 min`, `2 d 04 h`; negative ones get a true minus sign. */
export function printDuration(nanos: number): string {
  if (!Number.isFinite(nanos)) return '-'
  if (nanos < 0) return '−' + printDuration(-nanos)
  if (nanos === 0) return '0 ms'
  for (const { unit, nanos: size } of durationUnits) {
    const text = threeDigits(nanos / size)
    const limit = unit === 's' ? 60 : 1000
    if (Number(text) < limit) return `${unit === 'ns' ? String(Math.round(nanos)) : text} ${unit}`
  }
  return printLongDuration(Math.round(nanos / 1e9))
}

function printLongDuration(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
  const hours = Math.floor(minutes / 60)
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2)
  if (value < 99.95) return value.toFixed(1)
  return value.toFixed(0)
}

/** A signed offset: `+40.0 ms`, `−1.20 s`. */
export function printOffset(nanos: number): string {
  return nanos < 0 ? printDuration(nanos) : '+' + printDuration(nanos)
}

/** Exact to 9,999, then `12.4k`, `3.10M`. */
export function printCount(count: number): string {
  if (count <= 9999) return printTotal(count)
  for (const { unit, size } of [
    { unit: 'k', size: 1e3 },
    { unit: 'M', size: 1e6 },
  ]) {
    const text = threeDigits(count / size)
    if (Number(text) < 1000) return text + unit
  }
  return threeDigits(count / 1e9) + 'G'
}

/** Every digit, grouped by commas: `12,431`. */
export function printTotal(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `3.1 %`, `44 %`, `< 0.1 %`, `0 %`; `-` when the whole is 0. */
export function printShare(part: number, whole: number): string {
  if (!(whole > 0)) return '-'
  const percent = (part / whole) * 100
  if (percent === 0) return '0 %'
  if (percent < 0.1) return '< 0.1 %'
  return percent < 9.95 ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`
}

/** `1 span`, `12,431 traces`. */
export function printPlural(count: number, one: string, many: string = one + 's'): string {
  return `${printTotal(count)} ${count === 1 ? one : many}`
}

/** Like `printPlural`, with the count shortened: `1 span`, `12.4k spans`. */
export function printCountOf(count: number, one: string): string {
  return `${printCount(count)} ${one}${count === 1 ? '' : 's'}`
}

const inputUnits: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  min: 60e9,
  h: 3600e9,
}

/** Nanoseconds of `500ms`, `1.5 s`, `2m`; a bare number is milliseconds; `undefined` when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-zµ]*)$/.exec(text.trim())
  const unit = inputUnits[match?.[2] || 'ms']
  return match && unit !== undefined ? Number(match[1]) * unit : undefined
}
