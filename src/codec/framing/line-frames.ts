/** Lines as frames: *byte LF; a CR before it is left out. */
import type { FrameRule } from './frame-buffer.ts'

const lineFeed = 0x0a

class LineFrames implements FrameRule {
  readonly endsWithStream = true
  /** Half a line of text is better than none. */
  readonly keepsUnfinished = true
  readonly name = 'line'
  /** Bytes of the frame already searched, without a line end. */
  #seen = 0

  reset(): void {
    this.#seen = 0
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    const from = start + this.#seen
    const found = bytes.indexOf(lineFeed, from)
    // The buffer may be longer than its content.
    if (found >= 0 && found < stop) return found + 1
    this.#seen = stop - start
    return -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let last = end
    if (last > start && bytes[last - 1] === lineFeed) last--
    if (last > start && bytes[last - 1] === 0x0d) last--
    return bytes.subarray(start, last)
  }
}

export const lineFrames = (): FrameRule => new LineFrames()
