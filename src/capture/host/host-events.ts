/**
 * Events of the host that clew runs on, sampled from /proc: processes that start and end, TCP connections that open and
 * close, and load. Off by default. Needs no root, but finds a connection's owner only among processes it may inspect.
 *
 * Limits: 1000 events a sample, 20,000 connections, 2000 file descriptors read in a sample. Anything shorter than the
 * interval is not seen. When the log is full, samples are dropped and counted: nothing waits for them. When the system
 * lacks one of the three parts, this is reported once and the part is left out. A part that would cost too much pauses.
 */
import { arch, hostname, release } from 'node:os'
import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { UnavailableError, messageOf } from '../../base/errors.ts'
import { host, type HostBody, type HostEvent, type HostValue } from '../../codec/host/host.ts'
import type { ProtocolCounts } from '../counters.ts'
import type { Intake } from '../intake.ts'
import type { Observer, ObserverContext } from '../observer.ts'
import { ConnectionWatch } from './connection-watch.ts'
import { LoadWatch } from './load-watch.ts'
import { Proc } from './proc.ts'
import { ProcessWatch } from './process-watch.ts'

const eventsMax = 1000
const loadEveryMs = 10_000

interface Part {
  readonly name: string
  readonly everyMs: number
  readonly sample: (nowMs: number) => HostEvent[]
  nextMs: number
  isOut: boolean
  /** Why it could not be sampled; '' when it could. */
  problem: string
}

export async function startHostEvents({ intake, logger, config }: ObserverContext): Promise<Observer> {
  return new HostSampler({ intake, logger: logger.child({ source: 'host' }), intervalMs: config.hostEvents.intervalMs })
}

export interface HostSamplerOptions {
  readonly intake: Intake
  readonly logger: Logger
  readonly intervalMs: number
  readonly loadEveryMs?: number
  readonly procDir?: string
}

export class HostSampler implements Observer {
  readonly #options: HostSamplerOptions
  readonly #counts: ProtocolCounts
  readonly #parts: Part[]
  readonly #resource: Record<string, HostValue>
  readonly #timer: NodeJS.Timeout
  #underWay: Promise<void> = Promise.resolve()

  constructor(options: HostSamplerOptions) {
    this.#options = options
    this.#counts = options.intake.counters.of('host', 'events')
    const proc = new Proc(options.procDir)
    const processes = new ProcessWatch(proc)
    const connections = new ConnectionWatch(proc, (pid) => processes.nameOf(pid))
    const load = new LoadWatch(proc)
    const { intervalMs } = options
    const part = (name: string, everyMs: number, sample: Part['sample']): Part => ({
      name,
      everyMs,
      sample,
      nextMs: 0,
      isOut: false,
      problem: '',
    })
    // The excess is cut off: in a burst the load is the most useful event, and a single connection the least.
    this.#parts = [
      part('load', Math.max(intervalMs, options.loadEveryMs ?? loadEveryMs), (nowMs) => load.sample(nowMs)),
      part('processes', intervalMs, (nowMs) => processes.sample(nowMs)),
      part('connections', intervalMs, (nowMs) => connections.sample(nowMs)),
    ]
    this.#resource = {
      'service.name': 'host',
      'host.name': hostname(),
      'host.arch': arch(),
      'os.type': process.platform,
      'os.version': release(),
    }
    const id = machineId()
    if (id !== '') this.#resource['host.id'] = id
    this.sample()
    this.#timer = setInterval(() => this.sample(), intervalMs)
    this.#timer.unref()
  }

  /** Samples once, and passes on what changed since the last sample. */
  sample(): void {
    const nowMs = Date.now()
    const events = this.#parts.flatMap((part) => this.#sampleOf(part, nowMs))
    if (events.length === 0) return
    const kept = events.slice(0, eventsMax)
    if (events.length > eventsMax) {
      this.#counts.dropped += events.length - eventsMax
      this.#counts.lastError = `${events.length - eventsMax} host events of a sample were dropped: it had more than ${eventsMax}`
    }
    this.#underWay = this.#underWay.then(() => this.#take(kept))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#underWay
  }

  #sampleOf(part: Part, nowMs: number): HostEvent[] {
    if (part.isOut || nowMs < part.nextMs) return []
    part.nextMs = nowMs + part.everyMs - this.#options.intervalMs / 2
    try {
      const events = part.sample(nowMs)
      part.problem = ''
      return events
    } catch (error) {
      const mayPass = error instanceof UnavailableError && error.canRetry
      if (mayPass) part.nextMs = nowMs + error.retryAfterMs
      else part.isOut = true
      const until = mayPass ? 'trying again' : 'left out from now on'
      const message = `cannot sample ${part.name} of this host, ${until}: ${messageOf(error)}`
      if (part.problem !== '') return []
      part.problem = message
      this.#options.logger.warn(message)
      this.#counts.lastError = message
      return []
    }
  }

  async #take(events: readonly HostEvent[]): Promise<void> {
    const body: HostBody = { v: 1, resource: this.#resource, events }
    try {
      await this.#options.intake.take({
        protocol: 'host',
        codec: host,
        body: Buffer.from(JSON.stringify(body)),
        retryable: false,
      })
    } catch (error) {
      this.#counts.dropped += events.length
      if (!(error instanceof UnavailableError)) this.#options.logger.error({ err: error }, 'cannot store host events')
    }
  }
}

/** The host's own id (machine-id(5)); '' when there is none. */
function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'latin1').trim()
  } catch {
    return ''
  }
}
