/**
 * Exact copies of a batch's columns in one piece of memory: some twenty buffers for each request cost the collector as
 * much as the rest of the request (bench/ingest).
 */
import { bufferPool } from '../base/buffer-pool.ts'

export class ColumnPack {
  readonly #buffer: ArrayBuffer
  #at = 0

  /** `bytes` for all columns together; each may begin up to 7 bytes after the end of the one before. */
  constructor(bytes: number, columns: number) {
    this.#buffer = bufferPool.take(bytes + columns * 8)
  }

  bytes(source: Uint8Array, count: number): Uint8Array {
    const column = new Uint8Array(this.#buffer, this.#take(count), count)
    column.set(source.subarray(0, count))
    return column
  }

  words(source: Uint32Array, count: number): Uint32Array {
    const column = new Uint32Array(this.#buffer, this.#take(count * 4), count)
    column.set(source.subarray(0, count))
    return column
  }

  /** 64-bit values from their words, low ones first. */
  nanos(words: Uint32Array, count: number): BigInt64Array {
    const column = this.words(words, count * 2)
    return new BigInt64Array(this.#buffer, column.byteOffset, count)
  }

  #take(bytes: number): number {
    const at = this.#at
    this.#at = (at + bytes + 7) & ~7
    return at
  }
}
