/**
 * One query on a session. Its caller may leave, or its time may run out, while the engine still works on it. The caller
 * then gets the error at once. The session stays in use until the engine is done, because two queries on one session
 * would collide.
 */
import { UnavailableError } from '../../../base/errors.ts'

export interface QueryRunOptions {
  readonly signal: AbortSignal | undefined
  /** Time left for the query and for whoever reads its rows. */
  readonly timeoutMs: number
  /** Asks the engine to stop the query. It may fail, or come too early for the engine to know the query. */
  readonly kill: () => Promise<void>
  /** Called once, when the caller and the engine are both done with it. */
  readonly onEnd: () => void
}

/** Pauses before the engine is asked again to stop; the last one repeats. */
const killPausesMs = [100, 400, 1500, 5000]

export class QueryRun {
  readonly #options: QueryRunOptions
  readonly #stopped = Promise.withResolvers<never>()
  readonly #deadline: NodeJS.Timeout
  readonly #abort: () => void
  #killTimer: NodeJS.Timeout | undefined
  #inEngine = 0
  #stopReason: unknown
  #beforeEnd: (() => void) | undefined
  #isLeft = false
  #isEnded = false

  constructor(options: QueryRunOptions) {
    this.#options = options
    this.#stopped.promise.catch(() => {})
    this.#deadline = setTimeout(() => this.stop(timeoutError()), options.timeoutMs)
    this.#abort = () => this.stop(options.signal?.reason)
    options.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /**
   * Work of the engine on the session, which `start` begins unless the query was stopped. Settles as that work does, or
   * rejects with the reason as soon as the query is stopped.
   */
  async during<T>(start: () => Promise<T>): Promise<T> {
    if (this.#stopReason !== undefined) throw this.#stopReason
    this.#inEngine++
    const work = Promise.try(start).finally(() => {
      this.#inEngine--
      this.#endWhenDone()
    })
    // Its caller may have left by the time it fails.
    work.catch(() => {})
    return await Promise.race([this.#stopped.promise, work])
  }

  /** `last` is called when the caller and the engine are done with the query, before the session is given back. */
  beforeEnd(last: () => void): void {
    this.#beforeEnd = last
  }

  /** Why the query was stopped; `undefined` while it was not. */
  get stopReason(): unknown {
    return this.#stopReason
  }

  /** Stops the query for its caller at once, and in the engine as soon as the engine obeys. */
  stop(reason: unknown): void {
    if (this.#stopReason !== undefined || this.#isEnded) return
    this.#stopReason = reason
    this.#stopped.reject(reason)
    this.#killAgain(0)
    // A caller that forgot a half-read stream never says that it leaves.
    this.leave()
  }

  #killAgain(tries: number): void {
    if (this.#isEnded || this.#inEngine === 0) return
    // Whether the query ends shows whether this worked.
    this.#options.kill().catch(() => {})
    const pauseMs = killPausesMs[Math.min(tries, killPausesMs.length - 1)]!
    this.#killTimer = setTimeout(() => this.#killAgain(tries + 1), pauseMs)
    this.#killTimer.unref()
  }

  /** The caller is done with the query, whether or not the engine is. */
  leave(): void {
    this.#isLeft = true
    clearTimeout(this.#deadline)
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#endWhenDone()
  }

  #endWhenDone(): void {
    if (!this.#isLeft || this.#inEngine > 0 || this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#killTimer)
    try {
      this.#beforeEnd?.()
    } finally {
      this.#options.onEnd()
    }
  }
}

export function timeoutError(cause?: unknown): UnavailableError {
  const message = 'cannot run query: it takes longer than query.timeout; narrow the question, or raise that'
  return new UnavailableError('timeout', message, cause === undefined ? {} : { cause })
}
