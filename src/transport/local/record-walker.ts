/**
 * Steps through the records of a segment. It skips what it cannot read, and goes on where the log's marker next begins
 * a valid header. Such a header does not arise by chance (64 random bits and a CRC), and bodies from outside cannot
 * know the marker.
 */
import type { FileHandle } from 'node:fs/promises'
import { bodyHash } from './body-hash.ts'
import { FileWindow } from './file-window.ts'
import { decodeRecordHeader, hashBytes, recordHeaderBytesMax, type DecodedHeader } from './record.ts'

export interface WalkRange {
  readonly marker: Uint8Array
  /** Offsets [from, end) in the file. */
  readonly from: number
  readonly end: number
  /** Only positions in [positionMin, positionEnd) count as records of this segment. */
  readonly positionMin: number
  readonly positionEnd: number
  /** Whether bodies are read and checked against their hash. */
  readonly bodies: boolean
  readonly chunkBytes: number
}

export interface WalkedRecord {
  readonly header: DecodedHeader
  readonly offset: number
  /** Offset after the record. */
  readonly end: number
  /** The number of unreadable bytes skipped just before it. */
  readonly skippedBytes: number
  /** A fresh buffer; empty unless `bodies` is set. */
  readonly body: Buffer
}

const noBody = Buffer.alloc(0)

export class RecordWalker {
  readonly #window: FileWindow
  readonly #range: WalkRange
  #offset: number
  #goodEnd: number
  #positionMin: number

  constructor(file: FileHandle, range: WalkRange) {
    this.#window = new FileWindow(file, range.end, range.chunkBytes)
    this.#range = range
    this.#offset = range.from
    this.#goodEnd = range.from
    this.#positionMin = range.positionMin
  }

  /** Offset after the last record given. */
  get goodEnd(): number {
    return this.#goodEnd
  }

  /** The next record, or `undefined` at the end of the range. */
  async next(): Promise<WalkedRecord | undefined> {
    while (this.#offset < this.#range.end) {
      const offset = this.#offset
      const header = this.#accept(await this.#window.view(offset, recordHeaderBytesMax), offset)
      if (header === undefined) {
        this.#offset = await this.#findMarker(offset + 1)
        continue
      }
      const end = offset + header.headerBytes + header.bodyBytes
      const body = this.#range.bodies ? await this.#window.copy(offset + header.headerBytes, header.bodyBytes) : noBody
      this.#offset = end
      // The header is right, so the record's end is known even if its body is damaged.
      if (body === undefined || (this.#range.bodies && (await keptHash(body)) !== header.hash)) continue
      const skippedBytes = offset - this.#goodEnd
      this.#goodEnd = end
      this.#positionMin = header.position + 1
      return { header, offset, end, skippedBytes, body }
    }
    return undefined
  }

  #accept(bytes: Buffer, offset: number): DecodedHeader | undefined {
    const header = decodeRecordHeader(bytes, this.#range.marker)
    if (header === undefined) return undefined
    if (header.position < this.#positionMin || header.position >= this.#range.positionEnd) return undefined
    return offset + header.headerBytes + header.bodyBytes <= this.#range.end ? header : undefined
  }

  async #findMarker(from: number): Promise<number> {
    const { marker, end, chunkBytes } = this.#range
    for (let offset = from; offset < end; offset += chunkBytes - marker.length) {
      const bytes = await this.#window.view(offset, chunkBytes)
      const found = bytes.indexOf(marker)
      if (found >= 0) return offset + found
      if (bytes.length < chunkBytes) break
    }
    return end
  }
}

/** The part of the hash that a record keeps, in hex. */
async function keptHash(body: Uint8Array): Promise<string> {
  const hashing = bodyHash(body)
  const hash = hashing instanceof Promise ? await hashing : hashing
  return hash.toString('hex', 0, hashBytes)
}
