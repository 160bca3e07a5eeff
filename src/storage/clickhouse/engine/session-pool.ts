/**
 * Sessions of the engine, each of which does one thing at a time, and the queue of those who wait for one. The queue is
 * first in, first out. A waiter that gives up leaves it at once, so a session that is released always goes to somebody
 * who still wants it.
 */
import { UnavailableError, assert } from '../../../base/errors.ts'

export interface PoolOptions<Session> {
  readonly sessions: readonly Session[]
  /** Past this many waiters, `take` refuses. */
  readonly waitingMax: number
  /** Completes "cannot …" in the messages of errors: `run query`. */
  readonly what: string
  /** Milliseconds, never going back. */
  readonly now?: () => number
}

export interface TakeOptions {
  /** Aborting it removes the waiter and rejects `take` with its reason. */
  readonly signal?: AbortSignal | undefined
  /** How long to wait for a session; without it, as long as it takes. */
  readonly timeoutMs?: number | undefined
}

export interface PoolState {
  readonly sessions: number
  readonly busy: number
  readonly waiting: number
  /** How long the first in the queue has waited; 0 when nobody waits. */
  readonly longestWaitMs: number
  /** How long the session held longest has been in use; 0 when none is. */
  readonly longestHoldMs: number
  /** How many were turned away because the queue was full. */
  readonly refused: number
}

interface Waiter<Session> {
  readonly sinceMs: number
  give(session: Session): void
  refuse(reason: unknown): void
}

/** When a caller that met a full queue may try again. */
const retryAfterMs = 1000

export class SessionPool<Session> {
  readonly #options: PoolOptions<Session>
  readonly #now: () => number
  readonly #free: Session[]
  /** Sessions in use, each with the time when it was taken; the oldest first. */
  readonly #held = new Map<Session, number>()
  /** Only those who still wait; the oldest first. */
  readonly #waiters = new Set<Waiter<Session>>()
  #refused = 0
  #isClosed = false

  constructor(options: PoolOptions<Session>) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#free = [...options.sessions]
  }

  /**
   * A session for the caller alone until it is given to `release`. Throws `UnavailableError`: `too_many_requests` when
   * the queue is full, `timeout` when no session came in time, `shutting_down` once the pool is closed.
   */
  async take({ signal, timeoutMs }: TakeOptions = {}): Promise<Session> {
    if (this.#isClosed) throw closedError()
    signal?.throwIfAborted()
    // A session is free only while nobody waits.
    const session = this.#free.shift()
    if (session !== undefined) return this.#hold(session)
    const { waitingMax, what } = this.#options
    if (this.#waiters.size >= waitingMax) {
      this.#refused++
      const message = `cannot ${what}: ${this.#waiters.size} others wait already; try again in a moment`
      throw new UnavailableError('too_many_requests', message, { retryAfterMs })
    }
    return await this.#wait(signal, timeoutMs)
  }

  #wait(signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<Session> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
        clearTimeout(timer)
      }
      const waiter: Waiter<Session> = {
        sinceMs: this.#now(),
        give: (session) => {
          leave()
          resolve(this.#hold(session))
        },
        refuse: (reason) => {
          leave()
          reject(reason as Error)
        },
      }
      const abort = (): void => waiter.refuse(signal?.reason)
      const expire = (): void => {
        const message = `cannot ${this.#options.what}: those before it took all the time that it had; try again in a moment`
        waiter.refuse(new UnavailableError('timeout', message, { retryAfterMs }))
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #hold(session: Session): Session {
    this.#held.set(session, this.#now())
    return session
  }

  /** Call it once for each session that was taken, when the engine no longer works for it. */
  release(session: Session): void {
    assert(this.#held.delete(session), 'a session is released once')
    const [first] = this.#waiters
    if (first === undefined) this.#free.push(session)
    else first.give(session)
  }

  state(): PoolState {
    const now = this.#now()
    const [heldSince = now] = this.#held.values()
    const [oldest] = this.#waiters
    return {
      sessions: this.#free.length + this.#held.size,
      busy: this.#held.size,
      waiting: this.#waiters.size,
      longestWaitMs: oldest === undefined ? 0 : now - oldest.sinceMs,
      longestHoldMs: now - heldSince,
      refused: this.#refused,
    }
  }

  /** Rejects those who wait and those who come; sessions in use can still be released. */
  close(): void {
    this.#isClosed = true
    for (const waiter of this.#waiters) waiter.refuse(closedError())
  }
}

function closedError(): UnavailableError {
  return new UnavailableError('shutting_down', 'the store is closing')
}
