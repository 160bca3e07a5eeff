/**
 * Hashes of byte strings for tables with open addressing, where strings that collide slow each other down.
 *
 * There are two. `quickHash` looks at five words at most, so a long value costs no more than a short one. But anyone
 * can make strings that differ only in the bytes it leaves out. `keyedHash` looks at every byte with a secret key, so
 * nobody outside can make strings that collide. A table begins with the quick hash. It changes to the keyed hash for
 * good as soon as a search takes more than `probesMax` steps. At half load, strings that were not chosen to collide
 * almost never take that many: linear probing then needs 2.5 steps on average (Knuth, The Art of Computer Programming,
 * vol. 3, §6.4).
 */

/** Steps of one search after which a table stops trusting `quickHash`. */
export const probesMax = 64

/**
 * The steps counted for a string with the wanted hash and length but other bytes: long strings are expensive to
 * compare.
 */
export const comparedSteps = 16

const prime = 0x85ebca6b

/** Mixes the length and up to five words of four bytes: both ends, the middle and the quarters. */
export function quickHash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  let hash = Math.imul(length + 0x9e3779b9, prime)
  if (length >= 4) {
    hash = Math.imul(hash ^ wordAt(bytes, start), prime)
    hash = Math.imul(hash ^ (hash >>> 15) ^ wordAt(bytes, end - 4), prime)
    if (length > 8) hash = Math.imul(hash ^ (hash >>> 15) ^ wordAt(bytes, start + ((length - 4) >> 1)), prime)
    if (length > 16) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ wordAt(bytes, start + (length >> 2)), prime)
      hash = Math.imul(hash ^ (hash >>> 15) ^ wordAt(bytes, end - 4 - (length >> 2)), prime)
    }
  } else for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, prime)
  return hash ^ (hash >>> 13)
}

/** Secret of this process. */
const key = crypto.getRandomValues(new Int32Array(2))

/**
 * HalfSipHash-1-3 of all bytes: SipHash with words of 32 bits, as Linux uses it for its tables (J.-P. Aumasson and D. J.
 * Bernstein, "SipHash: a fast short-input PRF", 2012; hsiphash in Documentation/security/siphash.rst of the kernel).
 */
export function keyedHash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  let v0 = key[0]!
  let v1 = key[1]!
  let v2 = 0x6c796765 ^ v0
  let v3 = 0x74656462 ^ v1
  const whole = start + (length & ~3)
  for (let at = start; at <= whole; at += 4) {
    // The last word holds the bytes that are left and the length.
    const word = at < whole ? wordAt(bytes, at) : restAt(bytes, whole, end) | (length << 24)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  v2 ^= 0xff
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }
  return v1 ^ v3
}

function restAt(bytes: Uint8Array, from: number, end: number): number {
  let rest = 0
  for (let i = from; i < end; i++) rest |= bytes[i]! << ((i - from) * 8)
  return rest
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

const bytesPerId = 16
/**
 * A random number for each value of each byte of an id: 16 KiB, which stay in the fastest cache. A secret of this
 * process.
 */
const idTable = crypto.getRandomValues(new Int32Array(bytesPerId * 256))

/**
 * The hash of an id of four words, which its sender chose. It is tabulation hashing: ids that were chosen without
 * knowing the table find their slots by linear probing in a constant number of steps (M. Pătraşcu and M. Thorup, "The
 * power of simple tabulation hashing", 2012). Mixing word by word with a secret is not enough: changing one word's high
 * bits changes a few known bits of the result, and a change of the next word can undo that.
 */
export function idHash(a: number, b: number, c: number, d: number): number {
  return wordHash(a, 0) ^ wordHash(b, 1024) ^ wordHash(c, 2048) ^ wordHash(d, 3072)
}

/** `from`: where the tables of the word's four bytes begin. */
function wordHash(word: number, from: number): number {
  return (
    idTable[from + (word & 255)]! ^
    idTable[from + 256 + ((word >>> 8) & 255)]! ^
    idTable[from + 512 + ((word >>> 16) & 255)]! ^
    idTable[from + 768 + (word >>> 24)]!
  )
}
