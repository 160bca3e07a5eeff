/** Drives shoppers through the gateway at a steady rate. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Journey, journeyOf } from './journeys.ts'

export interface LoadOptions {
  readonly gatewayUrl: string
  /** Requests per second. */
  readonly rate: number
  readonly seed: number
  /** Ends the load; journeys under way are given up. */
  readonly signal: AbortSignal
}

export interface LoadCounts {
  requests: number
  /** Answers by class: `2xx`, `4xx`, `5xx`, and `none` for requests that got no answer. */
  answers: Record<string, number>
  /** Requests left out because the shop is too slow for the rate. */
  leftOut: number
}

const journeysMax = 64
const requestTimeoutMs = 15_000

export class Load {
  readonly counts: LoadCounts = { requests: 0, answers: {}, leftOut: 0 }
  readonly #options: LoadOptions

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /**
   * Runs until the signal. Journeys begin at the times that keep the rate, whether earlier ones have ended or not, as
   * shoppers do not wait for each other; within a journey one step follows the other.
   */
  async run(): Promise<void> {
    const { rate, seed, signal } = this.#options
    const underWay = new Set<Promise<void>>()
    let dueMs = Date.now()
    for (let number = 0; !signal.aborted; number++) {
      const journey = journeyOf(seed, number)
      if (underWay.size < journeysMax) {
        const walked = this.#walk(journey).finally(() => underWay.delete(walked))
        underWay.add(walked)
      } else {
        this.counts.leftOut += journey.steps.length
      }
      dueMs = Math.max(dueMs + (journey.steps.length * 1000) / rate, Date.now() - 1000)
      await sleep(Math.max(0, dueMs - Date.now()), undefined, { signal }).catch(() => {})
    }
    await Promise.all(underWay)
  }

  async #walk(journey: Journey): Promise<void> {
    for (const step of journey.steps) {
      if (this.#options.signal.aborted) return
      const answer = await this.#send(journey, step)
      this.counts.requests += 1
      this.counts.answers[answer] = (this.counts.answers[answer] ?? 0) + 1
    }
  }

  /** The class of the answer's status. */
  async #send({ user }: Journey, { method, path, body }: Journey['steps'][number]): Promise<string> {
    try {
      const response = await fetch(this.#options.gatewayUrl + path, {
        method,
        headers: { baggage: `user.id=${user}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.#options.signal, AbortSignal.timeout(requestTimeoutMs)]),
      })
      await response.arrayBuffer()
      return `${Math.floor(response.status / 100)}xx`
    } catch {
      return 'none'
    }
  }
}
