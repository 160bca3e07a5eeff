/**
 * A lease among processes that use the same store. Its holder adds a step to the table `leases` every third of the
 * time that a step holds (`ttlMs`). Whoever waits for it watches the newest step, and adds the next one when that was released, or
 * did not change for `ttlMs`. Only one process can add a given step, so a late renewal and a takeover exclude each other.
 *
 * No two clocks are compared. The holder counts from the moment before it sent its step, a waiter from the moment after it saw
 * that step, and both measure time that passes:
 *
 *   holder   send ──stored───── heldMs ─┤ stops              heldMs = 80 % of ttlMs
 *   waiter             seen ──────────── ttlMs ──────────┤ takes over
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease } from '../../../model/lease.ts'
import { addStep, readNewestStep, type LeaseEngine, type LeaseStep } from './lease-steps.ts'

export interface TableLeaseOptions {
  readonly engine: LeaseEngine
  /** Letters, digits and `-`. */
  readonly name: string
  /** How long a step holds without a renewal, milliseconds. */
  readonly ttlMs?: number
  /** Milliseconds of a clock that never goes back and goes on while the process is stopped. */
  readonly now?: () => number
  readonly onProblem: (message: string, error: unknown) => void
}

const ttlDefaultMs = 10_000
/** The rest is for clocks that run at different speeds, and for work that is just being sent. */
const heldShare = 0.8
const renewalsPerTtl = 3

/** Resolves when this process has the lease. Rejects with the signal's reason. */
export async function takeTableLease(options: TableLeaseOptions, signal?: AbortSignal): Promise<Lease> {
  const { engine, name, ttlMs = ttlDefaultMs, now = () => performance.now(), onProblem } = options
  let seen: { step: LeaseStep; sinceMs: number } | undefined
  /** The highest step that cannot be added any more. */
  let deadStep = 0
  for (;;) {
    signal?.throwIfAborted()
    let waitMs = ttlMs / renewalsPerTtl
    try {
      const newest = await readNewestStep(engine, name)
      if (newest !== undefined && newest.claim !== seen?.step.claim) seen = { step: newest, sinceMs: now() }
      const leftMs = newest === undefined || newest.released ? 0 : seen!.sinceMs + newest.ttlMs - now()
      if (leftMs <= 0) {
        const step = Math.max(newest?.step ?? 0, deadStep) + 1
        const sentMs = now()
        const claim = randomUUID()
        const lastGeneration = newest?.generation ?? 0
        const wanted = { name, step, generation: undefined, lastGeneration, claim, ttlMs, released: false }
        const added = await addStep(engine, wanted)
        if (added?.claim === claim) {
          const lease = new TableLease({ ...options, ttlMs, now }, added, sentMs)
          if (lease.isHeld()) return lease
        }
        if (added === undefined || added.step < step) deadStep = step
      } else waitMs = Math.min(waitMs, leftMs)
    } catch (error) {
      onProblem(`cannot take the lease ${name}, trying again`, error)
    }
    await sleep(waitMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
}

type Settled = Required<TableLeaseOptions>

class TableLease implements Lease {
  readonly name: string
  readonly generation: number
  readonly #options: Settled
  readonly #lost = new AbortController()
  #step: LeaseStep
  #sentMs: number
  #deadStep = 0
  /** Renewals whose outcome is unknown: claim, and when it was sent. */
  readonly #unknown = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(options: Settled, step: LeaseStep, sentMs: number) {
    this.#options = options
    this.name = options.name
    this.generation = step.generation
    this.#step = step
    this.#sentMs = sentMs
    this.#schedule()
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  isHeld(): boolean {
    if (this.#leftMs() <= 0) this.#lose('it was not renewed in time')
    return !this.#lost.signal.aborted
  }

  #leftMs(): number {
    return this.#sentMs + this.#options.ttlMs * heldShare - this.#options.now()
  }

  #lose(why: string): void {
    if (this.#lost.signal.aborted) return
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
    this.#lost.abort(new Error(`the lease ${this.name} is lost: ${why}`))
  }

  #schedule(): void {
    if (this.#lost.signal.aborted) return
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
    this.#timer = setTimeout(() => {
      this.#work = this.#renew()
    }, this.#options.ttlMs / renewalsPerTtl)
    this.#timer.unref()
    this.#expiry = setTimeout(() => this.isHeld(), Math.max(0, this.#leftMs()) + 1)
    this.#expiry.unref()
  }

  async #renew(): Promise<void> {
    const { name, onProblem } = this.#options
    try {
      if (!this.isHeld()) return
      await this.#add(false)
    } catch (error) {
      if (!this.#lost.signal.aborted) onProblem(`cannot renew the lease ${name}`, error)
    }
    this.#schedule()
  }

  /** An insert that failed may be stored, and one that succeeded may have been dropped: the newest step tells. */
  async #add(released: boolean): Promise<void> {
    const { engine, name, ttlMs, now } = this.#options
    const claim = randomUUID()
    this.#unknown.set(claim, now())
    const { generation } = this
    const step = Math.max(this.#step.step, this.#deadStep) + 1
    const newest = await addStep(engine, { name, step, generation, lastGeneration: generation, claim, ttlMs, released })
    if (newest === undefined || newest.step < step) this.#deadStep = step
    if (newest === undefined || newest.claim === this.#step.claim) return
    const sentMs = this.#unknown.get(newest.claim)
    if (sentMs === undefined) return this.#lose('another process took it over')
    this.#unknown.clear()
    this.#step = newest
    this.#sentMs = sentMs
  }

  async release(): Promise<void> {
    if (!this.isHeld()) return
    const leftMs = this.#leftMs()
    this.#lose('it was released')
    // Without this row the next holder waits until the last step has run out, so it is worth no longer wait than that.
    const told = this.#work.then(() => this.#add(true)).catch(() => {})
    await Promise.race([told, sleep(leftMs, undefined, { ref: false })])
  }
}
