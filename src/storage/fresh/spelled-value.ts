/**
 * What a text may spell as the value of an attribute: the same reading as a search in the store gives it
 * (clickhouse/read/conditions.ts `mapSql`), for searches that are answered from memory.
 */

export interface SpelledValue {
  /** The text itself, as UTF-8. */
  readonly bytes: Uint8Array
  /** The number, when it is one that the store's map of numbers may hold. */
  readonly number: number | undefined
  /** Texts that values of all other types may be stored as (stored-value.ts `otherText`). */
  readonly others: readonly string[]
}

export function spelledValue(text: string): SpelledValue {
  const number = Number(text)
  const isNumber = /^[-+]?[\d.]/.test(text) && Number.isFinite(number)
  return { bytes: Buffer.from(text), number: isNumber ? number : undefined, others: othersOf(text, isNumber) }
}

function othersOf(text: string, isNumber: boolean): string[] {
  if (text === 'true' || text === 'false') return [text]
  if (isNumber) return [text, `${text}.0`]
  return /^(NaN|-?Infinity|[[{])/.test(text) ? [text, `{"doubleValue":"${text}"}`] : []
}
