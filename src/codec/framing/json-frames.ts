/** Top-level arrays and objects of a stream of JSON texts, with any white space and byte order marks between them. */
import { InputError } from '../../base/errors.ts'
import type { FrameRule } from './frame-buffer.ts'

class JsonFrames implements FrameRule {
  readonly endsWithStream = false
  readonly name = 'JSON value'
  #seen = 0
  #depth = 0
  #inString = false
  #escaped = false

  reset(): void {
    this.#seen = this.#depth = 0
    this.#inString = this.#escaped = false
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    for (let at = start + this.#seen; at < stop; at++) {
      const byte = bytes[at]!
      if (this.#inString) this.#insideString(byte)
      else if (byte === 0x22) this.#inString = true
      else if (byte === 0x5b || byte === 0x7b) this.#depth++
      else if ((byte === 0x5d || byte === 0x7d) && --this.#depth <= 0) return at + 1
      else if (this.#depth === 0 && !isSpace(byte)) {
        throw new InputError('bad_request', 'cannot read JSON: expected an array or object')
      }
    }
    this.#seen = stop - start
    return -1
  }

  #insideString(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === 0x5c) this.#escaped = true
    else if (byte === 0x22) this.#inString = false
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let first = start
    while (first < end && isSpace(bytes[first]!)) first++
    return bytes.subarray(first, end)
  }
}

const mark: readonly number[] = [0xef, 0xbb, 0xbf]

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || mark.includes(byte)
}

export const jsonFrames = (): FrameRule => new JsonFrames()
