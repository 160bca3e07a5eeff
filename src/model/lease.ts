/**
 * The right to do what must run in one process at a time: rolling up figures, joining parts, dropping old data. A
 * holder that dies or hangs loses it after some seconds, and another process goes on.
 */
export interface Lease {
  /** What the lease is for. Processes that use the same store and the same name exclude each other. */
  readonly name: string
  /**
   * A whole number below 2^32, higher than that of every earlier holder. What a holder writes carries it, so that the late write of
   * an earlier holder is recognised and does not count.
   */
  readonly generation: number
  /**
   * Whether this process has the lease now. Ask before each step that changes the store. It looks at the clock, so it
   * is right even when the process hung until a moment ago.
   */
  isHeld(): boolean
  /** Aborted as soon as the process knows that the lease is lost or released. */
  readonly lost: AbortSignal
  /** Gives it up, so that another process need not wait. Call it when no work under the lease is left. Never rejects. */
  release(): Promise<void>
}
