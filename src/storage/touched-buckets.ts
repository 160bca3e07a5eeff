/** Which five-minute buckets (start in epoch seconds) a batch changes: their rollups are then out of date. */
import type { EventBatch } from '../model/event-batch.ts'
import type { SpanBatch } from '../model/span-batch.ts'

export const bucketSeconds = 300
/** A call is answered by a span that starts at most this long after it. */
export const answerAfterSeconds = 60

/** High word of 300 s in nanoseconds, rounded down: durations from here on are checked exactly. */
const longHighWord = Math.floor((bucketSeconds * 1e9) / 2 ** 32)
/** Times as doubles are accurate to 256 ns. Close to a boundary both buckets count as touched, which costs nothing. */
const boundarySeconds = 1e-6
/** A span's parent is searched at most a day back. */
export const lastedBucketsMax = 288

/**
 * Adds the buckets in which the rows start. A span that starts early in its bucket also changes the one before: it may
 * answer a call from there, or be the parent of a span whose clock is behind. A span that lasts longer than a bucket
 * changes all until its end: its children are there, and their edges may have been made before it came, without a
 * parent.
 */
export function addTouchedBuckets(buckets: Set<number>, batch: SpanBatch | EventBatch): void {
  if (batch.signal === 'events') return addStarts(buckets, batch.times, boundarySeconds)
  addStarts(buckets, batch.startTimes, answerAfterSeconds)
  const words = new Int32Array(batch.durations.buffer, batch.durations.byteOffset, batch.rows * 2)
  for (let row = 0; row < batch.rows; row++) {
    if (words[row * 2 + 1]! < longHighWord) continue
    const start = Number(batch.startTimes[row]!) / 1e9
    const first = bucketAt(start)
    const last = Math.min(
      bucketAt(start + Number(batch.durations[row]!) / 1e9),
      first + lastedBucketsMax * bucketSeconds,
    )
    for (let bucket = first; bucket <= last; bucket += bucketSeconds) buckets.add(bucket)
  }
}

/** A row that starts less than `nearSeconds` after its bucket's start also counts for the bucket before. */
function addStarts(buckets: Set<number>, times: BigInt64Array, nearSeconds: number): void {
  const low = new Uint32Array(times.buffer, times.byteOffset, times.length * 2)
  const high = new Int32Array(times.buffer, times.byteOffset, times.length * 2)
  let last = NaN
  let lastNear = NaN
  for (let i = 0; i < low.length; i += 2) {
    const seconds = (high[i + 1]! * 4294967296 + low[i]!) / 1e9
    const bucket = bucketAt(seconds)
    if (seconds - bucket < nearSeconds && bucket !== lastNear) {
      lastNear = bucket
      buckets.add(bucket - bucketSeconds)
    }
    if (bucket === last) continue
    last = bucket
    buckets.add(bucket)
  }
}

function bucketAt(seconds: number): number {
  return Math.floor(seconds / bucketSeconds) * bucketSeconds
}
