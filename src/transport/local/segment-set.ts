/**
 * The segments of a log, in order, and the one being written. Only one `write` may be under way; everything else here
 * may run at the same time.
 */
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { syncFolder, writeAll } from '../../base/disk.ts'
import { assert, messageOf } from '../../base/errors.ts'
import type { OnProblem } from './problem.ts'
import { sealRecordHeader, type PreparedHeader } from './record.ts'
import { RecordWalker } from './record-walker.ts'
import type { Recovered } from './segment-recovery.ts'
import {
  encodeSegmentHeader,
  indexedOffset,
  indexRecord,
  newSegment,
  segmentHeaderBytes,
  type Segment,
} from './segment.ts'

const locateChunkBytes = 64 * 1024
/** The maximum number of segments that one `trim` deletes: bounds its work, because it is called at every commit. */
const trimSegmentsMax = 16

export interface SegmentSetOptions {
  readonly dir: string
  readonly sync: boolean
  readonly segmentBytes: number
  /** Record bytes up to which finished segments wait for consumers that do not hold back the log. */
  readonly maxBytes: number
  readonly retryWindowMs: number
  readonly retryWindowMaxBytes: number
  readonly now: () => number
  readonly onProblem: OnProblem
}

/** A record about to be written. */
export interface WritableRecord {
  readonly header: PreparedHeader
  readonly body: Uint8Array
}

export class SegmentSet {
  readonly #options: SegmentSetOptions
  readonly marker: Buffer
  readonly #segments: Segment[]
  /** The open file of the last segment; none while that segment must not be written to. */
  #active: FileHandle | undefined
  #next: number
  #recordBytes: number
  #syncs = 0
  #trimming: Promise<void> | undefined
  #isClosed = false

  /** `next` is the position the next record gets: at least the recovered one. */
  constructor(options: SegmentSetOptions, recovered: Recovered, next: number) {
    this.#options = options
    this.marker = recovered.marker
    this.#segments = recovered.segments
    this.#next = next
    const last = this.#segments.at(-1)
    this.#recordBytes = last === undefined ? 0 : last.bytesBefore + last.end - segmentHeaderBytes
  }

  /** In order, oldest first. */
  get list(): readonly Segment[] {
    return this.#segments
  }

  /** The position after the last durable record. */
  get next(): number {
    return this.#next
  }

  get oldest(): number {
    return this.#segments[0]?.first ?? this.#next
  }

  /** Bytes of durable records since the log was opened, including those found then and those deleted since. */
  get recordBytes(): number {
    return this.#recordBytes
  }

