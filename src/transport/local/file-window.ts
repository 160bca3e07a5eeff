/** Reads a file through one moving chunk, so that many small records cost one system call. */
import type { FileHandle } from 'node:fs/promises'
import { UnavailableError, messageOf } from '../../base/errors.ts'

export class FileWindow {
  readonly #file: FileHandle
  readonly #end: number
  #chunk: Buffer
  #start = 0
  #length = 0

  /** Nothing at or past `end` is read. */
  constructor(file: FileHandle, end: number, chunkBytes: number) {
    this.#file = file
    this.#end = end
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes)
  }

  /** Up to `bytes` bytes (at most the chunk's size) at `offset`, fewer only at the end. Valid until the next call. */
  async view(offset: number, bytes: number): Promise<Buffer> {
    const wanted = Math.min(bytes, this.#chunk.length, Math.max(0, this.#end - offset))
    if (offset < this.#start || offset + wanted > this.#start + this.#length) await this.#fill(offset)
    const at = offset - this.#start
    return this.#chunk.subarray(at, Math.min(at + wanted, this.#length))
  }

  /** A fresh copy of exactly `bytes` bytes at `offset`; `undefined` when the file ends before. */
  async copy(offset: number, bytes: number): Promise<Buffer | undefined> {
    const copy = Buffer.allocUnsafeSlow(bytes)
    let done = 0
    if (offset >= this.#start && offset < this.#start + this.#length) {
      done = this.#chunk.copy(copy, 0, offset - this.#start, Math.min(this.#length, offset - this.#start + bytes))
    }
    if (bytes - done > this.#chunk.length) {
      const whole = await readFully(this.#file, copy.subarray(done), offset + done)
      return whole === bytes - done ? copy : undefined
    }
    if (done < bytes) {
      const rest = await this.view(offset + done, bytes - done)
      if (rest.length < bytes - done) return undefined
      rest.copy(copy, done)
    }
    return copy
  }

  async #fill(offset: number): Promise<void> {
    this.#length = 0
    this.#start = offset
    const bytes = Math.min(this.#chunk.length, Math.max(0, this.#end - offset))
    this.#length = await readFully(this.#file, this.#chunk.subarray(0, bytes), offset)
  }
}

/** Fills `into` from the file at `offset`; returns how many bytes there were. */
export async function readFully(file: FileHandle, into: Buffer, offset: number): Promise<number> {
  let done = 0
  try {
    while (done < into.length) {
      const { bytesRead } = await file.read(into, done, into.length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
  } catch (error) {
    throw new UnavailableError('io_failed', `cannot read the log: ${messageOf(error)}`, { cause: error })
  }
  return done
}
