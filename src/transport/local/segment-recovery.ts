/**
 * Reads the files when a log is opened: finds the segments, walks their headers, cuts the torn tail of the last one and
 * skips damage elsewhere.
 */
import { randomBytes } from 'node:crypto'
import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, writeAll } from '../../base/disk.ts'
import {
  decodeRecordHeader,
  markerBytes,
  recordFixedBytes,
  recordHeaderBytesMax,
  type DecodedHeader,
} from './record.ts'
import type { OnProblem } from './problem.ts'
import { RecordWalker, type WalkedRecord } from './record-walker.ts'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  indexRecord,
  newSegment,
  parseSegmentName,
  segmentHeaderBytes,
  type Segment,
} from './segment.ts'

const scanChunkBytes = 1024 * 1024

export interface Recovered {
  readonly marker: Buffer
  /** In order; may be empty. */
  readonly segments: Segment[]
  /** The position after the last record. */
  readonly next: number
}

export interface RecoveryOptions {
  readonly dir: string
  readonly nowMs: number
  readonly onProblem: OnProblem
  /** Called for every readable record, in order, with the time it was received, at most `nowMs`. */
  readonly onRecord: (header: DecodedHeader, atMs: number) => void
}

/** Reads all segments of a folder, which must exist. Throws what the system throws when a file cannot be opened. */
export async function recoverSegments(options: RecoveryOptions): Promise<Recovered> {
  const { dir } = options
  let names = (await readdir(dir)).filter((name) => parseSegmentName(name) !== undefined).sort()
  let marker = await findMarker(dir, names)
  let next = 0
  if (marker === undefined) {
    next = await putAside(names, options)
    names = []
    marker = randomBytes(markerBytes)
  }
  const segments: Segment[] = []
  let bytesBefore = 0
  for (const [index, name] of names.entries()) {
    const following = names[index + 1]
    const positionEnd = following === undefined ? Number.MAX_SAFE_INTEGER : Number(parseSegmentName(following))
    const segment = newSegment(dir, Number(parseSegmentName(name)), bytesBefore)
    await walkSegment({ segment, marker, positionEnd, isLast: following === undefined, options })
    bytesBefore += segment.end - segmentHeaderBytes
    next = segment.next
    segments.push(segment)
  }
  return { marker, segments, next }
}

/** The log's marker, from the newest segment that still has it, in its header or in its first record. */
async function findMarker(dir: string, names: readonly string[]): Promise<Buffer | undefined> {
  for (const name of names.toReversed()) {
    const file = await open(join(dir, name), 'r')
    try {
      const bytes = Buffer.alloc(segmentHeaderBytes + recordHeaderBytesMax)
      await file.read(bytes, 0, bytes.length, 0)
      const header = decodeSegmentHeader(bytes)
      if (header !== undefined) return header.marker
      const record = bytes.subarray(segmentHeaderBytes)
      const candidate = Buffer.from(record.subarray(0, markerBytes))
      if (decodeRecordHeader(record, candidate) !== undefined) return candidate
    } finally {
      await file.close()
    }
  }
  return undefined
}

/**
 * Keeps unreadable files under another name, so that a person can still examine them. Returns a position after all that
 * they can have held: no record is smaller than its fixed header.
 */
async function putAside(names: readonly string[], { dir, onProblem }: RecoveryOptions): Promise<number> {
  let next = 0
  for (const name of names) {
    const path = join(dir, name)
    const { size } = await stat(path)
    next = Number(parseSegmentName(name))
    // A crash between making a segment and writing its header: nothing was ever in it.
    if (size < segmentHeaderBytes) {
      await unlink(path)
      continue
    }
    next += Math.ceil(size / recordFixedBytes)
    await rename(path, `${path}.damaged`)
    onProblem({
      kind: 'damaged_segment',
      path,
      offset: 0,
      bytes: size,
      message: `cannot read any record of ${path}: put aside as ${name}.damaged`,
    })
  }
  if (names.length > 0) await syncFolder(dir)
  return next
}

interface Walk {
  readonly segment: Segment
  readonly marker: Buffer
  readonly positionEnd: number
  readonly isLast: boolean
  readonly options: RecoveryOptions
}

async function walkSegment(walk: Walk): Promise<void> {
  const file = await open(walk.segment.path, walk.isLast ? 'r+' : 'r')
  try {
    await walkFile(file, (await file.stat()).size, walk)
  } finally {
    await file.close()
  }
}

async function walkFile(file: FileHandle, size: number, walk: Walk): Promise<void> {
  const { segment, marker, options } = walk
  const walker = new RecordWalker(file, {
    marker,
    from: Math.min(segmentHeaderBytes, size),
    end: size,
    positionMin: segment.first,
    positionEnd: walk.positionEnd,
    // Older segments were synced whole before the next one began; their bodies are checked when they are read.
    bodies: walk.isLast,
    chunkBytes: scanChunkBytes,
  })
  for (let record = await walker.next(); record !== undefined; record = await walker.next()) {
    if (record.skippedBytes > 0) reportDamage(segment, record, options.onProblem)
    addRecord(segment, record, options)
  }
  segment.end = Math.max(walker.goodEnd, segmentHeaderBytes)
  if (walk.isLast) await repairLast(file, size, walk)
  else if (size > segment.end) {
    options.onProblem({
      kind: 'damaged_records',
      path: segment.path,
      offset: segment.end,
      bytes: size - segment.end,
      message: `passed over ${size - segment.end} unreadable bytes at the end of ${segment.path}`,
    })
  }
}

function addRecord(segment: Segment, record: WalkedRecord, options: RecoveryOptions): void {
  const { header } = record
  indexRecord(segment, header.position, record.offset)
  segment.next = header.position + 1
  // A clock that was ahead must not keep a segment for ever.
  const atMs = Number.isFinite(header.receivedAtMs) ? Math.min(header.receivedAtMs, options.nowMs) : options.nowMs
  segment.newestMs = Math.max(segment.newestMs, atMs)
  options.onRecord(header, atMs)
}

/** Cuts what follows the last good record, and writes the header again if a crash came before it. */
async function repairLast(file: FileHandle, size: number, walk: Walk): Promise<void> {
  const { segment, marker, options } = walk
  if (size > segment.end) {
    options.onProblem({
      kind: 'torn_tail',
      path: segment.path,
      offset: segment.end,
      bytes: size - segment.end,
      message: `cut ${size - segment.end} bytes of an unfinished write off the end of ${segment.path}`,
    })
    await file.truncate(segment.end)
  }
  const header = Buffer.alloc(segmentHeaderBytes)
  await file.read(header, 0, header.length, 0)
  if (decodeSegmentHeader(header) === undefined) {
    await writeAll(file, [encodeSegmentHeader(segment.first, marker, options.nowMs)], 0)
  }
  await file.sync()
}

function reportDamage(segment: Segment, record: WalkedRecord, onProblem: OnProblem): void {
  const lost = record.header.position - segment.next
  onProblem({
    kind: 'damaged_records',
    path: segment.path,
    offset: record.offset - record.skippedBytes,
    bytes: record.skippedBytes,
    message: `passed over ${record.skippedBytes} unreadable bytes (${lost} records) in ${segment.path}`,
  })
}
