/** One file that is being read: what is known about it, and its next piece. */
import { isUtf8 } from 'node:buffer'
import { hash as digest, randomBytes } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { assert } from '../../base/errors.ts'
import { encodeTailHeader } from '../../codec/tail/tail-body.ts'
import { eventBytesMax, splitEvents } from '../../codec/tail/event-splitter.ts'
import { readsContainers } from '../../codec/tail/tail-format.ts'
import { makeJoiner, type LineJoiner } from '../../codec/tail/line-joiner.ts'
import { statHandle, type FoundFile } from './file-finder.ts'
import {
  emptyPrint,
  hasPrints,
  headBytesMax,
  lastBytesMax,
  printOf,
  readAt,
  samePrint,
  type Print,
} from './fingerprint.ts'
import type { FileState, PendingCut } from './position-file.ts'
import type { TailSource } from './tail-source.ts'

/** Bytes read at once: the longest event, and the beginning of the next, which shows that the first is complete. */
const windowBytes = eventBytesMax + 64 * 1024

/** A piece of the file that is ready for the log. */
export interface Cut {
  readonly body: Buffer
  readonly pending: Omit<PendingCut, 'after'>
  readonly bytes: number
  readonly isText: boolean
  readonly head: Print
}

export interface CutLimits {
  readonly host: string
  readonly bodyBytesMax: number
  /** An event that could continue is complete when its file did not grow for this long. */
  readonly joinWaitMs: number
}

export class TailedFile {
  readonly source: TailSource
  key: string
  /** Its path when it was first found: its name in events. */
  readonly path: string
  /** Its path now. */
  place: string
  file: string
  offset: number
  head: Print
  pending: PendingCut | undefined
  /** Its path names another file, or none: it is read to its end and then dropped. */
  isRotated = false
  /** So far all its bytes equal those of that file: it waits until it is clear whether it is a copy. */
  copyOf: TailedFile | undefined
  /** Known not to be a copy of another file. */
  isOwn = false
  atMs: number
  rotatedAtMs = 0
  size = 0
  grewAtMs: number
  /** Some bytes are waiting for more bytes, or for the file to be quiet. */
  hasRest = false
  warnedOfText = false
  /** Where reading must begin, as long as that was not possible. */
  skipsTo: number | undefined
  /** Why it cannot be read now. */
  problem: string | undefined
  #beginning: Buffer = Buffer.alloc(0)
  #changedAtMs = 0
  #isTouched = false
  #last: Print
  #handle: FileHandle | undefined
  readonly #joiner: LineJoiner | undefined

  constructor(source: TailSource, state: FileState, nowMs: number) {
    this.source = source
    this.key = state.key
    this.path = this.place = state.path
    this.file = state.file
    this.offset = state.offset
    this.head = state.head
    this.#last = state.last
    this.pending = state.pending
    this.atMs = state.atMs
    this.grewAtMs = nowMs
    this.#joiner = makeJoiner(source.format.join)
  }