  get diskBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.end, 0)
  }

  /** Bytes of the records that are still here. */
  get keptBytes(): number {
    return this.#recordBytes - (this.#segments[0]?.bytesBefore ?? this.#recordBytes)
  }

  get syncs(): number {
    return this.#syncs
  }

  /** Opens the last segment for writing, or makes the first one. */
  async start(): Promise<void> {
    const last = this.#segments.at(-1)
    if (last === undefined) await this.#begin()
    else this.#active = await open(last.path, 'r+')
  }

  /**
   * Writes records with consecutive positions, syncs if asked to, and returns the first position. When it throws, none
   * of them counts: the file is cut back, or given up for a new segment, and their positions are reused.
   */
  async write(records: readonly WritableRecord[], bytes: number): Promise<number> {
    const { segmentBytes, sync } = this.#options
    const present = this.#segments.at(-1)
    if (this.#active !== undefined && present !== undefined && present.end + bytes > segmentBytes) {
      if (present.next > present.first) await this.#seal(this.#active)
    }
    if (this.#active === undefined) await this.#begin()
    const [file, segment] = [this.#active, this.#segments.at(-1)]
    assert(file !== undefined && segment !== undefined, 'a begun segment is open')
    const first = this.#next
    const buffers: Uint8Array[] = []
    for (const [index, { header, body }] of records.entries()) {
      buffers.push(sealRecordHeader(header, first + index, this.marker))
      if (body.length > 0) buffers.push(body)
    }
    try {
      await writeAll(file, buffers, segment.end)
    } catch (error) {
      await this.#cutBack(file, segment, bytes, error)
      throw error
    }
    if (sync) await this.#syncOrLeave(file, segment, bytes)
    this.#accept(segment, records)
    return first
  }

  /** Bytes of durable records before a position, counted like `recordBytes`. Reads at most one index step of headers. */
  async bytesBefore(position: number): Promise<number> {
    const segment = this.#segments.find((each) => each.next > position)
    if (segment === undefined) return this.recordBytes
    if (position <= segment.first) return segment.bytesBefore
    const from = indexedOffset(segment, position)
    const file = await open(segment.path, 'r')
    try {
      const walker = new RecordWalker(file, {
        marker: this.marker,
        from,
        end: segment.end,
        positionMin: segment.first,
        positionEnd: segment.next,
        bodies: false,
        chunkBytes: locateChunkBytes,
      })
      let record = await walker.next()
      while (record !== undefined && record.header.position < position) record = await walker.next()
      return segment.bytesBefore + (record?.offset ?? segment.end) - segmentHeaderBytes
    } finally {
      await file.close()
    }
  }

  /**
   * Deletes segments that every consumer has finished (all before `finished`) when they are older than the retry
   * window. It also deletes some when the ones kept for that window take too much space. Some segments before
   * `committed` are needed only by consumers that do not hold back the log. They are deleted once there is no room for
   * them. The last segment stays: its name keeps the positions.
   */
  async trim(committed: number, finished: number): Promise<void> {
    if (this.#trimming !== undefined || this.#isClosed) return
    this.#trimming = this.#deleteFinished(committed, finished)
    await this.#trimming
    this.#trimming = undefined
  }

  /** Whether the last segment holds records, and all of them are finished and older than the retry window. */
  isOutlived(finished: number): boolean {
    const last = this.#segments.at(-1)
    if (last === undefined || last.next === last.first || last.next > finished) return false
    return this.#options.now() - last.newestMs > this.#options.retryWindowMs
  }

  /** Begins a segment, so that the one before can be deleted. Nothing may be written meanwhile. */
  async roll(): Promise<void> {
    if (this.#active === undefined || this.#isClosed) return
    await this.#seal(this.#active)
    await this.#begin()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#trimming
    const file = this.#active
    if (file === undefined) return
    this.#active = undefined
    try {
      await this.#datasync(file)
    } finally {
      await file.close()
    }
  }

  async #deleteFinished(committed: number, finished: number): Promise<void> {
    try {
      for (let count = 0; count < trimSegmentsMax; count++) {
        const oldest = this.#segments[0]
        if (oldest === undefined || !this.#isDisposable(oldest, committed, finished)) return
        await unlink(oldest.path)
        this.#segments.shift()
      }
    } catch (error) {
      const path = this.#segments[0]?.path ?? this.#options.dir
      this.#report('delete_failed', path, 0, `cannot delete ${path}: ${messageOf(error)}`)
    }
  }

  #isDisposable(segment: Segment, committed: number, wanted: number): boolean {
    if (segment === this.#segments.at(-1) || segment.next > committed) return false
    if (segment.next > wanted) return this.keptBytes > this.#options.maxBytes
    const { now, retryWindowMs, retryWindowMaxBytes } = this.#options
    if (now() - segment.newestMs > retryWindowMs) return true
    const finished = this.#segments.filter((each) => each.next <= committed && each !== this.#segments.at(-1))
    return finished.reduce((sum, each) => sum + each.end, 0) > retryWindowMaxBytes
  }

  #accept(segment: Segment, records: readonly WritableRecord[]): void {
    for (const { header } of records) {
      indexRecord(segment, this.#next, segment.end)
      const bytes = header.bytes.length + header.bodyBytes
      segment.end += bytes
      this.#recordBytes += bytes
      this.#next++
    }
    segment.next = this.#next
    segment.newestMs = this.#options.now()
  }

  async #datasync(file: FileHandle): Promise<void> {
    this.#syncs++
    await file.datasync()
  }

  /** Finishes a segment: synced even when syncing is off, so that only the last one can be torn. */
  async #seal(file: FileHandle): Promise<void> {
    this.#active = undefined
    try {
      if (!this.#options.sync) await this.#datasync(file)
    } finally {
      await file.close()
    }
  }

  async #begin(): Promise<void> {
    const { dir, now } = this.#options
    const last = this.#segments.at(-1)
    // A segment given up before anything durable was in it has the name the new one needs.
    if (last !== undefined && last.first === this.#next) {
      this.#segments.pop()
      await unlink(last.path)
    }
    const segment = newSegment(dir, this.#next, this.recordBytes)
    // Truncates what a failed attempt may have left: nothing durable can be under a name that is not in use yet.
    const file = await open(segment.path, 'w+')
    try {
      await writeAll(file, [encodeSegmentHeader(segment.first, this.marker, now())], 0)
      await file.sync()
      await syncFolder(dir)
    } catch (error) {
      const message = `cannot begin segment ${segment.path}: ${messageOf(error)}`
      this.#report('write_failed', segment.path, segmentHeaderBytes, message)
      await this.#leave(file)
      throw error
    }
    this.#segments.push(segment)
    this.#active = file
  }

  /** After a failed write: cuts off the part that was written, so that no later record comes after garbage. */
  async #cutBack(file: FileHandle, segment: Segment, bytes: number, error: unknown): Promise<void> {
    this.#report(
      'write_failed',
      segment.path,
      bytes,
      `cannot write ${bytes} bytes to ${segment.path}: ${messageOf(error)}`,
    )
    try {
      await file.truncate(segment.end)
    } catch {
      await this.#leave(file)
    }
  }

  /** After a failed sync it is unknown which of the last writes are on disk, so this file is never written to again. */
  async #syncOrLeave(file: FileHandle, segment: Segment, bytes: number): Promise<void> {
    try {
      await this.#datasync(file)
    } catch (error) {
      this.#report('write_failed', segment.path, bytes, `cannot sync ${segment.path}: ${messageOf(error)}`)
      await file.truncate(segment.end).catch(() => undefined)
      await this.#leave(file)
      throw error
    }
  }

  async #leave(file: FileHandle): Promise<void> {
    this.#active = undefined
    // The failure was reported already; closing may repeat it.
    await file.close().catch(() => undefined)
  }

  #report(kind: 'write_failed' | 'delete_failed', path: string, bytes: number, message: string): void {
    this.#options.onProblem({ kind, path, offset: 0, bytes, message })
  }
}
