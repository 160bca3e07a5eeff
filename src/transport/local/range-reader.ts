/**
 * Reads parts of records anywhere in the log: the few spans of one trace, whose records are hundreds of times as large.
 * Recent records come from the system's cache, so the number of successive calls decides how long it takes: one to open
 * each segment, one to find a record in it (more when records are small), one to read.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { UnavailableError, messageOf } from '../../base/errors.ts'
import type { RecordRanges } from '../../model/log.ts'
import { FileWindow, readFully } from './file-window.ts'
import { decodeRecordHeader, recordHeaderBytesMax } from './record.ts'
import type { SegmentSet } from './segment-set.ts'
import { indexedOffset, type Segment } from './segment.ts'

/** Small records are closer together than index entries. One chunk holds all headers up to the next indexed one. */
const walkChunkBytes = 64 * 1024 + recordHeaderBytesMax
/** The maximum number of concurrent searches in one segment: bounds memory to a few of these chunks. */
const searchesMax = 16
/** Ranges closer than this are read by one call: copying so much costs about as much as a call. */
const gapBytesMax = 16 * 1024

type Range = readonly [start: number, end: number]

/** See `Log.readRanges`. */
export async function readRanges(
  set: SegmentSet,
  records: readonly RecordRanges[],
): Promise<Uint8Array[][] | undefined> {
  const groups = new Map<Segment, RecordRanges[]>()
  for (const record of records) {
    const segment = set.list.find((each) => each.next > record.position)
    if (segment === undefined || record.position < segment.first) return undefined
    addTo(groups, segment, record)
  }
  const parts = await Promise.all([...groups].map(([segment, group]) => readSegment(set, segment, group)))
  return allOf(parts)
}

async function readSegment(
  set: SegmentSet,
  segment: Segment,
  records: readonly RecordRanges[],
): Promise<Uint8Array[][] | undefined> {
  const file = await open(segment.path, 'r').catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined // finished by all consumers, deleted since
    throw new UnavailableError('io_failed', `cannot read ${segment.path}: ${messageOf(error)}`, { cause: error })
  })
  if (file === undefined) return undefined
  try {
    const groups = new Map<number, RecordRanges[]>()
    for (const record of records) addTo(groups, indexedOffset(segment, record.position), record)
    const searches = [...groups].map(([from, group]) => ({ file, segment, marker: set.marker, from, records: group }))
    const parts: (Uint8Array[][] | undefined)[] = []
    for (let at = 0; at < searches.length; at += searchesMax) {
      parts.push(...(await Promise.all(searches.slice(at, at + searchesMax).map(readNear))))
    }
    return allOf(parts)
  } finally {
    await file.close()
  }
}

interface Search {
  readonly file: FileHandle
  readonly segment: Segment
  readonly marker: Uint8Array
  /** Offset of a record at or before the first of `records`. */
  readonly from: number
  readonly records: readonly RecordRanges[]
}

/** Steps from header to header until all are found; `undefined` when there is damage on the way. */
async function readNear({ file, segment, marker, from, records }: Search): Promise<Uint8Array[][] | undefined> {
  const isFirst = records.length === 1 && segment.indexPositions.includes(records[0]!.position)
  const window = new FileWindow(file, segment.end, isFirst ? recordHeaderBytesMax : walkChunkBytes)
  const found: { bodyAt: number; ranges: readonly Range[] }[] = []
  let offset = from
  for (const { position, ranges } of records) {
    for (;;) {
      const header = decodeRecordHeader(await window.view(offset, recordHeaderBytesMax), marker)
      if (header === undefined || header.position > position) return undefined
      const bodyAt = offset + header.headerBytes
      if (header.position === position) {
        if (ranges.some(([start, end]) => start > end || end > header.bodyBytes)) return undefined
        found.push({ bodyAt, ranges })
        break
      }
      offset = bodyAt + header.bodyBytes
    }
  }
  const parts = await Promise.all(found.map(({ bodyAt, ranges }) => readParts(file, bodyAt, ranges)))
  return allOf(parts.map((part) => (part === undefined ? undefined : [part])))
}

async function readParts(
  file: FileHandle,
  bodyAt: number,
  ranges: readonly Range[],
): Promise<Uint8Array[] | undefined> {
  const runs: Range[][] = []
  for (const range of ranges) {
    const run = runs.at(-1)
    if (run !== undefined && range[0] - run.at(-1)![1] <= gapBytesMax) run.push(range)
    else runs.push([range])
  }
  return allOf(await Promise.all(runs.map((run) => readRun(file, bodyAt, run))))
}

async function readRun(file: FileHandle, bodyAt: number, run: readonly Range[]): Promise<Uint8Array[] | undefined> {
  const start = run[0]![0]
  const bytes = Buffer.allocUnsafeSlow(run.at(-1)![1] - start)
  if ((await readFully(file, bytes, bodyAt + start)) < bytes.length) return undefined
  return run.map(([from, to]) => bytes.subarray(from - start, to - start))
}

function addTo<Key>(groups: Map<Key, RecordRanges[]>, key: Key, record: RecordRanges): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [record])
  else group.push(record)
}

function allOf<Part>(parts: readonly (readonly Part[] | undefined)[]): Part[] | undefined {
  const all: Part[] = []
  for (const part of parts) {
    if (part === undefined) return undefined
    for (const each of part) all.push(each)
  }
  return all
}
