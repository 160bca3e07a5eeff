/**
 * Clients that send numbered requests (numbered-requests.ts) to a clew over HTTP, protobuf and JSON, as fast as they are
 * answered, and remember what was acknowledged. The clew may go away and come back elsewhere.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ending } from './served.ts'
import { spansOf, traceRequest, traceRequestJson } from './numbered-requests.ts'

export interface LoadOptions {
  readonly clients: number
  /** Whether a request that got no answer is sent again, the same bytes, until it is answered. */
  readonly retries: boolean
  readonly pauseMs?: number
}

export class NumberedLoad {
  /** Numbers of requests answered with success. */
  readonly acknowledged = new Set<number>()
  /** Requests sent at least once: their numbers are below. */
  sent = 0
  /** Requests sent again. */
  resent = 0
  /** Answers other than success, by status. */
  readonly refusals = new Map<number, number>()
  readonly #options: LoadOptions
  readonly #clients: Promise<void>[] = []
  #url: string | undefined
  #isFinishing = false
  #isAbandoned = false

  /** The clients give up when the test ends. */
  constructor(t: Ending, options: LoadOptions) {
    this.#options = options
    t.after(() => void (this.#isAbandoned = true))
  }

  /** From now on requests go to this address; the first call starts the clients. */
  sendTo(otlpUrl: string): void {
    this.#url = otlpUrl
    if (this.#clients.length > 0) return
    for (let client = 0; client < this.#options.clients; client++) this.#clients.push(this.#run(client % 2 === 1))
  }

  /** Nothing listens any more. */
  pause(): void {
    this.#url = undefined
  }

  /** Begins no new request; resolves when each client has finished its last one. */
  async finish(): Promise<void> {
    this.#isFinishing = true
    await Promise.all(this.#clients)
  }

  /** Numbers of the spans acknowledged. */
  acknowledgedSpans(): number[] {
    return [...this.acknowledged].flatMap(spansOf)
  }

  async #run(isJson: boolean): Promise<void> {
    while (!this.#isFinishing && !this.#isAbandoned) {
      if (this.#url === undefined) {
        await sleep(5)
        continue
      }
      const n = this.sent++
      const body = isJson ? traceRequestJson(n) : traceRequest(n)
      const type = isJson ? 'application/json' : 'application/x-protobuf'
      let isAcknowledged = await this.#send(body, type)
      while (!isAcknowledged && this.#options.retries && !this.#isAbandoned) {
        this.resent++
        isAcknowledged = await this.#send(body, type)
      }
      if (isAcknowledged) this.acknowledged.add(n)
      await sleep(this.#options.pauseMs ?? 1)
    }
  }

  /** Whether the request was acknowledged. */
  async #send(body: string | Buffer, type: string): Promise<boolean> {
    while (this.#url === undefined && !this.#isAbandoned) await sleep(5)
    try {
      const headers = { 'content-type': type }
      const response = await fetch(`${this.#url}/v1/traces`, {
        method: 'POST',
        headers,
        body: new Uint8Array(Buffer.from(body)),
      })
      await response.arrayBuffer()
      if (response.status === 200) return true
      this.refusals.set(response.status, (this.refusals.get(response.status) ?? 0) + 1)
    } catch {
      // Refused, or cut off in the middle: whether it was stored is not known.
    }
    await sleep(10)
    return false
  }
}
