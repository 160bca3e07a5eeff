/** What each protocol brought since the start: shown in `/metrics`, `/api/v1/status` and `clew doctor`. */
import { UnavailableError, messageOf } from '../base/errors.ts'
import type { Signal } from '../model/log.ts'

export interface ProtocolCounts {
  readonly protocol: string
  /** Metrics are counted, never stored. */
  readonly signal: Signal | 'metrics'
  requests: number
  /** Rows stored. */
  accepted: number
  /** Rows left out because they were wrong. */
  rejected: number
  /** Values that are not stored as they were sent, so that their rows could be. */
  repaired: number
  /** Requests answered "slow down". */
  refused: number
  /** Requests that failed as a whole: malformed, too large. */
  failed: number
  /** Requests recognised as a client's retry. */
  duplicates: number
  /** Messages lost before clew could read them, as far as that can be known (UDP). */
  dropped: number
  /** Bytes as received. */
  bytes: number
  lastError: string | null
}

/** Clients that speak something else than the port they came to. */
export interface WrongClients {
  readonly protocol: string
  readonly count: number
  readonly lastAtMs: number
  /** What the last one was told. */
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

  /** Counts a client that is wrong at the protocol's port, under its spans: what it wanted to send nobody can know. */
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

/** Counts why a request got no success: refused when it may succeed later, else failed. */
export function countFailure(counts: ProtocolCounts, error: unknown): void {
  if (error instanceof UnavailableError) counts.refused++
  else counts.failed++
  counts.lastError = messageOf(error)
}
