/** Times of Zipkin and Jaeger are microseconds since the epoch; columns are nanoseconds in two 32-bit words. */

/** 2^32 */
const wordSize = 4_294_967_296

/**
 * Writes `micros * 1000` as words 2·row and 2·row+1. Both halves stay exact: a word times 1000 is below 2^42.
 * Returns false and writes nothing for a number below 0 or over 63 bits of nanoseconds.
 */
export function setMicros(words: Uint32Array, row: number, low: number, high: number): boolean {
  const product = low * 1000
  const highProduct = high * 1000 + Math.floor(product / wordSize)
  if (highProduct >= 0x80000000) return false
  words[row * 2] = product % wordSize
  words[row * 2 + 1] = highProduct
  return true
}

/** The same for a single number, which must be an integer of at most 53 bits. */
export function setMicrosNumber(words: Uint32Array, row: number, micros: number): boolean {
  if (!(micros >= 0 && micros <= Number.MAX_SAFE_INTEGER)) return false
  return setMicros(words, row, micros % wordSize, Math.floor(micros / wordSize))
}

/** Whether start plus duration still fits in 63 bits. */
export function endFits(startWords: Uint32Array, durationWords: Uint32Array, row: number): boolean {
  const carry = startWords[row * 2]! + durationWords[row * 2]! >= wordSize ? 1 : 0
  return startWords[row * 2 + 1]! + durationWords[row * 2 + 1]! + carry < 0x80000000
}

export function microsProblem(what: string): string {
  return `${what} is outside 1970-01-01 … 2262-04-11 (63 bits of nanoseconds)`
}
