/** Numbers for people: three digits with a unit, times with their zone. Programs use `--json`. */

const secondNanos = 1e9
const minuteNanos = 60 * secondNanos

/** Three digits and a unit, `84.1 ms`, `1.84 s`, then `2 min 04 s`. From nanoseconds. */
export function showDuration(nanos: number): string {
  if (nanos < 0) return '-' + showDuration(-nanos)
  if (nanos < 999.5) return `${Math.round(nanos)} ns`
  if (nanos < 999.5e3) return `${threeDigits(nanos / 1e3)} µs`
  if (nanos < 999.5e6) return `${threeDigits(nanos / 1e6)} ms`
  if (nanos < 59.95 * secondNanos) return `${threeDigits(nanos / secondNanos)} s`
  const seconds = Math.round(nanos / secondNanos)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  const minutes = Math.round(nanos / minuteNanos)
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
}

/** `1.84`, `84.1`, `812`. */
function threeDigits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)
}

/** Exact, with thousands separated: `12,431`. */
export function showCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** `3.1 %`, `< 0.1 %`, `-` when the whole is 0. */
export function showShare(part: number, whole: number): string {
  if (whole === 0) return '-'
  const percent = (100 * part) / whole
  if (percent === 0) return '0 %'
  return percent < 0.1 ? '< 0.1 %' : `${percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`
}

/** `2026-11-23 06:25:04.123` in the local zone, which `zoneName` names. From any RFC 3339 text; `-` for none. */
export function showTime(time: string | null): string {
  if (time === null || time === '') return '-'
  const date = new Date(time)
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** `UTC`, `UTC+01`, `UTC-03:30`: the local zone at that time. */
export function zoneName(time: string | null = null): string {
  const offset = -(time === null ? new Date() : new Date(time)).getTimezoneOffset()
  if (offset === 0) return 'UTC'
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
  return `UTC${offset < 0 ? '-' : '+'}${pad(hours)}${minutes === 0 ? '' : ':' + pad(minutes)}`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
