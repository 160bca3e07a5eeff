/**
 * 64-bit values as two 32-bit words, the low one first: decoders read them and columns hold them in this form, because
 * a bigint for each value of each span would be one more allocation.
 */

/** The signed integer of two words. */
export function intOf(low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
}

export function lowWord(value: bigint): number {
  return Number(value & 0xffffffffn)
}

export function highWord(value: bigint): number {
  return Number((value >> 32n) & 0xffffffffn)
}

/** Puts a value into a column of two entries a row. */
export function setWords(words: Uint32Array, row: number, value: bigint): void {
  words[row * 2] = lowWord(value)
  words[row * 2 + 1] = highWord(value)
}

const scratch = new DataView(new ArrayBuffer(8))

/** The double whose IEEE 754 bits are the two words. */
export function doubleOf(low: number, high: number): number {
  scratch.setUint32(0, low, true)
  scratch.setUint32(4, high, true)
  return scratch.getFloat64(0, true)
}
