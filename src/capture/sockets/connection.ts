/**
 * One client of a stream protocol. Reading waits for the client, at most as long as the limits say; storing waits for
 * the log. `release` frees everything the connection holds, however the connection ended.
 */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError, UnavailableError } from '../../base/errors.ts'
import type { ByteBudget } from '../byte-budget.ts'
import type { Received, Taken } from '../intake.ts'
import type { ReceiverContext } from '../receiver.ts'

/** A failure that does not say when to try again. */
const retryAfterMsDefault = 1000
const retryAfterMsMax = 5000

export class Connection {
  /** Address of the client, without its port. */
  readonly peer: string
  readonly #socket: Socket
  readonly #context: ReceiverContext
  readonly #budget: ByteBudget
  readonly #stopping = new AbortController()
  #held = 0
  /** When the unfinished frame began, by `performance.now`. */
  #frameSince: number | undefined
  #wake: () => void = () => {}
  #failed = false

  constructor(socket: Socket, context: ReceiverContext, budget: ByteBudget) {
    this.#socket = socket
    this.#context = context
    this.#budget = budget
    this.peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const wake = (): void => this.#wake()
    socket.on('readable', wake).on('end', wake).on('close', wake)
    socket.on('error', () => {
      this.#failed = true
      wake()
    })
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /**
   * The bytes that have arrived, or `undefined` when the client has ended or clew is stopping. `pendingBytes` is how
   * much of an unfinished frame the caller holds. With 0 the client may be silent for the idle limit. Otherwise the
   * frame must be complete within the request limit after its first byte, or this throws `InputError`.
   */
  async read(pendingBytes: number): Promise<Uint8Array | undefined> {
    this.#hold(pendingBytes)
    if (pendingBytes === 0) this.#frameSince = undefined
    else this.#frameSince ??= performance.now()
    const { idleTimeoutMs, requestTimeoutMs } = this.#context.limits
    const since = this.#frameSince ?? performance.now()
    const deadline = since + (pendingBytes === 0 ? idleTimeoutMs : requestTimeoutMs)
    for (;;) {
      if (this.stopping) return undefined
      const chunk = this.#socket.read() as Buffer | null
      if (chunk !== null) return chunk
      if (this.#failed || this.#socket.readableEnded || this.#socket.destroyed) return undefined
      const leftMs = deadline - performance.now()
      if (leftMs > 0) await this.#readable(leftMs)
      else if (pendingBytes === 0) return undefined
      else throw new InputError('bad_request', `a frame was not complete ${requestTimeoutMs} ms after it began`)
    }
  }

  /** Call this when a frame was completed, so that the next one gets its own time. */
  completed(): void {
    this.#frameSince = undefined
  }

  /** True when the client closed its side properly, so that its last bytes are complete. */
  get endedWell(): boolean {
    return this.#socket.readableEnded && !this.#failed
  }

  async #readable(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, timeoutMs)
    })
    clearTimeout(timer)
  }

  #hold(bytes: number): void {
    if (bytes > this.#held) this.#budget.hold(bytes - this.#held)
    else this.#budget.release(this.#held - bytes)
    this.#held = bytes
  }

  /**
   * Stores what was received, and waits while the log has no room. `undefined` when the bytes were wrong as a whole,
   * which the intake has counted. Throws `UnavailableError` when clew stops before it could store them.
   */
  async take(received: Received): Promise<Taken | undefined> {
    for (;;) {
      try {
        return await this.#context.intake.take(received)
      } catch (error) {
        if (error instanceof InputError) return undefined
        if (!(error instanceof UnavailableError) || !error.canRetry || this.stopping) throw error
        await this.#pause(error.retryAfterMs > 0 ? error.retryAfterMs : retryAfterMsDefault)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(Math.min(ms, retryAfterMsMax), undefined, { signal: this.#stopping.signal }).catch(() => {})
  }

  /** Resolves when the bytes were passed to the system or the client is gone. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#failed || this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      this.#socket.once('close', resolve)
      this.#socket.write(bytes, () => {
        this.#socket.off('close', resolve)
        resolve()
      })
    })
  }

  /** Closes after everything written was sent. */
  async end(): Promise<void> {
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#context.limits.requestTimeoutMs)
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      this.#socket.once('close', done)
      this.#socket.end(done)
    })
    this.#socket.destroy()
  }

  /** Makes a waiting `read` return; bytes that were already read are still stored. */
  stop(): void {
    this.#stopping.abort()
    this.#wake()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  release(): void {
    this.#hold(0)
    this.#socket.destroy()
  }
}
