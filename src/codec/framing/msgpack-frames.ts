/**
 * Top-level values of a MessagePack stream (grammar: forward/msgpack.ts). A value is skipped by counting the values it
 * still needs, so nesting costs nothing. An incomplete header is read again when more bytes have arrived.
 */
import { InputError } from '../../base/errors.ts'
import type { FrameRule } from './frame-buffer.ts'

/** By first byte: the header's bytes, and the kind of size (low bits of the byte, or a field of 1, 2 or 4 bytes). */
const headerBytes = new Uint8Array(256)
const sizeBytes = new Uint8Array(256)
/** What the size counts: 0 nothing, 1 bytes, 2 elements, 3 pairs. */
const counted = new Uint8Array(256)
/** Bytes that follow the header, in addition to those that the size counts. */
const fixedBytes = new Uint8Array(256)

for (let byte = 0; byte < 256; byte++) {
  headerBytes[byte] = 1
  if (byte >= 0x80 && byte < 0x90) counted[byte] = 3
  else if (byte >= 0x90 && byte < 0xa0) counted[byte] = 2
  else if (byte >= 0xa0 && byte < 0xc0) counted[byte] = 1
}
for (const [first, widths, unit, extra] of [
  [0xc4, [1, 2, 4], 1, 0],
  [0xc7, [1, 2, 4], 1, 1],
  [0xd9, [1, 2, 4], 1, 0],
  [0xdc, [2, 4], 2, 0],
  [0xde, [2, 4], 3, 0],
] as const) {
  widths.forEach((width, i) => {
    headerBytes[first + i] = 1 + width
    sizeBytes[first + i] = width
    counted[first + i] = unit
    fixedBytes[first + i] = extra
  })
}
for (const [byte, bytes] of [
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
  [0xd4, 2],
  [0xd5, 3],
  [0xd6, 5],
  [0xd7, 9],
  [0xd8, 17],
] as const) {
  fixedBytes[byte] = bytes
}

class MsgpackFrames implements FrameRule {
  readonly endsWithStream = false
  readonly name = 'Forward message'
  /** Where the next header begins, from the frame's start; possibly after the bytes that have arrived. */
  #at = 0
  /** Values still to skip. */
  #left = 1

  reset(): void {
    this.#at = 0
    this.#left = 1
  }

  end(bytes: Uint8Array, start: number, stop: number): number {
    const length = stop - start
    let at = this.#at
    let left = this.#left
    while (left > 0 && at < length) {
      const byte = bytes[start + at]!
      if (byte === 0xc1) throw new InputError('bad_request', 'cannot read msgpack: byte 0xc1 begins no value')
      if (at + headerBytes[byte]! > length) break
      left--
      const unit = counted[byte]!
      const size = unit === 0 ? 0 : sizeOf(bytes, start + at, byte)
      at += headerBytes[byte]! + fixedBytes[byte]! + (unit === 1 ? size : 0)
      if (unit > 1) left += size * (unit - 1)
    }
    this.#at = at
    this.#left = left
    return left === 0 && at <= length ? start + at : -1
  }

  message(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return bytes.subarray(start, end)
  }
}

function sizeOf(bytes: Uint8Array, at: number, byte: number): number {
  switch (sizeBytes[byte]) {
    case 1:
      return bytes[at + 1]!
    case 2:
      return (bytes[at + 1]! << 8) | bytes[at + 2]!
    case 4:
      return ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>> 0
    default:
      return byte & (byte >= 0xa0 ? 0x1f : 0x0f)
  }
}

export const msgpackFrames = (): FrameRule => new MsgpackFrames()
