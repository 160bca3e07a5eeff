/**
 * Rows whose times are far off: before the retention, which soon removes them, or in the future, where no range that
 * ends now shows them. Causes are clocks that were never set, and microseconds in a field of nanoseconds. The rows are
 * stored, because importing old files is no mistake. But they are counted and reported; otherwise they would silently
 * disappear.
 */
import type { Batch } from '../codec/codec.ts'

/** The clocks of healthy hosts differ by less. */
const aheadMs = 5 * 60_000

/** The number of services that are counted by name; all others are counted together. */
const servicesMax = 200
export const otherServices = '(other services)'

export interface FarRows {
  readonly protocol: string
  readonly signal: 'spans' | 'events'
  readonly service: string
  readonly kind: 'before_retention' | 'ahead'
  /** Rows since the start. */
  count: number
  /** The newest time among them, nanoseconds. */
  newestNs: bigint
  /** When the last of them arrived, milliseconds. */
  lastAtMs: number
}

export interface FarCounts {
  readonly beforeRetention: number
  readonly ahead: number
}

const none: FarCounts = { beforeRetention: 0, ahead: 0 }

export interface FarTimesOptions {
  /** Age at which rows are removed, milliseconds; 0 for never. */
  readonly spansMs: number
  readonly eventsMs: number
}

/** The high word of a 64-bit time counts 2^32 ns, 4.3 s: exact enough, and it avoids a bigint per row. */
const highWordNs = 1n << 32n

export class FarTimes {
  readonly #options: FarTimesOptions
  readonly #rows = new Map<string, FarRows>()

  constructor(options: FarTimesOptions) {
    this.#options = options
  }

  /** Counts the rows of a batch that are far from `nowMs`. `isRepeated`: they were already counted. */
  look(protocol: string, batch: Batch, nowMs: number, isRepeated: boolean): FarCounts {
    const retentionMs = batch.signal === 'spans' ? this.#options.spansMs : this.#options.eventsMs
    const oldest = retentionMs === 0 ? 0 : Math.max(0, highWordOf(nowMs - retentionMs))
    const newest = highWordOf(nowMs + aheadMs)
    const times = batch.signal === 'spans' ? batch.startTimes : batch.times
    // Little-endian, as on all machines that Node runs on; the columns are written in words too.
    const words = new Uint32Array(times.buffer, times.byteOffset, batch.rows * 2)
    let beforeRetention = 0
    let ahead = 0
    for (let row = 0; row < batch.rows; row++) {
      const high = words[row * 2 + 1]!
      if (high >= oldest && high <= newest) continue
      if (high < oldest) beforeRetention++
      else ahead++
      if (!isRepeated) this.#count(protocol, batch, row, { kind: high < oldest ? 'before_retention' : 'ahead', nowMs })
    }
    return beforeRetention + ahead === 0 ? none : { beforeRetention, ahead }
  }

  /** The services with the most rows first. */
  all(): FarRows[] {
    return [...this.#rows.values()].sort((a, b) => b.count - a.count)
  }

  #count(protocol: string, batch: Batch, row: number, { kind, nowMs }: { kind: FarRows['kind']; nowMs: number }): void {
    const timeNs = (batch.signal === 'spans' ? batch.startTimes : batch.times)[row]!
    const service = batch.resources[batch.resourceIndexes[row]!]!.serviceName
    const keyOf = (name: string): string => `${kind}\n${protocol}\n${batch.signal}\n${name}`
    const isKnown = this.#rows.has(keyOf(service)) || this.#rows.size < servicesMax
    const key = keyOf(isKnown ? service : otherServices)
    const known = this.#rows.get(key)
    if (known === undefined) {
      const name = isKnown ? service : otherServices
      const { signal } = batch
      this.#rows.set(key, { protocol, signal, service: name, kind, count: 1, newestNs: timeNs, lastAtMs: nowMs })
      return
    }
    known.count++
    known.lastAtMs = nowMs
    if (timeNs > known.newestNs) known.newestNs = timeNs
  }
}

function highWordOf(ms: number): number {
  return Number((BigInt(Math.round(ms)) * 1_000_000n) / highWordNs)
}
