/** A growing byte buffer with the few primitives of the Native format; reused from block to block. */
export class ByteWriter {
  bytes: Buffer
  length = 0

  constructor(size = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  varint(value: number): void {
    this.reserve(5)
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  /** A `str` of the format: varint length and the bytes. */
  slice(source: Uint8Array, start: number, length: number): void {
    this.varint(length)
    this.raw(source, start, length)
  }

  raw(source: Uint8Array, start: number, length: number): void {
    this.reserve(length)
    const bytes = this.bytes
    let at = this.length
    // A call into native code costs about as much as copying 64 bytes here.
    if (length < 64) for (let i = start; i < start + length; i++) bytes[at++] = source[i]!
    else bytes.set(source.subarray(start, start + length), at)
    this.length += length
  }

  text(text: string): void {
    const length = Buffer.byteLength(text)
    this.varint(length)
    this.reserve(length)
    this.bytes.write(text, this.length, length, 'utf8')
    this.length += length
  }

  uint64(value: number): void {
    this.reserve(8)
    this.bytes.writeUInt32LE(value >>> 0, this.length)
    this.bytes.writeUInt32LE(Math.floor(value / 0x100000000), this.length + 4)
    this.length += 8
  }

  zeros(count: number): void {
    this.reserve(count)
    this.bytes.fill(0, this.length, this.length + count)
    this.length += count
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

export function utf8Slice(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8')
}
