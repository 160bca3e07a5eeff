/**
 * Points in time. The exact value is a bigint of nanoseconds since the epoch, parsed once where data comes in. Inside a
 * trace, times are Float64 offsets from its start (exact up to 2^53 ns = 104 days). Every printed time names its zone.
 */
export type Zone = 'local' | 'utc'

/** Nanoseconds of OTLP JSON's fixed64: text, or (allowed on input) a number; 0 for anything else. */
export function parseUnixNano(value: unknown): bigint {
  if (typeof value === 'string') return /^\d{1,20}$/.test(value) ? BigInt(value) : 0n
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? BigInt(Math.round(value)) : 0n
}

/** Nanoseconds of an RFC 3339 time with up to nine decimals, UTC or with an offset; `undefined` when it is not one. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (!match) return undefined
  const seconds = Date.parse(match[1]! + match[3]!)
  if (Number.isNaN(seconds)) return undefined
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
}

export function printRfc3339(ms: number): string {
  return new Date(ms).toISOString()
}

export function millisOf(nanos: bigint): number {
  return Number(nanos / 1_000_000n)
}

interface Fields {
  readonly date: string
  readonly time: string
}

function fieldsOf(ms: number, zone: Zone): Fields {
  const shifted = new Date(ms + offsetMinutes(ms, zone) * 60_000).toISOString()
  return { date: shifted.slice(0, 10), time: shifted.slice(11, 23) }
}

/** Minutes east of UTC at that moment. */
export function offsetMinutes(ms: number, zone: Zone): number {
  return zone === 'utc' ? 0 : -new Date(ms).getTimezoneOffset()
}

/** `UTC`, `UTC+01`, `UTC-03:30`: the zone's offset at that moment. */
export function printZone(ms: number, zone: Zone): string {
  const minutes = offsetMinutes(ms, zone)
  if (minutes === 0) return 'UTC'
  const size = Math.abs(minutes)
  const rest = size % 60 === 0 ? '' : ':' + String(size % 60).padStart(2, '0')
  return `UTC${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}${rest}`
}

/** `2026-11-23 06:25:04.123 UTC+01`. */
export function printTime(ms: number, zone: Zone): string {
  const { date, time } = fieldsOf(ms, zone)
  return `${date} ${time} ${printZone(ms, zone)}`
}

/** `2026-11-23 06:25:04.123456789 UTC+01`, not rounded. */
export function printExactTime(nanos: bigint, zone: Zone): string {
  const ms = millisOf(nanos)
  const { date, time } = fieldsOf(ms, zone)
  const rest = String(nanos % 1_000_000n).padStart(6, '0')
  return `${date} ${time}${rest} ${printZone(ms, zone)}`
}

/** `06:25:04.123` on the day of `nowMs`, else `11-22 06:25:04.123`; for columns whose header names the zone. */
export function printClock(ms: number, nowMs: number, zone: Zone): string {
  const { date, time } = fieldsOf(ms, zone)
  return date === fieldsOf(nowMs, zone).date ? time : `${date.slice(5)} ${time}`
}

/** For axes: only as much as distinguishes two ticks `stepMs` apart. */
export function printTick(ms: number, stepMs: number, zone: Zone): string {
  const { date, time } = fieldsOf(ms, zone)
  if (stepMs >= 86_400_000) return date.slice(5)
  if (stepMs >= 60_000) return time.startsWith('00:00') ? date.slice(5) : time.slice(0, 5)
  return stepMs >= 1000 ? time.slice(0, 8) : time
}

/** `just now`, `3 min ago`, `2 h ago`, `5 d ago`. */
export function printAgo(ms: number, nowMs: number): string {
  const seconds = Math.round((nowMs - ms) / 1000)
  if (seconds < 10) return 'just now'
  if (seconds < 100) return `${seconds} s ago`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`
}

/** A range in the URL: `from=-1h` counts back from now, `from=2026-…Z&to=2026-…Z` is fixed. */
export interface Range {
  readonly from: string
  readonly to: string
}

export const rangePresets = [
  { from: '-5m', label: 'Last 5 min' },
  { from: '-15m', label: 'Last 15 min' },
  { from: '-1h', label: 'Last 1 h' },
  { from: '-6h', label: 'Last 6 h' },
  { from: '-24h', label: 'Last 24 h' },
  { from: '-7d', label: 'Last 7 d' },
  { from: '-30d', label: 'Last 30 d' },
] as const
export const defaultFrom = '-1h'

const backUnits: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 }

/** Milliseconds `[from, to)`; an invalid range becomes the last hour. */
export function resolveRange(range: Range, nowMs: number): { fromMs: number; toMs: number } {
  const toMs = resolveEnd(range.to, nowMs) ?? nowMs
  const fromMs = resolveEnd(range.from, toMs) ?? toMs - backUnits['h']!
  return fromMs < toMs ? { fromMs, toMs } : { fromMs: toMs - 1000, toMs }
}

function resolveEnd(text: string, nowMs: number): number | undefined {
  const back = /^-(\d+)([smhd])$/.exec(text)
  if (back) return nowMs - Number(back[1]) * backUnits[back[2]!]!
  const ms = /^\d{10,}$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

/** What is wrong with a range; `undefined` when it is valid. */
export function rangeProblem({ from, to }: Range): string | undefined {
  const [a, b] = [resolveEnd(from, 0), to === '' ? Infinity : resolveEnd(to, 0)]
  if (a === undefined) return `from=${from} is not a time, such as -1h or 2026-11-23T06:25:04Z`
  if (b === undefined) return `to=${to} is not a time, such as 2026-11-23T06:25:04Z`
  return !from.startsWith('-') && a >= b ? `from=${from} is not before to=${to}` : undefined
}

/** `Last 1 h`, or both ends in the zone. */
export function printRange(range: Range, nowMs: number, zone: Zone): string {
  const preset = rangePresets.find(({ from }) => from === range.from && range.to === '')
  if (preset) return preset.label
  if (range.to === '' && range.from.startsWith('-')) return `Last ${range.from.slice(1, -1)} ${range.from.slice(-1)}`
  const { fromMs, toMs } = resolveRange(range, nowMs)
  const [a, b] = [fieldsOf(fromMs, zone), fieldsOf(toMs, zone)]
  const short = (fields: Fields): string => (fields.time.endsWith('.000') ? fields.time.slice(0, 8) : fields.time)
  return `${a.date} ${short(a)} – ${a.date === b.date ? '' : b.date + ' '}${short(b)}`
}

/**
 * Milliseconds of `2026-11-23 06:25:04` (seconds and decimals optional) in that zone; `undefined` when it is not a
 * time.
 */
export function parseTimeInput(text: string, zone: Zone): number | undefined {
  const match = /^\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)\s*$/.exec(text)
  if (!match) {
    const ms = Date.parse(text)
    return /[Zz]|[+-]\d\d:\d\d$/.test(text) && !Number.isNaN(ms) ? ms : undefined
  }
  const ms = Date.parse(`${match[1]}T${match[2]}${zone === 'utc' ? 'Z' : ''}`)
  return Number.isNaN(ms) ? undefined : ms
}

/** Prints a time in the form that `parseTimeInput` reads. */
export function printTimeInput(ms: number, zone: Zone): string {
  const { date, time } = fieldsOf(ms, zone)
  return `${date} ${time.endsWith('.000') ? time.slice(0, 8) : time}`
}
