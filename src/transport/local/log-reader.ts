/** Reads a log's durable records in order, across segments, while the log is being written. */
import { open } from 'node:fs/promises'
import { UnavailableError, messageOf } from '../../base/errors.ts'
import type { StoredRecord } from '../../model/log.ts'
import type { OnProblem } from './problem.ts'
import { RecordWalker } from './record-walker.ts'
import type { SegmentSet } from './segment-set.ts'
import { indexedOffset, type Segment } from './segment.ts'

const readChunkBytes = 1024 * 1024

/**
 * Records from position `from` on, up to the last record that is durable when the end is reached. Damage is reported
 * and skipped.
 */
export async function* readRecords(set: SegmentSet, from: number, onProblem: OnProblem): AsyncGenerator<StoredRecord> {
  let next = from
  for (;;) {
    const segment = set.list.find((each) => each.next > next)
    if (segment === undefined) return
    const { next: segmentNext, end } = segment
    for await (const record of readSegment(set, { segment, from: next, end, next: segmentNext }, onProblem)) {
      yield record
    }
    next = segmentNext
  }
}

interface Part {
  readonly segment: Segment
  readonly from: number
  /** How far the segment was durable when reading began. */
  readonly end: number
  readonly next: number
}

async function* readSegment(set: SegmentSet, part: Part, onProblem: OnProblem): AsyncGenerator<StoredRecord> {
  const { segment } = part
  const file = await open(segment.path, 'r').catch((error: unknown) => {
    // Every consumer has finished it, and it was deleted: the log does not wait for this reader.
    if (!set.list.includes(segment)) return undefined
    throw new UnavailableError('io_failed', `cannot read ${segment.path}: ${messageOf(error)}`, { cause: error })
  })
  if (file === undefined) return
  try {
    const from = indexedOffset(segment, part.from)
    const walker = new RecordWalker(file, {
      marker: set.marker,
      from,
      end: part.end,
      positionMin: segment.first,
      positionEnd: part.next,
      bodies: true,
      chunkBytes: Math.min(readChunkBytes, Math.max(4096, part.end - from)),
    })
    for (let step = await walker.next(); step !== undefined; step = await walker.next()) {
      if (step.skippedBytes > 0) reportDamage(segment, step.offset - step.skippedBytes, step.skippedBytes, onProblem)
      if (step.header.position < part.from) continue
      const { signal, codec, encoding, tenant, receivedAtMs, position, hash } = step.header
      yield { signal, codec, encoding, tenant, receivedAtMs, partition: 0, position, hash, body: step.body }
    }
    const left = part.end - walker.goodEnd
    if (left > 0) reportDamage(segment, walker.goodEnd, left, onProblem)
  } finally {
    await file.close()
  }
}

function reportDamage(segment: Segment, offset: number, bytes: number, onProblem: OnProblem): void {
  const message = `passed over ${bytes} unreadable bytes at ${offset} in ${segment.path}`
  onProblem({ kind: 'damaged_records', path: segment.path, offset, bytes, message })
}
