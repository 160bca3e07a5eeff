/**
 * A segment: one file of the local log, named by the position of its first record, 16 decimal digits and `.seg`.
 *
 *   segment = "CLEWLOG\n" version crc first marker createdAtMs zeros record*
 *   version = u32 (1)       first = u64       createdAtMs = f64
 *   crc     = u32           ; CRC-32 of the 48 bytes after it
 *   zeros   = 24 bytes      ; the header takes 64 bytes
 *
 * Its records have positions from `first` up to the next segment's `first`; anything else in it is left over from a
 * write that failed and is never read.
 */
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { markerBytes } from './record.ts'

export const segmentHeaderBytes = 64
const magic = Buffer.from('CLEWLOG\n')
const segmentVersion = 1
const crcAt = 12
const crcEnd = 16
/** One index entry per this many bytes: 1024 entries, 16 kB of memory, for a segment of 64 MiB. */
const indexEveryBytes = 64 * 1024

export interface Segment {
  readonly path: string
  readonly first: number
  /** Bytes of records in the log before this segment, counted since the log was opened. */
  readonly bytesBefore: number
  /** Offset after the last durable record. */
  end: number
  /** Position after the last durable record. */
  next: number
  /** When its newest record came, milliseconds since the epoch; -Infinity without records. */
  newestMs: number
  /** Sparse index: the offset of the record at each of these positions, both ascending. */
  readonly indexPositions: number[]
  readonly indexOffsets: number[]
}

export function newSegment(dir: string, first: number, bytesBefore: number): Segment {
  return {
    path: join(dir, `${String(first).padStart(16, '0')}.seg`),
    first,
    bytesBefore,
    end: segmentHeaderBytes,
    next: first,
    newestMs: -Infinity,
    indexPositions: [],
    indexOffsets: [],
  }
}

/** The first position in a segment's file name; `undefined` when the name is not a segment's. */
export function parseSegmentName(name: string): number | undefined {
  const digits = /^(\d{16})\.seg$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Notes a durable record at `offset`; most are not indexed. */
export function indexRecord(segment: Segment, position: number, offset: number): void {
  const last = segment.indexOffsets.at(-1)
  if (last !== undefined && offset - last < indexEveryBytes) return
  segment.indexPositions.push(position)
  segment.indexOffsets.push(offset)
}

/** Offset of an indexed record at or before `position`; the start of the records when there is none. */
export function indexedOffset(segment: Segment, position: number): number {
  let low = 0
  let high = segment.indexPositions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((segment.indexPositions[middle] ?? 0) <= position) low = middle + 1
    else high = middle
  }
  return segment.indexOffsets[low - 1] ?? segmentHeaderBytes
}

export function encodeSegmentHeader(first: number, marker: Uint8Array, createdAtMs: number): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes)
  magic.copy(bytes, 0)
  bytes.writeUInt32LE(segmentVersion, 8)
  bytes.writeBigUInt64LE(BigInt(first), 16)
  bytes.set(marker, 24)
  bytes.writeDoubleLE(createdAtMs, 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(crcEnd)), crcAt)
  return bytes
}

/** The log's marker in a segment header; `undefined` when the header is damaged or another format's. */
export function decodeSegmentHeader(bytes: Buffer): { first: number; marker: Buffer } | undefined {
  if (bytes.length < segmentHeaderBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  if (bytes.readUInt32LE(8) !== segmentVersion) return undefined
  if (crc32(bytes.subarray(crcEnd, segmentHeaderBytes)) !== bytes.readUInt32LE(crcAt)) return undefined
  return { first: Number(bytes.readBigUInt64LE(16)), marker: Buffer.from(bytes.subarray(24, 24 + markerBytes)) }
}
