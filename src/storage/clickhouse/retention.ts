/**
 * Drops old data: by age of each signal, and the oldest of all while the store is larger than its cap. Data goes by the
 * part, which costs next to nothing: a part goes when its newest row is old enough. Parts never reach over a day, so a
 * row outlives its age by at most a day. What was rolled up from dropped rows goes with them.
 */
import type { Lease } from '../../model/lease.ts'
import type { Engine } from './engine.ts'
import { readParts, readStoreBytes, storedTables, type StoredPart } from './parts.ts'

export interface RetentionOptions {
  readonly engine: Engine
  /** Nothing is dropped once it is lost. Without one, no other process uses the store. */
  readonly lease?: Lease
  /** Age at which spans and their traces go, milliseconds; 0 keeps them. */
  readonly spansMs: number
  readonly eventsMs: number
  /** Size of the store, all tables, at which the oldest data goes; 0 is no cap. */
  readonly maxBytes: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Called after rows went, to have their figures made again. */
  readonly onDropped: () => Promise<void>
  readonly onProblem: (message: string, error: unknown) => void
}

export interface Retention {
  /** Drops what is due now. Runs by itself every minute; tests call it. */
  runNow(): Promise<void>
  /** Waits for the run under way. */
  stop(): Promise<void>
}

const pauseMs = 60_000
/** With a cap, parts stay below this share of it, so that the cap costs little more than what is over it. */
const partsOfCap = 16
const partBytesMin = 8 << 20
/** The engine's own bound of a part's size. */
const partBytesDefault = 161_061_273_600

export async function startRetention(options: RetentionOptions): Promise<Retention> {
  const { engine, maxBytes } = options
  const partBytes = maxBytes === 0 ? partBytesDefault : Math.max(Math.floor(maxBytes / partsOfCap), partBytesMin)
  for (const { table } of storedTables) {
    await engine.execute(`ALTER TABLE ${table} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool=${partBytes}`)
  }
  const retention = new RunningRetention(options)
  retention.schedule()
  return retention
}

class RunningRetention implements Retention {
  readonly #options: RetentionOptions
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  #isOver(): boolean {
    return this.#stopped || this.#options.lease?.isHeld() === false
  }

  schedule(): void {
    if (this.#isOver()) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.runNow(), pauseMs).unref()
  }

  runNow(): Promise<void> {
    this.#work = this.#work.then(() => this.#run())
    return this.#work
  }

  async #run(): Promise<void> {
    const { engine, maxBytes, onDropped, onProblem } = this.#options
    let dropped = 0
    if (this.#isOver()) return
    try {
      const parts = await readParts(engine)
      const excess = maxBytes === 0 ? 0 : (await readStoreBytes(engine)) - maxBytes
      for (const { table, name } of partsToDrop(parts, { ...this.#options, nowMs: this.#options.now(), excess })) {
        if (this.#isOver()) break
        await engine.execute(`ALTER TABLE ${table} DROP PART '${name}'`)
        dropped++
      }
    } catch (error) {
      onProblem('cannot drop old data, trying again in a minute', error)
    }
    if (dropped > 0) await onDropped().catch((error: unknown) => onProblem('cannot make figures again', error))
    this.schedule()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#work
  }
}

export interface DropRules {
  readonly spansMs: number
  readonly eventsMs: number
  readonly nowMs: number
  /** Bytes over the cap; 0 or less when under it. */
  readonly excess: number
}

/** Oldest first. */
export function partsToDrop(parts: readonly StoredPart[], rules: DropRules): StoredPart[] {
  const ages = { spans: rules.spansMs, events: rules.eventsMs }
  let excess = rules.excess
  return [...parts]
    .sort((a, b) => (a.newestNs < b.newestNs ? -1 : a.newestNs > b.newestNs ? 1 : 0))
    .filter(({ signal, newestNs, bytes }) => {
      const age = ages[signal]
      const isOld = age > 0 && newestNs < BigInt(rules.nowMs - age) * 1_000_000n
      if (!isOld && excess <= 0) return false
      excess -= bytes
      return true
    })
}
