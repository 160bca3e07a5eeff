/**
 * Frames that end with one byte:
 *   line  = *byte LF, a CR before it left out          frame = *byte NUL     (GELF over TCP)
 *   line of syslog = *byte ( LF | NUL )                ; RFC 6587 §3.4.2 has met both
 */
import type { FrameRule } from './frame-buffer.ts'

class Delimited implements FrameRule {
  readonly endsWithStream = true
  readonly name: string
  readonly #delimiter: number
  readonly #other: number | undefined
  /** Bytes of the frame that hold no delimiter. */
  #seen = 0

  constructor(name: string, delimiter: number, other?: number) {
    this.name = name
    this.#delimiter = delimiter
    this.#other = other
  }

  reset(): void {
    this.#seen = 0
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    const from = start + this.#seen
    const found = bytes.indexOf(this.#delimiter, from)
    // The buffer may be longer than what it holds.
    const end = found >= 0 && found < stop ? found : -1
    const other = this.#other === undefined ? -1 : bytes.subarray(from, end < 0 ? stop : end).indexOf(this.#other)
    if (other >= 0) return from + other + 1
    if (end >= 0) return end + 1
    this.#seen = stop - start
    return -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let last = end
    if (last > start && (bytes[last - 1] === this.#delimiter || bytes[last - 1] === this.#other)) last--
    if (this.#delimiter === 0x0a && last > start && bytes[last - 1] === 0x0d) last--
    return bytes.subarray(start, last)
  }
}

export const lineFrames = (): FrameRule => new Delimited('line', 0x0a)
export const syslogLineFrames = (): FrameRule => new Delimited('line', 0x0a, 0x00)
export const nulFrames = (): FrameRule => new Delimited('GELF message', 0x00)
