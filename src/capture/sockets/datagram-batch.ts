/**
 * Gathers datagrams for a moment, so that many small ones are one record in the log and one write to the disk: up to
 * `waitMs` after the first, or until they have `bytesMax` together.
 */
import { InputError, messageOf } from '../../base/errors.ts'
import type { Codec } from '../../codec/codec.ts'
import { encodePeerMessages, messageOverheadBytes, type PeerMessage } from '../../codec/framing/peer-messages.ts'
import type { ProtocolCounts } from '../counters.ts'
import type { Intake } from '../intake.ts'

export interface DatagramBatchOptions {
  readonly protocol: string
  readonly codec: Codec
  readonly intake: Intake
  readonly counts: ProtocolCounts
}

const waitMs = 20
const bytesMax = 256 * 1024
/** The maximum number of records not yet on disk; beyond it, datagrams are dropped. 32 · 256 KiB = 8 MiB. */
const underWayMax = 32

export class DatagramBatch {
  readonly #options: DatagramBatchOptions
  #messages: PeerMessage[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: DatagramBatchOptions) {
    this.#options = options
  }

  add(peer: string, body: Uint8Array): void {
    this.#messages.push({ peer, body })
    this.#bytes += body.length + messageOverheadBytes
    if (this.#bytes >= bytesMax) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), waitMs)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const messages = this.#messages
    if (messages.length === 0) return
    this.#messages = []
    this.#bytes = 0
    if (this.#underWay.size >= underWayMax) return this.#drop(messages.length, 'the disk is slower than the senders')
    const stored = this.#store(messages)
    this.#underWay.add(stored)
    void stored.then(() => this.#underWay.delete(stored))
  }

  async #store(messages: readonly PeerMessage[]): Promise<void> {
    const { protocol, codec, intake } = this.#options
    try {
      await intake.take({ protocol, codec, body: encodePeerMessages(messages), retryable: false })
    } catch (error) {
      // The intake has already counted an invalid body.
      if (!(error instanceof InputError)) this.#drop(messages.length, messageOf(error))
    }
  }

  #drop(datagrams: number, cause: string): void {
    this.#options.counts.dropped += datagrams
    this.#options.counts.lastError = `${datagrams} datagrams were dropped: ${cause}`
  }

  /** Stores the gathered datagrams. */
  async close(): Promise<void> {
    this.#flush()
    await Promise.all(this.#underWay)
  }
}
