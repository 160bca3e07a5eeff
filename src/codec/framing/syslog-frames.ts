/**
 * Syslog over TCP (RFC 6587): each frame shows by its first bytes which of the two forms it has.
 *   octet counting  = [ byte order mark ] 1*9DIGIT SP <that many bytes>      ; recognised by "<" or a digit-free start of the message
 *   non-transparent = *byte ( LF | NUL )             ; see syslog-line-frames.ts
 */
import { InputError } from '../../base/errors.ts'
import type { FrameRule } from './frame-buffer.ts'
import { markBytes, syslogLineFrames } from './syslog-line-frames.ts'

class SyslogFrames implements FrameRule {
  readonly endsWithStream = true
  readonly name = 'syslog message'
  readonly #line = syslogLineFrames()
  /** Length of the count with its space, and the count; 0 for a line; -1 while unknown. */
  #prefix = -1
  #count = 0

  get keepsUnfinished(): boolean {
    return this.#prefix === 0 && this.#line.keepsUnfinished === true
  }

  reset(): void {
    this.#prefix = -1
    this.#line.reset()
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    if (this.#prefix < 0) this.#prefix = this.#readCount(bytes, start, stop)
    if (this.#prefix < 0) return -1
    if (this.#prefix === 0) return this.#line.end(bytes, start, stop)
    const end = start + this.#prefix + this.#count
    if (end <= stop) return end
    if (this.#count > 1 << 30) throw new InputError('too_large', `cannot take a syslog message of ${this.#count} bytes`)
    return -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (this.#prefix <= 0) return this.#line.message(bytes, start, end)
    return this.#line.message(bytes, start + this.#prefix, end)
  }

  /**
   * A line may begin with a digit too, so a count is one only when a message follows it. A byte order mark is skipped.
   */
  #readCount(bytes: Uint8Array, start: number, stop: number): number {
    if (bytes[start] === 0xef && stop - start < 3) return -1
    const first = start + markBytes(bytes, start, stop)
    let at = first
    let count = 0
    for (; at < stop && isDigit(bytes[at]!) && at - first < 9; at++) count = count * 10 + bytes[at]! - 0x30
    if (at === stop) return -1
    if (at === first || bytes[first] === 0x30 || bytes[at] !== 0x20) return 0
    if (at + 1 === stop) return -1
    if (bytes[at + 1] !== 0x3c) return 0
    this.#count = count
    return at + 1 - start
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

export const syslogFrames = (): FrameRule => new SyslogFrames()
