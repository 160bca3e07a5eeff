/**
 * How much may still be written before a file system is as full as it may get. The system is asked only now and then.
 */
import { statfs } from 'node:fs/promises'
import { printSize } from '../../base/size.ts'

const askAgainMs = 500

export class FreeSpace {
  readonly #dir: string
  readonly #minFreeBytes: number
  #roomBytes = 0
  #askedAtMs = -Infinity

  constructor(dir: string, minFreeBytes: number) {
    this.#dir = dir
    this.#minFreeBytes = minFreeBytes
  }

  /** The message when there is no room. */
  get lackText(): string {
    const kept = this.#minFreeBytes === 0 ? 'full' : `full but for the ${printSize(this.#minFreeBytes)} kept free`
    return `the disk of ${this.#dir} is ${kept} (disk.min_free): make room on it, or lower retention`
  }

  /** Whether `bytes` more leave `minFreeBytes` free; counts them as written if so. */
  async take(bytes: number): Promise<boolean> {
    const nowMs = performance.now()
    if (bytes > this.#roomBytes || nowMs - this.#askedAtMs > askAgainMs) {
      const { bavail, bsize } = await statfs(this.#dir)
      this.#roomBytes = bavail * bsize - this.#minFreeBytes
      this.#askedAtMs = nowMs
    }
    if (bytes > this.#roomBytes) return false
    this.#roomBytes -= bytes
    return true
  }
}
