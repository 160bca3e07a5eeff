/**
 * Large buffers that are used again: request bodies and the columns of batches. Made again for each request they cost a
 * page fault for every 4 KiB and, as memory outside the collector's heap, a full collection for every 64 MiB
 * (bench/ingest). Lending is an optimisation only: a buffer that is not given back goes to the collector like any other,
 * so only the one place where most batches end gives back.
 */

const bytesMin = 1 << 16
/** Larger ones are rare and go to the collector. */
const bytesMax = 1 << 23
/** Of free buffers, at the most. */
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
    // Not from Node's own slabs, whose neighbours belong to others.
    if (bytes < bytesMin || bytes > bytesMax) return Buffer.allocUnsafeSlow(bytes).buffer
    const size = sizeFor(bytes)
    let buffer = this.#free.get(size)?.pop()
    if (buffer === undefined) buffer = Buffer.allocUnsafeSlow(size).buffer
    else this.#freeBytes -= size
    this.#lent.add(buffer)
    return buffer
  }

  /**
   * Takes back a buffer that nobody will look at any more; one that was not lent, or was given back before, is left
   * alone.
   */
  give(buffer: ArrayBufferLike): void {
    if (!this.#lent.delete(buffer) || this.#freeBytes + buffer.byteLength > freeBytesMax) return
    const alike = this.#free.get(buffer.byteLength)
    if (alike === undefined) this.#free.set(buffer.byteLength, [buffer as ArrayBuffer])
    else alike.push(buffer as ArrayBuffer)
    this.#freeBytes += buffer.byteLength
  }

  /** Lets go of the free buffers. */
  release(): void {
    this.#free.clear()
    this.#freeBytes = 0
  }
}

/** Powers of two and the sizes midway, so that at most a third lies idle. */
function sizeFor(bytes: number): number {
  const power = 2 ** Math.ceil(Math.log2(bytes))
  return bytes <= power * 0.75 ? power * 0.75 : power
}

/** The process's own, as codecs are functions without a place of their own. */
export const bufferPool = new BufferPool()
