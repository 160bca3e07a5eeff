/**
 * Attribute keys that were seen in places, or with values, for which a search must look further than the column or map
 * of the key (clickhouse/compile). Few keys are of these kinds; a search for any other stays quick.
 */
import type { Attribute } from '../model/attributes.ts'
import type { Scope } from '../model/resource.ts'

export const keyKinds = ['arrays', 'maps', 'bytes', 'event', 'link', 'instrumentation', 'odd', 'bodyMaps'] as const
export type KeyKind = (typeof keyKinds)[number]

/** Keys that contain `=` or begin as a scope does. Few stores have one, so a search usually need not look for them. */
export function isOdd(key: string): boolean {
  return key.includes('=') || /^(span|resource|event|link|instrumentation)\./.test(key)
}

/** The keys of each kind among the rows of a block. `bodyMaps` holds '' when some event has a map as its body. */
export class KeyNotes {
  readonly sets: Readonly<Record<KeyKind, Set<string>>> = {
    arrays: new Set(),
    maps: new Set(),
    bytes: new Set(),
    event: new Set(),
    link: new Set(),
    instrumentation: new Set(),
    odd: new Set(),
    bodyMaps: new Set(),
  }

  reset(): void {
    for (const kind of keyKinds) this.sets[kind].clear()
  }

  add(kind: KeyKind, key: string): void {
    this.sets[kind].add(key)
  }

  addKey(key: string): void {
    if (isOdd(key)) this.sets.odd.add(key)
  }

  addAll(attributes: readonly Attribute[]): void {
    for (const { key, value } of attributes) {
      this.addKey(key)
      if (value.type === 'array') this.sets.arrays.add(key)
      else if (value.type === 'map') this.sets.maps.add(key)
      else if (value.type === 'bytes') this.sets.bytes.add(key)
    }
  }

  addScope({ attributes }: Scope): void {
    this.addAll(attributes)
    for (const { key } of attributes) this.sets.instrumentation.add(key)
  }

  /** `json` is the start of the value's OTLP JSON. */
  addNested(key: string, json: string): void {
    if (json.startsWith('{"arrayValue"')) this.sets.arrays.add(key)
    else if (json.startsWith('{"kvlistValue"')) this.sets.maps.add(key)
    else if (json.startsWith('{"bytesValue"')) this.sets.bytes.add(key)
  }

  /**
   * Takes the attributes of a span's event or link as typed JSON, '' for none. Reads only the keys: parsing takes ten
   * times as long.
   */
  addTyped(place: 'event' | 'link', text: string): void {
    for (let at = 1; at < text.length;) {
      const keyEnd = closingQuote(text, at)
      const raw = text.slice(at + 1, keyEnd)
      const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
      if (!this.sets[place].has(key)) {
        this.sets[place].add(key)
        this.addKey(key)
      }
      const valueAt = keyEnd + 2
      if (text[valueAt] === '{') this.addNested(key, text.slice(valueAt, valueAt + 16))
      at = valueEnd(text, valueAt) + 1
    }
  }
}

/** `at` is the place of an opening quote. */
function closingQuote(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return end
  }
}

/** Place of the comma or brace after the value that begins here. */
function valueEnd(text: string, at: number): number {
  let depth = 0
  for (; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = closingQuote(text, at)
    else if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ',') && depth === 0) return at
    else if (character === '}' || character === ']') depth--
  }
  return at
}
