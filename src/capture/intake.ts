/**
 * The only way from a receiver into clew: unpack, decode, append to the log, hand the columns on. When `take` resolves,
 * the data is durable and the receiver may answer success.
 */
import { UnavailableError } from '../base/errors.ts'
import { printRowWarnings } from '../base/row-warnings.ts'
import { Turn } from '../base/turn.ts'
import type { Batch, Codec } from '../codec/codec.ts'
import { decompress } from '../codec/compression.ts'
import type { LargeBodies } from '../codec/thread/large-bodies.ts'
import { BatchLease } from '../model/batch-lease.ts'
import { slicesOf } from '../model/batch-slices.ts'
import type { BatchSink } from '../model/intake.ts'
import type { Log, RecordHeader } from '../model/log.ts'
import { countFailure, type IntakeCounters, type ProtocolCounts } from './counters.ts'
import type { FarCounts, FarTimes } from './far-times.ts'
import { MemoryGate } from './memory-gate.ts'

export interface Received {
  /** Name of the protocol in counters and status: `otlp/http`, `zipkin`, `forward`, … */
  readonly protocol: string
  readonly codec: Codec
  /** Bytes as they were sent. */
  readonly body: Uint8Array
  /** Content encoding of `body`, '' for none. */
  readonly encoding?: string
  readonly tenant?: string
  readonly receivedAtMs?: number
  /** False for protocols without answers, where equal bytes are not a retry; default true. */
  readonly retryable?: boolean
}

export interface Taken {
  readonly accepted: number
  readonly rejected: number
  /** What was wrong with the first rejected row; '' when none was. */
  readonly rejectedReason: string
  /** What the sender should know about the rows that were stored, see row-warnings.ts; '' for nothing. */
  readonly warning: string
  /** The same body was stored a moment ago: a client's retry. Nothing was stored again. */
  readonly duplicate: boolean
}

export interface IntakeOptions {
  readonly log: Log
  readonly sink: BatchSink
  readonly counters: IntakeCounters
  /** Decodes large bodies off the event loop; without it every body is decoded at once. */
  readonly largeBodies?: LargeBodies
  /** Counts rows whose times are far off; without it they are not checked. */
  readonly farTimes?: FarTimes
  /** Largest body after decompression. */
  readonly bodyBytesMax: number
  /** Requests being decoded or waiting for the disk; beyond this number they are refused with a time to retry. */
  readonly concurrentMax: number
  /** Unpacked bytes of requests being processed; by default room for four of the largest. */
  readonly memoryBytesMax?: number
}

/** The assumed expansion factor of a packed body; telemetry packs to a tenth, rarely to less than a twentieth. */
const unpackedTimes = 16

const warningDetails = {
  beforeRetention: "look at the sender's clock and unit (nanoseconds), or raise the retention",
  ahead: "look at the sender's clock and unit (nanoseconds)",
}

