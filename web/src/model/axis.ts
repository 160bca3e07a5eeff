/** Axis ticks at round steps, with one unit for all labels of an axis. */

export interface Axis {
  readonly step: number
  readonly ticks: readonly number[]
  readonly print: (value: number) => string
}

/**
 * At most `most` ticks inside `[from, to]` (nanoseconds) at round steps, all labelled in the same unit. Labels have as
 * many decimals as the step, so no label is rounded.
 */
export function durationAxis(from: number, to: number, most: number): Axis {
  const largest = Math.max(Math.abs(from), Math.abs(to))
  const { step, unit, size } = chooseStep((to - from) / Math.max(1, most), largest)
  const first = Math.ceil(from / step - 1e-9)
  const ticks: number[] = []
  for (let i = first; i * step <= to + step * 1e-9; i++) ticks.push(i * step)
  const decimals = decimalsOf(step / size)
  return { step, ticks, print: (value) => (value === 0 ? '0' : `${(value / size).toFixed(decimals)} ${unit}`) }
}

interface Step {
  readonly step: number
  readonly unit: string
  readonly size: number
}

const second = 1e9
const minute = 60 * second
const hour = 60 * minute
const longFrom = 600 * second
const hoursFrom = 10 * hour
/** Steps finer than this are labelled in seconds, however far they are from the start. */
const longStepMin = 20 * second
const longSteps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * minute)

/** Steps of 1, 2 and 5 up to seconds, clock steps for minutes and hours, and whole days beyond. */
function chooseStep(raw: number, largest: number): Step {
  if (largest < 1e3) return { step: roundStep(raw), unit: 'ns', size: 1 }
  if (largest < 1e6) return { step: roundStep(raw), unit: 'µs', size: 1e3 }
  if (largest < second) return { step: roundStep(raw), unit: 'ms', size: 1e6 }
  if (largest < longFrom || raw <= longStepMin) return { step: roundStep(raw), unit: 's', size: second }
  const step = longSteps.find((candidate) => candidate >= raw) ?? roundStep(raw / (24 * hour)) * 24 * hour
  const isHours = largest >= hoursFrom && step % (15 * minute) === 0
  return isHours ? { step, unit: 'h', size: hour } : { step, unit: 'min', size: minute }
}

function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)))
  const lead = Math.max(raw, 1) / power
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10)
}

/** Number of decimals that print `step` and its multiples exactly, at most nine. */
function decimalsOf(step: number): number {
  let decimals = 0
  for (; decimals < 9; decimals++) {
    const whole = Math.round(step * 10 ** decimals)
    if (whole >= 1 && Math.abs(whole - step * 10 ** decimals) <= whole * 1e-9) break
  }
  return decimals
}

const clockStepsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3,
  7200e3, 10_800e3, 21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3,
]

/** Ticks at round clock times of a zone `offsetMinutes` east of UTC. */
export function clockTicks(
  fromMs: number,
  toMs: number,
  options: { most: number; offsetMinutes: number },
): Omit<Axis, 'print'> {
  const raw = (toMs - fromMs) / Math.max(1, options.most)
  const step = clockStepsMs.find((candidate) => candidate >= raw) ?? Math.ceil(raw / 604_800e3) * 604_800e3
  const shift = options.offsetMinutes * 60e3
  const ticks: number[] = []
  for (let at = Math.ceil((fromMs + shift) / step) * step - shift; at <= toMs; at += step) ticks.push(at)
  return { step, ticks }
}
