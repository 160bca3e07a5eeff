/**
 * Frames that end with one byte:
 *   line  = *byte LF, a CR before it left out          frame = *byte NUL     (GELF over TCP)
 */
import type { FrameRule } from './frame-buffer.ts'

class Delimited implements FrameRule {
  readonly endsWithStream = true
  readonly name: string
  readonly #delimiter: number
  /** Bytes of the frame that hold no delimiter. */
  #seen = 0

  constructor(name: string, delimiter: number) {
    this.name = name
    this.#delimiter = delimiter
  }

  reset(): void {
    this.#seen = 0
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    const from = start + this.#seen
    const found = bytes.indexOf(this.#delimiter, from)
    // The buffer may be longer than what it holds.
    if (found >= 0 && found < stop) return found + 1
    this.#seen = stop - start
    return -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let last = end
    if (last > start && bytes[last - 1] === this.#delimiter) last--
    if (this.#delimiter === 0x0a && last > start && bytes[last - 1] === 0x0d) last--
    return bytes.subarray(start, last)
  }
}

export const lineFrames = (): FrameRule => new Delimited('line', 0x0a)
export const nulFrames = (): FrameRule => new Delimited('GELF message', 0x00)
