/**
 * A time range as pieces whose figures are kept in memory: whole five-minute buckets, and what the ends of the range cut
 * off from a bucket. A piece is told by its place and its version; a version never comes back for other rows.
 */
import type { TimeRange } from '../../../../model/query.ts'
import { bucketSeconds } from '../../../touched-buckets.ts'
import { bucketInterval, type Interval } from '../../rollup/intervals.ts'

/** What is known of the stored buckets, from the writer of this process or by looking at the store. */
export interface BucketStates {
  /** Buckets (epoch seconds) whose rolled-up rows are missing or out of date. */
  dirtyBuckets(): ReadonlySet<number>
  /** Generation of each bucket that is rolled up. A bucket that is neither here nor dirty has no rows. */
  rolledBuckets(): ReadonlyMap<number, bigint>
  /** A number that becomes another one, never seen before, whenever rows that count for the bucket came or left. */
  changeOf(bucket: number): number | bigint
}

export interface Piece {
  /** Where it lies and how long it is; pieces of a range do not overlap. */
  readonly place: string
  readonly startSeconds: number
  /** A bucket, or the hour or day that it stands for. */
  readonly seconds: number
  /** Part of a bucket; whole when undefined. */
  readonly cut: Interval | undefined
  /** The rolled-up rows to read, by bucket; undefined when the figures must be computed from spans and events. */
  readonly generations: ReadonlyMap<number, bigint> | undefined
  /** Rows may still come at any time: it is not rolled up. */
  readonly isOpen: boolean
  readonly version: string
}

/** Buckets that are all rolled up are taken together, so that a week has some 200 pieces and not 2000. */
const groupSeconds = [86_400, 3600] as const

/** In order of time. */
export function piecesOf(range: TimeRange, states: BucketStates): Piece[] {
  const rolled = states.rolledBuckets()
  const dirty = states.dirtyBuckets()
  const pieces: Piece[] = []
  const clean: number[] = []
  const add = (bucket: number): void => {
    const cut = within(bucket, range)
    if (cut === undefined) return
    const isDirty = dirty.has(bucket)
    if (cut === 'whole' && !isDirty) clean.push(bucket)
    else {
      pieces.push({
        place: cut === 'whole' ? `${bucket}` : `${cut.fromNs}-${cut.toNs}`,
        startSeconds: bucket,
        seconds: bucketSeconds,
        cut: cut === 'whole' ? undefined : cut,
        generations: undefined,
        isOpen: isDirty,
        version: isDirty ? dirtyVersion(bucket, states) : `g${rolled.get(bucket)}`,
      })
    }
  }
  for (const bucket of rolled.keys()) add(bucket)
  for (const bucket of dirty) if (!rolled.has(bucket)) add(bucket)
  pieces.push(...cleanPieces(clean, range, states))
  return pieces.sort((a, b) => a.startSeconds - b.startSeconds)
}

/** The bucket that the piece is a part of. */
export function wholeOf(piece: Piece, states: BucketStates): Piece {
  const { startSeconds, isOpen } = piece
  if (!isOpen) return rolledPiece(startSeconds, bucketSeconds, [startSeconds], states.rolledBuckets())
  return { ...piece, place: `${startSeconds}`, cut: undefined }
}

/** The part of the bucket that is in the range, if any is. */
function within(bucket: number, { startNs, endNs }: TimeRange): Interval | 'whole' | undefined {
  const { fromNs, toNs } = bucketInterval(bucket)
  const from = startNs !== undefined && startNs > fromNs ? startNs : fromNs
  const to = endNs !== undefined && endNs < toNs ? endNs : toNs
  if (from >= to) return undefined
  return from === fromNs && to === toNs ? 'whole' : { fromNs: from, toNs: to }
}

function cleanPieces(clean: readonly number[], { startNs, endNs }: TimeRange, states: BucketStates): Piece[] {
  const rolled = states.rolledBuckets()
  const dirty = states.dirtyBuckets()
  const pieces: Piece[] = []
  let rest = clean
  for (const seconds of groupSeconds) {
    const groupOf = (bucket: number): number => Math.floor(bucket / seconds) * seconds
    const open = new Set([...dirty].map(groupOf))
    const left: number[] = []
    for (const [start, buckets] of Map.groupBy(rest, groupOf)) {
      const isWhole =
        !open.has(start) &&
        (startNs === undefined || startNs <= BigInt(start) * 1_000_000_000n) &&
        (endNs === undefined || endNs >= BigInt(start + seconds) * 1_000_000_000n)
      if (isWhole) pieces.push(rolledPiece(start, seconds, buckets, rolled))
      else left.push(...buckets)
    }
    rest = left
  }
  for (const bucket of rest) pieces.push(rolledPiece(bucket, bucketSeconds, [bucket], rolled))
  return pieces
}

/** Generations only grow, so their number and sum tell one set of them from another. */
function rolledPiece(
  startSeconds: number,
  seconds: number,
  buckets: readonly number[],
  rolled: ReadonlyMap<number, bigint>,
): Piece {
  const generations = new Map(buckets.map((bucket) => [bucket, rolled.get(bucket)!]))
  const sum = [...generations.values()].reduce((all, generation) => all + generation, 0n)
  return {
    place: seconds === bucketSeconds ? `${startSeconds}` : `${startSeconds}+${seconds}`,
    startSeconds,
    seconds,
    cut: undefined,
    generations,
    isOpen: false,
    version: buckets.length === 1 ? `g${sum}` : `${buckets.length}g${sum}`,
  }
}

/**
 * A new span may be the parent of a call in the next bucket. What it changes in the bucket before, and in those that it
 * lasts into, is told as their own change (touched-buckets.ts).
 */
function dirtyVersion(bucket: number, states: BucketStates): string {
  return `c${states.changeOf(bucket - bucketSeconds)},${states.changeOf(bucket)}`
}
