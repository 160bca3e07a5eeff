/**
 * GELF messages that are larger than a datagram (GELF 1.1, "Chunking"):
 *   chunk = 1e 0f · message id, 8 bytes · number u8 from 0 · count u8, 1 to 128 · part of the message
 * All chunks of a message must arrive within five seconds; a message that is incomplete by then is dropped and counted.
 */
const headerBytes = 12
const countMax = 128
const timeoutMs = 5000
/** The maximum number of unfinished messages; a new one beyond it replaces the oldest. */
const unfinishedMax = 1000
const unfinishedBytesMax = 64 * 1024 * 1024

interface Unfinished {
  readonly parts: (Uint8Array | undefined)[]
  missing: number
  bytes: number
  readonly sinceMs: number
}

export class GelfChunks {
  readonly #unfinished = new Map<string, Unfinished>()
  /** Messages that were completed, and when, for as long as their chunks may arrive again. */
  readonly #complete = new Map<string, number>()
  #bytes = 0
  readonly #onDrop: (datagrams: number, cause: string) => void

  /** `onDrop` gets the number of lost datagrams, and the reason. */
  constructor(onDrop: (datagrams: number, cause: string) => void) {
    this.#onDrop = onDrop
  }

  get unfinished(): number {
    return this.#unfinished.size
  }

  static isChunk(datagram: Uint8Array): boolean {
    return datagram[0] === 0x1e && datagram[1] === 0x0f
  }

  /** The whole message when this was its last missing chunk. `peer` separates two senders that use the same id. */
  add(datagram: Uint8Array, peer: string, nowMs: number): Uint8Array | undefined {
    this.expire(nowMs)
    const number = datagram[10] ?? 0
    const count = datagram[11] ?? 0
    if (datagram.length <= headerBytes || count === 0 || count > countMax || number >= count) {
      this.#onDrop(1, `a GELF chunk is wrong: number ${number} of ${count} in ${datagram.length} bytes`)
      return undefined
    }
    const key = `${peer} ${Buffer.from(datagram.subarray(2, 10)).toString('latin1')}`
    // The network may deliver a chunk twice, even when its message is already complete.
    if (this.#complete.has(key)) return undefined
    const message = this.#unfinished.get(key) ?? this.#begin(key, count, nowMs)
    if (message.parts.length !== count || message.parts[number] !== undefined) return undefined
    const part = datagram.subarray(headerBytes)
    message.parts[number] = part
    message.bytes += part.length
    this.#bytes += part.length
    if (--message.missing > 0) {
      while (this.#bytes > unfinishedBytesMax) this.#dropOldest('too many bytes of unfinished GELF messages')
      return undefined
    }
    this.#forget(key, message)
    this.#complete.set(key, nowMs)
    return Buffer.concat(message.parts as Uint8Array[])
  }

  expire(nowMs: number): void {
    for (const [key, sinceMs] of this.#complete) {
      if (nowMs - sinceMs < timeoutMs && this.#complete.size <= unfinishedMax) break
      this.#complete.delete(key)
    }
    for (const message of this.#unfinished.values()) {
      if (nowMs - message.sinceMs < timeoutMs) return
      this.#dropOldest(`a GELF message was not complete after ${timeoutMs} ms`)
    }
  }

  #begin(key: string, count: number, nowMs: number): Unfinished {
    if (this.#unfinished.size >= unfinishedMax) this.#dropOldest('too many unfinished GELF messages')
    const message = { parts: Array.from({ length: count }, () => undefined), missing: count, bytes: 0, sinceMs: nowMs }
    this.#unfinished.set(key, message)
    return message
  }

  #dropOldest(cause: string): void {
    const [oldest] = this.#unfinished
    if (oldest === undefined) return
    const [key, message] = oldest
    this.#forget(key, message)
    this.#onDrop(message.parts.length - message.missing, cause)
  }

  #forget(key: string, message: Unfinished): void {
    this.#unfinished.delete(key)
    this.#bytes -= message.bytes
  }
}
