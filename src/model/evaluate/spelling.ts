/** What a text without a type may be a spelling of (`spelled` in model/query.ts). */
import { fromTyped, parseTyped, toAnyValueJson, TypedHolder, type AttributeValue } from '../attributes.ts'

export interface Spelling {
  readonly text: string
  /** The number that it spells: all digits of a whole number that fits 64 bits, otherwise a double. */
  readonly number: bigint | number | undefined
  readonly bool: boolean | undefined
  /** `NaN`, `Infinity` or `-Infinity`. */
  readonly special: number | undefined
  /** OTLP JSON of the arrays, maps and bytes that are shown as this text. */
  readonly shown: readonly string[]
}

export function spellingOf(text: string): Spelling {
  return {
    text,
    number: numberIn(text),
    bool: text === 'true' ? true : text === 'false' ? false : undefined,
    special: /^(NaN|-?Infinity)$/.test(text) ? Number(text) : undefined,
    shown: shownAs(text),
  }
}

const int64Max = 2n ** 63n - 1n

/** A number in decimal notation, or `undefined`. */
export function numberIn(text: string): bigint | number | undefined {
  if (text.length > 400 || !/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text)) return undefined
  if (/^[-+]?\d+$/.test(text)) {
    const value = BigInt(text.replace('+', ''))
    if (value >= -int64Max - 1n && value <= int64Max) return value
  }
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

function shownAs(text: string): string[] {
  if (/^[[{]/.test(text)) {
    try {
      return shownJson(text)
    } catch {
      return []
    }
  }
  // Bytes are shown as base64.
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
  return isBase64 ? [JSON.stringify({ bytesValue: text })] : []
}

/** Both readings of whole numbers, as `1.0` is shown as `1`. The text may also be OTLP JSON itself. */
function shownJson(text: string): string[] {
  const plain = parseTyped(text)
  const printed = [
    JSON.stringify(JSON.parse(text)),
    ...[false, true].map((asDoubles) => JSON.stringify(toAnyValueJson(valueOf(plain, asDoubles)))),
  ]
  return [...new Set(printed)].filter((json) => /^\{"(array|kvlist|bytes)Value"/.test(json))
}

function valueOf(json: unknown, asDoubles: boolean): AttributeValue {
  if (json === null) return { type: 'empty' }
  if (Array.isArray(json)) return { type: 'array', value: json.map((item) => valueOf(item, asDoubles)) }
  if (typeof json !== 'object' || json instanceof TypedHolder) {
    const value = fromTyped(json)
    return asDoubles && value.type === 'int' ? { type: 'double', value: Number(value.value) } : value
  }
  const entries = Object.entries(json)
  return { type: 'map', value: entries.map(([key, item]) => ({ key, value: valueOf(item, asDoubles) })) }
}
