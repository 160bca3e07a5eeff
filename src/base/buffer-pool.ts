/**
 * Large buffers that are reused: request bodies and the columns of batches. A new buffer for each request costs a page
 * fault for every 4 KiB. As memory outside the collector's heap it also costs a full collection for every 64 MiB
 * (bench/ingest). Lending is only an optimisation: a buffer that is not given back is collected like any other. So only
 * the one place where most batches end gives buffers back.
 */

const bytesMin = 1 << 16
/** Larger buffers are rare and are left to the collector. */
const bytesMax = 1 << 23
/** The maximum total size of the free buffers. */
const freeBytesMax = 64 << 20

export class BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>()
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** At least this many bytes, contents undefined. */
  take(bytes: number): ArrayBuffer {
    // Not from Node's own slabs, which other buffers share.
    if (bytes < bytesMin || bytes > bytesMax) return Buffer.allocUnsafeSlow(bytes).buffer
    const size = sizeFor(bytes)
    let buffer = this.#free.get(size)?.pop()
    if (buffer === undefined) buffer = Buffer.allocUnsafeSlow(size).buffer
    else this.#freeBytes -= size
    this.#lent.add(buffer)
    return buffer
  }

  /** Takes back a buffer that is no longer used. Ignores a buffer that was not lent, or was given back before. */
  give(buffer: ArrayBufferLike): void {
    if (!this.#lent.delete(buffer) || this.#freeBytes + buffer.byteLength > freeBytesMax) return
    const alike = this.#free.get(buffer.byteLength)
    if (alike === undefined) this.#free.set(buffer.byteLength, [buffer as ArrayBuffer])
    else alike.push(buffer as ArrayBuffer)
    this.#freeBytes += buffer.byteLength
  }

  /** Drops the free buffers. */
  release(): void {
    this.#free.clear()
    this.#freeBytes = 0
  }
}

/** Powers of two and the sizes midway, so that at most a third of a buffer is unused. */
function sizeFor(bytes: number): number {
  const power = 2 ** Math.ceil(Math.log2(bytes))
  return bytes <= power * 0.75 ? power * 0.75 : power
}

/** One pool for the process, because codecs are functions that cannot keep one. */
export const bufferPool = new BufferPool()
