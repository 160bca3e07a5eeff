/**
 * Sends elements to an OTLP receiver over HTTP in requests of bounded size. Retries 429, 502, 503, 504 and broken
 * connections (OTLP specification, "Retryable Response Codes"). A request that the receiver rejects for good is halved
 * until only the faulty elements are left, so that all others are stored.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError } from '../../base/errors.ts'
import { parseRowWarnings, type RowWarnings } from '../../base/row-warnings.ts'
import { unreachable } from '../api-client.ts'
import { signalPaths, splitElement } from './grammar.ts'
import type { Element } from './grammar.ts'

export interface SenderOptions {
  /** Address of the receiver, without `/v1/…`. */
  readonly url: string
  readonly requestBytesMax: number
  readonly concurrentRequests: number
  /** How long one request is retried. */
  readonly retryMs: number
  /** Called with each reason for which records were rejected. */
  readonly onRefused: (message: string) => void
}

export interface Totals {
  accepted: number
  rejected: number
  /** Accepted records whose times or values the receiver warned about. */
  warned: RowWarnings
  requests: number
  retries: number
}

const noWarnings: RowWarnings = { beforeRetention: 0, ahead: 0, repaired: 0 }

const retryableStatus = new Set([429, 502, 503, 504])
const backoffMs = { first: 200, max: 10_000 }
const requestTimeoutMs = 60_000

export class OtlpSender {
  readonly #options: SenderOptions
  readonly totals: Totals = { accepted: 0, rejected: 0, warned: noWarnings, requests: 0, retries: 0 }
  /** Requests being filled, by kind. */
  readonly #open = new Map<string, { readonly elements: Element[]; bytes: number }>()
  readonly #running = new Set<Promise<void>>()
  #failure: unknown
  #hasAnswered = false

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Resolves when there is room for more; throws when the receiver cannot be reached. */
  async send(element: Element): Promise<void> {
    for (const piece of splitElement(element, this.#options.requestBytesMax)) {
      // A file may contain traces and logs in turns, so a request of each kind is filled at the same time.
      const kind = `${piece.signal} ${piece.grammar.contentType}`
      const bytes = piece.bytes.length + 8 // a tag and length, or a comma
      const open = this.#open.get(kind)
      if (open !== undefined && open.bytes + bytes <= this.#options.requestBytesMax) {
        open.elements.push(piece)
        open.bytes += bytes
        continue
      }
      this.#open.set(kind, { elements: [piece], bytes })
      if (open !== undefined) await this.#begin(open.elements)
    }
  }

  /** Sends what is left and waits for all answers. */
  async finish(): Promise<void> {
    for (const { elements } of this.#open.values()) await this.#begin(elements)
    this.#open.clear()
    await Promise.all(this.#running)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #begin(elements: readonly Element[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const running = this.#deliver(elements).catch((error: unknown) => {
      this.#failure ??= error
    })
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
    if (this.#running.size >= this.#options.concurrentRequests) await Promise.race(this.#running)
  }

  async #deliver(elements: readonly Element[]): Promise<void> {
    const [first] = elements
    if (first === undefined) return
    const { grammar, signal } = first
    const body = grammar.request(
      signal,
      elements.map((element) => element.bytes),
    )
    const { status, bytes } = await this.#post(signalPaths[signal], grammar.contentType, body)
    const records = elements.reduce((sum, element) => sum + element.records, 0)
    if (status >= 200 && status < 300) {
      const { rejected, message } = grammar.readSuccess(bytes)
      this.totals.accepted += records - rejected
      this.totals.rejected += rejected
      if (!this.#countWarnings(message) && message !== '') this.#options.onRefused(message)
      return
    }
    if (elements.length > 1 && (status === 400 || status === 413)) {
      const middle = elements.length >> 1
      await this.#deliver(elements.slice(0, middle))
      await this.#deliver(elements.slice(middle))
      return
    }
    const reason = grammar.readFailure(bytes) || `status ${status}`
    if (status !== 400 && status !== 413) {
      const message = `cannot import into ${this.#options.url}: ${reason}`
      throw new UnavailableError('io_failed', message, { canRetry: false })
    }
    this.totals.rejected += records
    this.#options.onRefused(`${first.place}: ${reason}`)
  }

  /** Adds up the counts in the receiver's warning. Returns false when it reports anything else, or rejections too. */
  #countWarnings(message: string): boolean {
    const found = parseRowWarnings(message)
    const { warned } = this.totals
    this.totals.warned = {
      beforeRetention: warned.beforeRetention + found.beforeRetention,
      ahead: warned.ahead + found.ahead,
      repaired: warned.repaired + found.repaired,
    }
    return /^\d/.test(message) && found.beforeRetention + found.ahead + found.repaired > 0
  }

  async #post(path: string, contentType: string, body: Uint8Array): Promise<{ status: number; bytes: Uint8Array }> {
    const { url, retryMs } = this.#options
    const giveUpAt = Date.now() + retryMs
    for (let attempt = 0; ; attempt += 1) {
      this.totals.requests += 1
      let waitMs = Math.min(backoffMs.max, backoffMs.first * 2 ** attempt)
      let failure: unknown
      try {
        const response = await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': contentType },
          body: body as Uint8Array<ArrayBuffer>,
          signal: AbortSignal.timeout(requestTimeoutMs),
        })
        this.#hasAnswered = true
        const bytes = await response.bytes()
        if (!retryableStatus.has(response.status)) return { status: response.status, bytes }
        waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now()) ?? waitMs
        failure = new UnavailableError(
          'too_many_requests',
          `cannot import into ${url}: it still answers ${response.status} after ${retryMs} ms`,
        )
      } catch (error) {
        failure = unreachable(url, error, '--otlp-url')
        // Retries bridge a restart of clew. Without an earlier answer nobody may be listening at all, so give up.
        if (!this.#hasAnswered && isNobodyThere(error)) throw failure
      }
      if (Date.now() + waitMs > giveUpAt) throw failure
      this.totals.retries += 1
      await sleep(waitMs)
    }
  }
}

function isNobodyThere(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code ?? '')
}

/** RFC 9110 §10.2.3: seconds or an HTTP date. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
