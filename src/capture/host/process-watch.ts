/** Which processes started and ended since the last look. A process that does both in between is not seen. */
import type { HostEvent } from '../../codec/host/host.ts'
import { ticksPerSecond, type Proc, type ProcessFacts } from './proc.ts'

/** Parent of the kernel's own threads, whose starts and ends mean nothing. */
const kernelParent = 2

export class ProcessWatch {
  readonly #proc: Proc
  #known: Map<number, ProcessFacts | undefined> | undefined

  constructor(proc: Proc) {
    this.#proc = proc
  }

  nameOf(pid: number): string {
    return this.#known?.get(pid)?.name ?? ''
  }

  /** The first call finds the processes that already run: no events. Throws the system's errors. */
  sample(nowMs: number): HostEvent[] {
    const before = this.#known
    const now = new Map<number, ProcessFacts | undefined>()
    const events: HostEvent[] = []
    for (const pid of this.#proc.pids()) {
      if (before?.has(pid) === true) {
        now.set(pid, before.get(pid))
        continue
      }
      const facts = this.#proc.process(pid)
      if (facts === undefined) continue
      const isKernel = pid === kernelParent || facts.parentPid === kernelParent
      now.set(pid, isKernel ? undefined : facts)
      if (before !== undefined && !isKernel) events.push(this.#started(facts, nowMs))
    }
    for (const [pid, facts] of before ?? []) {
      if (!now.has(pid) && facts !== undefined) events.push(this.#ended(facts, nowMs))
    }
    this.#known = now
    return events
  }

  #started(facts: ProcessFacts, nowMs: number): HostEvent {
    const { pid, name, commandLine } = facts
    const startedMs = Math.min(nowMs, nowMs - this.#ageMs(facts))
    const text = `process started: ${commandLine || name} (pid ${pid})`
    return { t: nanos(startedMs), type: 'process.start', text, attributes: attributesOf(facts) }
  }

  #ended(facts: ProcessFacts, nowMs: number): HostEvent {
    const attributes = {
      ...attributesOf(facts),
      'process.lifetime': { double: Math.max(0, this.#ageMs(facts)) / 1000 },
    }
    const text = `process ended: ${facts.commandLine || facts.name} (pid ${facts.pid})`
    return { t: nanos(nowMs), type: 'process.exit', text, attributes }
  }

  #ageMs({ startTicks }: ProcessFacts): number {
    return (Number.parseFloat(this.#proc.text('uptime')) - startTicks / ticksPerSecond) * 1000
  }
}

function attributesOf({ pid, parentPid, name, commandLine }: ProcessFacts): HostEvent['attributes'] {
  return {
    'process.pid': pid,
    'process.parent_pid': parentPid,
    'process.executable.name': name,
    ...(commandLine !== '' && { 'process.command_line': commandLine }),
  }
}

export function nanos(ms: number): string {
  return (BigInt(Math.round(ms * 1000)) * 1000n).toString()
}
