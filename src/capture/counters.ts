/** What each protocol received since the start: shown in `/metrics`, `/api/v1/status` and `clew doctor`. */
import { UnavailableError, messageOf } from '../base/errors.ts'
import type { Signal } from '../model/log.ts'

export interface ProtocolCounts {
  readonly protocol: string
  /** Metrics are counted, never stored. */
  readonly signal: Signal | 'metrics'
  requests: number
  /** Rows stored. */
  accepted: number
  /** Rows left out because they were invalid. */
  rejected: number
  /** Values that were changed so that their rows could be stored. */
  repaired: number
  /** Requests answered "slow down". */
  refused: number
  /** Requests that failed as a whole: malformed or too large. */
  failed: number
  /** Requests recognised as a client's retry. */
  duplicates: number
  /** Messages known to be lost before clew could read them (UDP). */
  dropped: number
  /** Bytes as received. */
  bytes: number
  lastError: string | null
}

/** Clients that speak another protocol than the port expects. */
export interface WrongClients {
  readonly protocol: string
  readonly count: number
  readonly lastAtMs: number
  /** The message that the last one got. */
  readonly message: string
}

export class IntakeCounters {
  readonly #wrongClients = new Map<string, WrongClients>()
  readonly #counts = new Map<string, ProtocolCounts>()

  of(protocol: string, signal: ProtocolCounts['signal']): ProtocolCounts {
    const key = `${protocol} ${signal}`
    let counts = this.#counts.get(key)
    if (counts === undefined) {
      counts = {
        protocol,
        signal,
        requests: 0,
        accepted: 0,
        rejected: 0,
        repaired: 0,
        refused: 0,
        failed: 0,
        duplicates: 0,
        dropped: 0,
        bytes: 0,
        lastError: null,
      }
      this.#counts.set(key, counts)
    }
    return counts
  }

  /** Counts a request that failed before it reached the intake, which counts all others. */
  countUnread(protocol: string, signal: ProtocolCounts['signal'], error: unknown): void {
    const counts = this.of(protocol, signal)
    counts.requests++
    countFailure(counts, error)
  }

  /** Counts a client of another protocol under spans, because nobody can know what it wanted to send. */
  countWrongClient(protocol: string, error: Error): void {
    this.countUnread(protocol, 'spans', error)
    const count = (this.#wrongClients.get(protocol)?.count ?? 0) + 1
    this.#wrongClients.set(protocol, { protocol, count, lastAtMs: Date.now(), message: error.message })
  }

  wrongClients(): WrongClients[] {
    return [...this.#wrongClients.values()]
  }

  all(): ProtocolCounts[] {
    return [...this.#counts.values()]
  }
}

/** Counts why a request had no success: refused when a retry may succeed, otherwise failed. */
export function countFailure(counts: ProtocolCounts, error: unknown): void {
  if (error instanceof UnavailableError) counts.refused++
  else counts.failed++
  counts.lastError = messageOf(error)
}
