import { InputError } from '../../base/errors.ts'

/** Reads byte counts and lines from a stream of chunks. It holds no more than the requested bytes and one chunk. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #held: Uint8Array = new Uint8Array(0)
  #offset = 0
  readonly #takeBytesMax: number

  /** Largest number of bytes that one call may take, because a wrong length in a file must not use up the memory. */
  constructor(chunks: AsyncIterable<Uint8Array>, takeBytesMax: number) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#takeBytesMax = takeBytesMax
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset
  }

  /** The next bytes without taking them; fewer than `count` only at the end. */
  async peek(count: number): Promise<Uint8Array> {
    await this.#hold(count)
    return this.#held.subarray(0, count)
  }

  /** Exactly `count` bytes; throws `InputError` when the stream ends before. */
  async take(count: number): Promise<Uint8Array> {
    this.#check(count)
    await this.#hold(count)
    if (this.#held.length < count) {
      throw new InputError(
        'unsupported_media_type',
        `ends ${count - this.#held.length} bytes too early, in what begins at byte ${this.#offset}`,
      )
    }
    return this.#cut(count, count)
  }

  /** The bytes up to the next line break, which is dropped; `undefined` at the end. */
  async takeLine(): Promise<Uint8Array | undefined> {
    let searched = 0
    for (;;) {
      const end = this.#held.indexOf(0x0a, searched)
      if (end >= 0) return this.#cut(end, end + 1)
      searched = this.#held.length
      this.#check(searched)
      // Doubled each time, so that a long line is not joined again with every chunk.
      await this.#hold(Math.max(1, searched * 2))
      if (this.#held.length === searched) return searched === 0 ? undefined : this.#cut(searched, searched)
    }
  }

  #cut(length: number, taken: number): Uint8Array {
    const bytes = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(taken)
    this.#offset += taken
    return bytes
  }

  #check(count: number): void {
    if (count <= this.#takeBytesMax) return
    const message = `over ${this.#takeBytesMax} bytes in one piece at byte ${this.#offset}`
    throw new InputError('too_large', message)
  }

  /** Reads on until `count` bytes are held; returns whether it succeeded. Joins chunks once, not at each chunk. */
  async #hold(count: number): Promise<boolean> {
    const parts = [this.#held]
    let length = this.#held.length
    while (length < count) {
      const next = await this.#chunks.next()
      if (next.done === true) break
      parts.push(next.value)
      length += next.value.length
    }
    if (parts.length > 1) this.#held = Buffer.concat(parts)
    return length >= count
  }
}
