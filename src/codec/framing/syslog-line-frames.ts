/**
 * A syslog message on a stream without counts:
 *   frame = *byte ( LF | NUL )                         ; RFC 6587 §3.4.2 has met both
 * Messages may contain line ends. Python's `SysLogHandler` ends them with NUL and leaves the line ends of tracebacks
 * inside; Go's `log/syslog` writes the lines of a record one after another. So a message that begins with a priority
 * includes the following lines without a priority, as far as they arrived together with it. It extends to a NUL, if one
 * comes before the next message or if this stream has already ended a message with NUL.
 */
import type { FrameRule } from './frame-buffer.ts'

const lineFeed = 0x0a
const nul = 0x00
const less = 0x3c
/** Lines are joined up to this size; anything longer is not one record. */
const joinedBytesMax = 64 * 1024

class SyslogLineFrames implements FrameRule {
  readonly endsWithStream = true
  readonly name = 'line'
  /** Bytes of the frame already searched, without a delimiter that ends it. */
  #seen = 0
  /** Where the whole lines of the frame end; 0 when there is none yet. */
  #lines = 0
  #endsWithNul = false

  /** Whole lines are a message, whatever was expected after them. */
  get keepsUnfinished(): boolean {
    return this.#lines > 0
  }

  reset(): void {
    this.#seen = this.#lines = 0
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    const hasPriority = isPriority(bytes, start + markBytes(bytes, start, stop), stop)
    if (this.#lines > 0 && beginsMessage(bytes, start + this.#lines, stop)) return start + this.#lines
    for (let at = start + this.#seen; ;) {
      const lineEnd = indexIn(bytes, lineFeed, at, stop)
      const nulAt = indexIn(bytes, nul, at, lineEnd < 0 ? stop : lineEnd)
      if (nulAt >= 0) {
        this.#endsWithNul ||= hasPriority
        return nulAt + 1
      }
      if (lineEnd < 0) break
      at = lineEnd + 1
      if (!hasPriority) return at
      if (this.#lines > 0 && !this.#endsWithNul && at - start > joinedBytesMax) return start + this.#lines
      if (beginsMessage(bytes, at, stop)) return at
      this.#lines = this.#seen = at - start
    }
    if (this.#lines > 0 && !this.#endsWithNul && mayBegin(bytes, start + this.#lines, stop)) return start + this.#lines
    this.#seen = stop - start
    return -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let last = end
    if (last > start && (bytes[last - 1] === lineFeed || bytes[last - 1] === nul)) last--
    if (last > start && bytes[last - 1] === 0x0d) last--
    return bytes.subarray(start, last)
  }
}

/** A byte order mark before the priority. */
export function markBytes(bytes: Uint8Array, at: number, stop: number): number {
  return at + 3 <= stop && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0
}

function isPriority(bytes: Uint8Array, at: number, stop: number): boolean {
  return at + 1 < stop && bytes[at] === less && isDigit(bytes[at + 1]!)
}

/** A priority, or a count and a priority. */
function beginsMessage(bytes: Uint8Array, at: number, stop: number): boolean {
  if (at < stop && bytes[at] === less) return isPriority(bytes, at, stop)
  const behind = behindDigits(bytes, at, stop)
  return behind > at && bytes[behind] === 0x20 && isPriority(bytes, behind + 1, stop)
}

/** True when nothing came after the lines, or only what can still become the beginning of a message. */
function mayBegin(bytes: Uint8Array, at: number, stop: number): boolean {
  if (at === stop || (bytes[at] === less && at + 1 === stop)) return true
  const behind = behindDigits(bytes, at, stop)
  if (behind === at) return false
  const rest = stop - behind
  return rest === 0 || (bytes[behind] === 0x20 && (rest === 1 || (rest === 2 && bytes[behind + 1] === less)))
}

function behindDigits(bytes: Uint8Array, from: number, stop: number): number {
  let at = from
  while (at < stop && at - from < 9 && isDigit(bytes[at]!)) at++
  return at
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** The buffer may be longer than its content. */
function indexIn(bytes: Uint8Array, byte: number, from: number, stop: number): number {
  const found = bytes.subarray(from, stop).indexOf(byte)
  return found < 0 ? -1 : from + found
}

export const syslogLineFrames = (): FrameRule => new SyslogLineFrames()
