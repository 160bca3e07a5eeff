/** How a value that is not text is stored: as a number if reading can restore its type, else as typed JSON. */
import { valueTypes } from '../model/attribute-columns.ts'
import { printTypedValue } from '../model/attributes.ts'

const words = new DataView(new ArrayBuffer(8))

/** The value, when the number map can hold it and reading can restore its type. */
export function numberOf(type: number, low: number, high: number): number | undefined {
  if (type === valueTypes.int) {
    const value = (high | 0) * 0x100000000 + low
    return Number.isSafeInteger(value) ? value : undefined
  }
  if (type !== valueTypes.double) return undefined
  words.setUint32(0, low, true)
  words.setUint32(4, high, true)
  const value = words.getFloat64(0, true)
  return Number.isFinite(value) && !Number.isInteger(value) ? value : undefined
}

/** Typed JSON of a value that fits neither the map of strings nor that of numbers. */
export function otherText(type: number, low: number, high: number, texts: readonly string[]): string {
  if (type === valueTypes.bool) return low === 0 ? 'false' : 'true'
  if (type === valueTypes.int) return (BigInt(high | 0) * 0x100000000n + BigInt(low)).toString()
  if (type === valueTypes.other) return texts[low]!
  words.setUint32(0, low, true)
  words.setUint32(4, high, true)
  return printTypedValue({ type: 'double', value: words.getFloat64(0, true) })
}
