/**
 * GELF over TCP:
 *   frame = *byte NUL                                  ; GELF 1.1
 *         | *byte LF, where the bytes are a whole JSON object
 * Senders that cannot write NUL end messages with a line end. In JSON a line end appears only between tokens, so a line
 * end after a whole object ends the message. Once a message of a stream has ended with a line end, a line end before a
 * `{` also ends a message: then a broken message affects no other.
 */
import type { FrameRule } from './frame-buffer.ts'

const lineFeed = 0x0a
const nul = 0x00
const quote = 0x22
const backslash = 0x5c
const openObject = 0x7b
const closeObject = 0x7d

class GelfFrames implements FrameRule {
  readonly endsWithStream = true
  readonly name = 'GELF message'
  /** Bytes of the frame already searched, without a delimiter. */
  #seen = 0
  #endsWithLine = false
  /** How far the object was followed, and the state in it at that place. */
  #followed = 0
  #depth = 0
  #isInString = false
  #isWhole = false

  reset(): void {
    this.#seen = this.#followed = this.#depth = 0
    this.#isInString = this.#isWhole = false
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    let at = start + this.#seen
    const found = bytes.indexOf(nul, at)
    // The buffer may be longer than its content.
    const nulAt = found < stop ? found : -1
    const last = nulAt < 0 ? stop : nulAt
    for (let lineEnd = indexIn(bytes, lineFeed, at, last); lineEnd >= 0; lineEnd = indexIn(bytes, lineFeed, at, last)) {
      this.#follow(bytes, start, lineEnd)
      if (this.#isWhole) {
        this.#endsWithLine = true
        return lineEnd + 1
      }
      if (this.#endsWithLine && bytes[lineEnd + 1] === openObject && lineEnd + 1 < stop) return lineEnd + 1
      at = lineEnd + 1
    }
    if (nulAt >= 0) return nulAt + 1
    this.#seen = stop - start
    return -1
  }

  /** Follows braces and strings from the last place up to `stop`. */
  #follow(bytes: Uint8Array, start: number, stop: number): void {
    let at = start + this.#followed
    for (; at < stop && !this.#isWhole; at++) {
      const byte = bytes[at]
      if (this.#isInString) {
        if (byte === backslash) at++
        else if (byte === quote) this.#isInString = false
      } else if (byte === quote) this.#isInString = true
      else if (byte === openObject) this.#depth++
      else if (byte === closeObject) this.#isWhole = --this.#depth <= 0
    }
    this.#followed = at - start
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let [first, last] = [start, end]
    while (last > first && isBlank(bytes[last - 1]!)) last--
    while (first < last && isBlank(bytes[first]!)) first++
    return bytes.subarray(first, last)
  }
}

function isBlank(byte: number): boolean {
  return byte === lineFeed || byte === 0x0d || byte === nul || byte === 0x20 || byte === 0x09
}

function indexIn(bytes: Uint8Array, byte: number, from: number, stop: number): number {
  const found = bytes.subarray(from, stop).indexOf(byte)
  return found < 0 ? -1 : from + found
}

export const gelfFrames = (): FrameRule => new GelfFrames()