  get state(): FileState {
    const { key, file, path, offset, head, atMs, pending } = this
    return { key, file, path, offset, head, last: this.#last, atMs, ...(pending !== undefined && { pending }) }
  }

  get isOpen(): boolean {
    return this.#handle !== undefined
  }

  /** Throws the system's errors; also throws when the path now names another inode. */
  async open(): Promise<FileHandle> {
    if (this.#handle !== undefined) return this.#handle
    const handle = await open(this.place, 'r')
    try {
      const { key } = await statHandle(handle)
      if (key !== this.key) throw new Error(`${this.place} was replaced while it was opened`)
    } catch (error) {
      await handle.close()
      throw error
    }
    this.#handle = handle
    return handle
  }

  /** Asks the open file, which also works after its path is gone. */
  async look(nowMs: number): Promise<void> {
    const { size, changedAtMs } = await statHandle(await this.open())
    this.note(size, changedAtMs, nowMs)
  }

  note(size: number, changedAtMs: number, nowMs: number): void {
    if (size !== this.size) this.grewAtMs = nowMs
    // Written, but not longer: perhaps rewritten with the same length.
    if (size === this.size && changedAtMs !== this.#changedAtMs) this.#isTouched = true
    this.size = size
    this.#changedAtMs = changedAtMs
  }

  /**
   * The next piece, or `undefined` when there is none yet, or `broken` when the file was truncated or rewritten.
   * `isEnd`: the file will not grow any more.
   */
  async cut(limits: CutLimits, nowMs: number, isEnd: boolean): Promise<Cut | 'broken' | undefined> {
    if (this.size < this.offset) return 'broken'
    this.hasRest = this.size > this.offset
    if (!this.hasRest && !this.#isTouched) return undefined
    // One read covers the old bytes and the new ones, so the file cannot change between the comparison and the read. It
    // starts at the beginning of the file as long as the fingerprint of the beginning can still grow.
    const from = this.offset <= headBytesMax ? 0 : this.offset - this.#last.bytes
    const unread = Math.min(windowBytes, this.size - this.offset)
    const seen = await readAt(await this.open(), from, this.offset - from + unread)
    if (!this.#isAsBefore(seen, from)) return 'broken'
    this.#isTouched = false
    const content = seen.subarray(this.offset - from)
    const isAll = this.offset + content.length === this.size
    const isQuiet = isAll && nowMs - this.grewAtMs >= limits.joinWaitMs
    const { encoding, parser } = this.source.format
    const ends = splitEvents(content, {
      joiner: this.#joiner,
      encoding,
      readsContainers: readsContainers(parser),
      isQuiet: isQuiet || isEnd,
      isEnd: isEnd && isAll,
    })
    const header = this.#header(limits.host)
    const bytesMax = Math.max(4096, limits.bodyBytesMax - header.length)
    const first = ends[0]
    if (first === undefined) return undefined
    // When the limit for bodies is smaller than the longest event, the cut is inside the event.
    const bytes = first > bytesMax ? bytesMax - (bytesMax % 2) : ends.findLast((end) => end <= bytesMax)!
    return this.#makeCut(header, seen.subarray(0, this.offset - from + bytes), from, nowMs)
  }

  /** The piece that was pending when the process ended, if the file still has exactly those bytes. */
  async recut(): Promise<Buffer | undefined> {
    const { pending } = this
    if (pending === undefined || this.size < pending.to) return undefined
    const content = await readAt(await this.open(), this.offset, pending.to - this.offset)
    const body = Buffer.concat([Buffer.from(pending.header), content])
    return digest('sha1', body) === pending.hash ? body : undefined
  }

  /** The pending piece is in the log. */
  confirm(): void {
    assert(this.pending !== undefined, 'a piece was confirmed that is not pending')
    this.offset = this.pending.to
    this.atMs = this.pending.atMs
    this.#last = this.pending.last
    this.pending = undefined
  }

  /** The piece will be appended to a log that ends at `after`. */
  prepare(cut: Cut, after: number): void {
    this.pending = { ...cut.pending, after }
    this.head = cut.head
  }

  /** The bytes now at its beginning, as many as the fingerprint covers. */
  async firstBytes(): Promise<Buffer> {
    return await readAt(await this.open(), 0, Math.min(headBytesMax, this.size))
  }

  /** Whether the bytes are those this file began with when it was read, whatever is there now. */
  async beginsLike(bytes: Buffer): Promise<boolean> {
    const { head } = this
    if (bytes.length >= head.bytes) return samePrint(printOf(bytes.subarray(0, head.bytes)), head)
    if (this.#beginning.length < head.bytes) {
      const live = await readAt(await this.open(), 0, head.bytes)
      if (!samePrint(printOf(live), head)) return false
      this.#beginning = live
    }
    return this.#beginning.subarray(0, bytes.length).equals(bytes)
  }

  /** No name leads to it any more. Also false when it is not open, because then only its name could tell. */
  async isUnlinked(): Promise<boolean> {
    return this.#handle !== undefined && (await this.#handle.stat()).nlink === 0
  }

  async sizeNow(): Promise<number> {
    return (await statHandle(await this.open())).size
  }

  /** False once the file was truncated, or rewritten before the read position. */
  async isIntact(): Promise<boolean> {
    return await hasPrints(await this.open(), this.state)
  }

  /** Nothing of it was read yet. */
  get isUnread(): boolean {
    return this.offset === 0 && this.pending === undefined
  }

  /** Begins at `offset`, unless the file is shorter by now: then it is another file. Throws the system's errors. */
  async skip(offset: number): Promise<void> {
    if (offset <= (await this.sizeNow())) await this.skipTo(offset)
    this.skipsTo = undefined
  }

  /** Continues at `offset`: what is before it must not be read. */
  async skipTo(offset: number): Promise<void> {
    const handle = await this.open()
    this.head = printOf(await readAt(handle, 0, Math.min(headBytesMax, offset)))
    const from = Math.max(0, offset - lastBytesMax)
    this.#last = printOf(await readAt(handle, from, offset - from))
    this.offset = offset
    this.atMs = Date.now()
  }

  /** Continues where reading of another file stopped: this one is its copy. */
  adopt({ file, offset, head, last, atMs }: FileState): void {
    this.skipsTo = undefined
    this.atMs = atMs
    this.file = file
    this.offset = offset
    this.head = head
    this.#last = last
  }

  /** The same inode has other content now, so it is read as a new file. */
  restart(): void {
    this.file = newFileName()
    this.offset = 0
    this.head = this.#last = emptyPrint
    this.#beginning = Buffer.alloc(0)
    this.pending = undefined
    this.#isTouched = false
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  #header(host: string): Buffer {
    const { file, offset, path, source } = this
    const { service, type, format } = source
    return encodeTailHeader({ v: 1, file, from: offset, path, host, service, type, format })
  }

  /** Whether the bytes before the offset are still those that were read; `seen` begins at `from`. */
  #isAsBefore(seen: Buffer, from: number): boolean {
    const { head } = this
    const last = seen.subarray(this.offset - from - this.#last.bytes, this.offset - from)
    if (!samePrint(printOf(last), this.#last)) return false
    return from > 0 || samePrint(printOf(seen.subarray(0, head.bytes)), head)
  }

  /** `seen` begins at `from` and ends with the piece. */
  #makeCut(header: Buffer, seen: Buffer, from: number, atMs: number): Cut {
    const content = seen.subarray(this.offset - from)
    const body = Buffer.concat([header, content])
    if (from === 0) this.#beginning = Buffer.from(seen.subarray(0, headBytesMax))
    return {
      body,
      pending: {
        to: this.offset + content.length,
        header: header.toString(),
        hash: digest('sha1', body),
        last: printOf(seen.subarray(-lastBytesMax)),
        atMs,
      },
      bytes: content.length,
      isText: this.source.format.encoding !== 'utf-8' || isUtf8(content),
      head: from === 0 ? printOf(this.#beginning) : this.head,
    }
  }
}

function newFileName(): string {
  return randomBytes(8).toString('hex')
}

export function newState(found: FoundFile): FileState {
  return {
    key: found.key,
    file: newFileName(),
    path: found.path,
    offset: 0,
    head: emptyPrint,
    last: emptyPrint,
    atMs: Date.now(),
  }
}