export class Intake {
  readonly #options: IntakeOptions
  readonly #memory: MemoryGate
  #underWay = 0
  #closed = false
  #idle: (() => void) | undefined

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#memory = new MemoryGate(options.memoryBytesMax ?? 4 * options.bodyBytesMax)
  }

  get bodyBytesMax(): number {
    return this.#options.bodyBytesMax
  }

  get counters(): IntakeCounters {
    return this.#options.counters
  }

  /**
   * Throws `InputError` when the body as a whole is wrong, `UnavailableError` when clew cannot promise durability now
   * (log full, disk full, too many requests, shutting down); each is counted under the protocol.
   */
  async take(received: Received): Promise<Taken> {
    const counts = this.#options.counters.of(received.protocol, received.codec.signal)
    counts.requests++
    if (this.#closed)
      throw this.#refuse(counts, new UnavailableError('shutting_down', 'clew is stopping', { retryAfterMs: 2000 }))
    if (this.#underWay >= this.#options.concurrentMax) {
      const message = `more than ${this.#options.concurrentMax} requests are being stored at once`
      throw this.#refuse(counts, new UnavailableError('too_many_requests', message, { retryAfterMs: 1000 }))
    }
    this.#underWay++
    try {
      return await this.#storeWithin(received, counts)
    } catch (error) {
      countFailure(counts, error)
      throw error
    } finally {
      if (--this.#underWay === 0) this.#idle?.()
    }
  }

  /** Stores as much as there is room for, and waits for room if needed. */
  async #storeWithin(received: Received, counts: ProtocolCounts): Promise<Taken> {
    const { bodyBytesMax } = this.#options
    const { body } = received
    const encoding = received.encoding ?? ''
    const isPacked = encoding !== '' && encoding !== 'identity'
    let held = isPacked ? Math.min(body.length * unpackedTimes, bodyBytesMax) : body.length
    await this.#memory.enter(held, isPacked)
    try {
      const plain = isPacked ? await this.#unpack(received, held) : await decompress('', body, bodyBytesMax)
      held = plain.length
      return await this.#store(received, plain, counts)
    } finally {
      this.#memory.leave(held)
    }
  }

  /** Corrects the reserved bytes to the body's real size; keeps the guess if it cannot be unpacked. */
  async #unpack({ body, encoding }: Received, guessed: number): Promise<Uint8Array> {
    let bytes = guessed
    try {
      const plain = await decompress(encoding ?? '', body, this.#options.bodyBytesMax)
      bytes = plain.length
      return plain
    } finally {
      this.#memory.settle(guessed, bytes)
    }
  }

  async #store(received: Received, plain: Uint8Array, counts: ProtocolCounts): Promise<Taken> {
    const { log, sink, largeBodies } = this.#options
    const encoding = received.encoding ?? ''
    const receivedAtMs = received.receivedAtMs ?? Date.now()
    const { codec } = received
    const decoding = largeBodies?.decode(codec, plain, { receivedAtMs }) ?? codec.decode(plain, { receivedAtMs })
    const decoded = decoding instanceof Promise ? await decoding : decoding
    const { batch, rejected, rejectedReason, repaired = 0, repairedReason = '' } = decoded
    counts.bytes += received.body.length
    counts.rejected += rejected
    counts.repaired += repaired
    if (rejected + repaired > 0) counts.lastError = rejectedReason || repairedReason
    if (batch.rows === 0) return { accepted: 0, rejected, rejectedReason, warning: '', duplicate: false }
    const accepted = batch.rows
    const header: RecordHeader = {
      signal: codec.signal,
      codec: codec.name,
      encoding,
      tenant: received.tenant ?? '',
      receivedAtMs,
    }
    const record = { ...header, body: received.body, retryable: received.retryable ?? true }
    const { partition, position, duplicate } = await log.append(record)
    const lease = new BatchLease(batch)
    try {
      if (duplicate) counts.duplicates++
      else {
        counts.accepted += accepted
        const offering = sink.offer({ partition, position }, lease, header)
        if (offering instanceof Promise) await offering
      }
      const far = await this.#farRowsOf(received.protocol, batch, receivedAtMs, duplicate)
      const warning = printRowWarnings({ ...far, repaired }, { ...warningDetails, repaired: repairedReason })
      return { accepted, rejected, rejectedReason, warning, duplicate }
    } finally {
      lease.release()
    }
  }

  async #farRowsOf(protocol: string, batch: Batch, receivedAtMs: number, isRepeated: boolean): Promise<FarCounts> {
    const { farTimes } = this.#options
    const far = { beforeRetention: 0, ahead: 0 }
    if (farTimes === undefined) return far
    const turn = new Turn()
    for (const slice of slicesOf(batch)) {
      if (turn.isOver) await turn.next()
      const { beforeRetention, ahead } = farTimes.look(protocol, slice, receivedAtMs, isRepeated)
      far.beforeRetention += beforeRetention
      far.ahead += ahead
    }
    return far
  }

  #refuse(counts: ProtocolCounts, error: UnavailableError): UnavailableError {
    countFailure(counts, error)
    return error
  }

  /** Refuses new requests and resolves when all current ones are answered. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
  }
}
