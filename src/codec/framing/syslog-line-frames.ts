/**
 * A syslog message on a stream that is not counted:
 *   frame = *byte ( LF | NUL )                         ; RFC 6587 §3.4.2 has met both
 * Python's `SysLogHandler` ends messages with NUL and leaves the line ends of tracebacks inside. So a message that begins
 * with a priority goes on to a NUL, if one comes before the next message or this stream ended a message so before.
 */
import type { FrameRule } from './frame-buffer.ts'

const lineFeed = 0x0a
const nul = 0x00
const less = 0x3c

class SyslogLineFrames implements FrameRule {
  readonly endsWithStream = true
  readonly name = 'line'
  /** Bytes of the frame that need not be looked at again. */
  #seen = 0
  #endsWithNul = false

  reset(): void {
    this.#seen = 0
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    const hasPriority = isPriority(bytes, start, stop)
    let firstLineEnd = -1
    for (let at = start + this.#seen; ;) {
      const lineEnd = indexIn(bytes, lineFeed, at, stop)
      const nulAt = indexIn(bytes, nul, at, lineEnd < 0 ? stop : lineEnd)
      if (nulAt >= 0) {
        this.#endsWithNul ||= hasPriority
        return nulAt + 1
      }
      if (lineEnd < 0) break
      if (!hasPriority) return lineEnd + 1
      if (firstLineEnd < 0) firstLineEnd = lineEnd
      if (isPriority(bytes, lineEnd + 1, stop)) return (this.#endsWithNul ? lineEnd : firstLineEnd) + 1
      at = lineEnd + 1
    }
    if (firstLineEnd >= 0 && !this.#endsWithNul) return firstLineEnd + 1
    // The last two may be a line end and the beginning of a priority.
    this.#seen = Math.max(0, stop - start - 2)
    return -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let last = end
    if (last > start && (bytes[last - 1] === lineFeed || bytes[last - 1] === nul)) last--
    if (last > start && bytes[last - 1] === 0x0d) last--
    return bytes.subarray(start, last)
  }
}

function isPriority(bytes: Uint8Array, at: number, stop: number): boolean {
  return at + 1 < stop && bytes[at] === less && bytes[at + 1]! >= 0x30 && bytes[at + 1]! <= 0x39
}

/** The buffer may be longer than what it holds. */
function indexIn(bytes: Uint8Array, byte: number, from: number, stop: number): number {
  const found = bytes.subarray(from, stop).indexOf(byte)
  return found < 0 ? -1 : from + found
}

export const syslogLineFrames = (): FrameRule => new SyslogLineFrames()
