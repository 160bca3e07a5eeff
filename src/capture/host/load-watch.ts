/** How busy the host is: load averages, processor and memory use. */
import type { HostEvent } from '../../codec/host/host.ts'
import type { Proc } from './proc.ts'
import { nanos } from './process-watch.ts'

export class LoadWatch {
  readonly #proc: Proc
  #busy = 0
  #total = 0

  constructor(proc: Proc) {
    this.#proc = proc
  }

  /** The first call has nothing to compare with: no event. Throws the system's errors. */
  sample(nowMs: number): HostEvent[] {
    const [busyBefore, totalBefore] = [this.#busy, this.#total]
    this.#readTicks()
    if (totalBefore === 0) return []
    const passed = this.#total - totalBefore
    const utilization = passed <= 0 ? 0 : round((this.#busy - busyBefore) / passed)
    const [one, five, fifteen] = this.#proc.text('loadavg').split(' ').map(Number) as [number, number, number]
    const memory = this.#proc.text('meminfo')
    const [totalBytes, availableBytes] = [kibibytes(memory, 'MemTotal'), kibibytes(memory, 'MemAvailable')]
    const percent = (part: number): string => `${Math.round(part * 100)} %`
    const used = totalBytes === 0 ? 0 : round(1 - availableBytes / totalBytes)
    const attributes = {
      'system.cpu.load_average.1m': { double: one },
      'system.cpu.load_average.5m': { double: five },
      'system.cpu.load_average.15m': { double: fifteen },
      'system.cpu.utilization': { double: utilization },
      'system.memory.limit': totalBytes,
      'system.memory.available': availableBytes,
      'system.memory.utilization': { double: used },
    }
    const text = `load ${one}, processor ${percent(utilization)}, memory ${percent(used)}`
    return [{ t: nanos(nowMs), type: 'host.load', text, attributes }]
  }

  /** `cpu user nice system idle iowait irq softirq steal …` in ticks since boot. */
  #readTicks(): void {
    const stat = this.#proc.text('stat')
    const ticks = stat.slice(0, stat.indexOf('\n')).split(/ +/).slice(1, 9).map(Number)
    this.#total = ticks.reduce((sum, each) => sum + each, 0)
    this.#busy = this.#total - (ticks[3] ?? 0) - (ticks[4] ?? 0)
  }
}

function kibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
}

function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 10_000
}
