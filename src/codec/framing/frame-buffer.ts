/**
 * Cuts a stream of bytes into frames, whatever pieces it arrives in. A rule knows one protocol's frames. Bytes that it
 * has scanned are not scanned again, so a frame that arrives byte by byte costs no more than one that arrives whole.
 */
import { InputError } from '../../base/errors.ts'

export interface FrameRule {
  /** Forgets the current frame: the next call begins a new one. */
  reset(): void
  /**
   * Where the frame that begins at `start` ends, its delimiter included; -1 when more bytes are needed. Called again with
   * the same `start` relative to the frame and more bytes. Throws `InputError` when no frame can follow.
   */
  end(bytes: Uint8Array, start: number, stop: number): number
  /** The message inside a whole frame; an empty one is no message. */
  message(bytes: Uint8Array, start: number, end: number): Uint8Array
  /** Whether the bytes left at the end of the stream are a frame that only lacks its delimiter. */
  readonly endsWithStream: boolean
  /** Whether an unfinished frame is kept when the rest never arrives; false when absent. */
  readonly keepsUnfinished?: boolean
  /** What must arrive before a frame of this rule can be checked, for error messages. */
  readonly name: string
}

const noBytes = new Uint8Array(0)

export class FrameBuffer {
  readonly #rule: FrameRule
  readonly #bytesMax: number
  #bytes: Uint8Array = noBytes
  #start = 0
  #stop = 0
  #failure: InputError | undefined

  /** `bytesMax` bounds one frame, whole or unfinished. */
  constructor(rule: FrameRule, bytesMax: number) {
    this.#rule = rule
    this.#bytesMax = bytesMax
  }

  /** Bytes of the frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#stop - this.#start
  }

  get keepsUnfinished(): boolean {
    return this.#rule.keepsUnfinished === true
  }

  /**
   * The messages that `chunk` completes, up to where the stream can no longer be read. They refer to memory that is not
   * overwritten later.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.check()
    this.#append(chunk)
    const messages: Uint8Array[] = []
    try {
      for (let message = this.#next(); message !== undefined; message = this.#next()) {
        if (message.length > 0) messages.push(message)
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      this.#failure = error
    }
    // The messages keep this memory; the rest of the stream moves to new memory.
    if (messages.length > 0) this.#moveRest()
    return messages
  }

  /**
   * Call this after handling what `push` returned. Throws `InputError`: `too_large` for a frame over the bound,
   * `bad_request` when no frame can follow; the stream ends there.
   */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #next(): Uint8Array | undefined {
    if (this.#start >= this.#stop) return undefined
    const end = this.#rule.end(this.#bytes, this.#start, this.#stop)
    if ((end < 0 ? this.pendingBytes : end - this.#start) > this.#bytesMax) throw this.#tooLarge()
    if (end < 0) return undefined
    const message = this.#rule.message(this.#bytes, this.#start, end)
    this.#start = end
    this.#rule.reset()
    return message
  }

  /** Call this when the stream has ended properly: returns the rest, if it is a message without its delimiter. */
  finish(): Uint8Array[] {
    const rest = this.#bytes.subarray(this.#start, this.#stop)
    this.#bytes = noBytes
    this.#start = this.#stop = 0
    if (rest.length === 0 || !this.#rule.endsWithStream) return []
    const message = this.#rule.message(rest, 0, rest.length)
    this.#rule.reset()
    return message.length === 0 ? [] : [message]
  }

  #append(chunk: Uint8Array): void {
    if (this.pendingBytes === 0) {
      this.#bytes = chunk
      this.#start = 0
      this.#stop = chunk.length
      return
    }
    const needed = this.pendingBytes + chunk.length
    if (this.#start + needed > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(needed, Math.min(needed * 2, this.#bytesMax)))
      wider.set(this.#bytes.subarray(this.#start, this.#stop))
      this.#bytes = wider
      this.#stop -= this.#start
      this.#start = 0
    }
    this.#bytes.set(chunk, this.#stop)
    this.#stop += chunk.length
  }

  #moveRest(): void {
    this.#bytes = this.pendingBytes === 0 ? noBytes : this.#bytes.slice(this.#start, this.#stop)
    this.#stop -= this.#start
    this.#start = 0
  }

  #tooLarge(): InputError {
    return new InputError('too_large', `cannot take a ${this.#rule.name} of more than ${this.#bytesMax} bytes`)
  }
}
