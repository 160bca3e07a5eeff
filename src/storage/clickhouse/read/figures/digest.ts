/**
 * The engine's t-digests outside the engine: states of `quantilesTDigest` are read, merged, and asked for quantiles here,
 * so that figures kept in memory need no query. The arithmetic is the engine's (QuantileTDigest.h of ClickHouse), in
 * doubles where the engine rounds to floats.
 *
 * A state is the number of centroids as a varint, then for each a mean and a count (floats, little-endian), in order of
 * mean.
 */

/** Centroids as pairs of mean and count, in order of mean. */
export type Digest = Float32Array

const emptyDigest: Digest = new Float32Array(0)

/** The engine's own: a centroid in the middle of the distribution holds up to 1 % of all values. */
const epsilon = 0.01

/** Past this many centroids a merged digest is compressed: its memory is 8 KB then. */
const centroidsMax = 1024

/** Reads a state as base64 text. */
export function decodeDigest(base64: string): Digest {
  const bytes = Buffer.from(base64, 'base64')
  let at = 0
  while (bytes[at]! >= 0x80) at++
  at++
  if (at >= bytes.length) return emptyDigest
  // Copied, as floats in memory must start at a multiple of four bytes.
  const copy = new Uint8Array(bytes.length - at)
  copy.set(bytes.subarray(at))
  return new Float32Array(copy.buffer)
}

/** A digest of values that ascend. */
export function digestOfSorted(values: Float64Array): Digest {
  const digest = new Float32Array(values.length * 2)
  for (let i = 0; i < values.length; i++) {
    digest[i * 2] = values[i]!
    digest[i * 2 + 1] = 1
  }
  return digest.length > centroidsMax * 2 ? compress(digest) : digest
}

/** A digest of all values of the given ones. */
export function mergeDigests(digests: readonly Digest[]): Digest {
  let lists = digests.filter((digest) => digest.length > 0)
  // Two by two, which takes the fewest steps.
  while (lists.length > 1) {
    const next: Digest[] = []
    for (let i = 0; i < lists.length; i += 2) {
      next.push(i + 1 < lists.length ? mergeSorted(lists[i]!, lists[i + 1]!) : lists[i]!)
    }
    lists = next
  }
  const merged = lists[0] ?? emptyDigest
  return merged.length > centroidsMax * 2 ? compress(merged) : merged
}

function mergeSorted(a: Digest, b: Digest): Digest {
  const merged = new Float32Array(a.length + b.length)
  let [i, j] = [0, 0]
  for (let at = 0; at < merged.length; at += 2) {
    if (j >= b.length || (i < a.length && a[i]! <= b[j]!)) {
      merged[at] = a[i]!
      merged[at + 1] = a[i + 1]!
      i += 2
    } else {
      merged[at] = b[j]!
      merged[at + 1] = b[j + 1]!
      j += 2
    }
  }
  return merged
}

function countOf(digest: Digest): number {
  let count = 0
  for (let i = 1; i < digest.length; i += 2) count += digest[i]!
  return count
}

/** Joins neighbours as long as a centroid stays small for its place: small at both ends, larger in the middle. */
function compress(digest: Digest): Digest {
  const count = countOf(digest)
  const out = new Float32Array(digest.length)
  let used = 0
  let before = 0
  let [mean, size] = [digest[0]!, digest[1]!]
  for (let i = 2; i < digest.length; i += 2) {
    const [nextMean, nextSize] = [digest[i]!, digest[i + 1]!]
    const left = (before + size * 0.5) / count
    const right = (before + size + nextSize * 0.5) / count
    const sizeMax = count * epsilon * 4 * Math.min(left * (1 - left), right * (1 - right))
    if (size + nextSize <= sizeMax) {
      size += nextSize
      mean += (nextSize * (nextMean - mean)) / size
    } else {
      out[used++] = mean
      out[used++] = size
      before += size
      mean = nextMean
      size = nextSize
    }
  }
  out[used++] = mean
  out[used++] = size
  return out.slice(0, used)
}

/** In the order of the levels, which ascend; undefined for those of an empty digest. */
export function readQuantiles(digest: Digest, levels: readonly number[]): (number | undefined)[] {
  if (digest.length === 0) return levels.map(() => undefined)
  const count = countOf(digest)
  const found: number[] = []
  // Values before the middle of a centroid, and all before the centroid.
  let [middle, before, previousMiddle] = [0, 0, 0]
  let previous = 0
  for (let i = 0; i < digest.length && found.length < levels.length; i += 2) {
    const size = digest[i + 1]!
    middle = before + size * 0.5
    for (
      let level = levels[found.length];
      level !== undefined && middle >= level * count;
      level = levels[found.length]
    ) {
      // A centroid of one value stands for that value over its whole width.
      const from = digest[previous + 1] === 1 ? previousMiddle + 0.5 : previousMiddle
      const to = size === 1 ? middle - 0.5 : middle
      const share = (level * count - from) / (to - from)
      found.push(between(digest[previous]!, digest[i]!, share))
    }
    before += size
    previousMiddle = middle
    previous = i
  }
  while (found.length < levels.length) found.push(digest[digest.length - 2]!)
  return found
}

/** Without width between the two, the share is no number or infinite, and the left one counts where both meet. */
function between(left: number, right: number, share: number): number {
  if (share >= 1) return right
  return share > 0 ? left * (1 - share) + right * share : left
}
