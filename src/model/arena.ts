/** Growing bytes that batches refer to by offset. Growing copies the bytes, so offsets stay valid. */
export class Arena {
  bytes: Uint8Array
  length: number

  /** Starts as `body` without a copy; the first append moves it to memory of its own. */
  constructor(body?: Uint8Array) {
    this.bytes = body ?? new Uint8Array(0)
    this.length = this.bytes.length
  }

  /** Appends UTF-8 and returns its start; its length is `length` minus that. */
  appendText(text: string): number {
    const start = this.length
    // UTF-16 to UTF-8 needs at most three bytes a unit.
    this.#reserve(text.length * 3)
    this.length += Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength).write(
      text,
      start,
      'utf8',
    )
    return start
  }

  appendBytes(source: Uint8Array): number {
    const start = this.length
    this.#reserve(source.length)
    this.bytes.set(source, start)
    this.length += source.length
    return start
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const copy = new Uint8Array(Math.max(1024, needed, this.bytes.length * 2))
    copy.set(this.bytes.subarray(0, this.length))
    this.bytes = copy
  }
}
