/**
 * Attribute values at the edges (JSON, API, tests) and their typed JSON text in the store.
 * The hot path never builds these: batches hold typed columns (`attribute-columns.ts`).
 *
 * Typed JSON keeps every OTLP AnyValue type apart (opentelemetry-proto common.proto `AnyValue`):
 *   string -> "text"          int -> 42 (all 64 bits, never a point or exponent)
 *   bool -> true              double -> 42.0, 1e300 (always a point or exponent)
 *   NaN, ±Infinity, bytes, arrays, maps and the empty value -> the OTLP JSON object of the AnyValue,
 *     {"doubleValue":"NaN"} {"bytesValue":"…base64"} {"arrayValue":{"values":[…]}} {"kvlistValue":{"values":[…]}} {}
 */

export type AttributeValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'array'; readonly value: readonly AttributeValue[] }
  | { readonly type: 'map'; readonly value: readonly Attribute[] }
  | { readonly type: 'empty' }

export interface Attribute {
  readonly key: string
  readonly value: AttributeValue
}

/** OTLP JSON of one AnyValue (OTLP 1.11 §JSON Protobuf Encoding: int64 as string, bytes as base64). */
export type AnyValueJson =
  | { stringValue: string }
  | { intValue: string }
  | { doubleValue: number | string }
  | { boolValue: boolean }
  | { bytesValue: string }
  | { arrayValue: { values: AnyValueJson[] } }
  | { kvlistValue: { values: KeyValueJson[] } }
  | Record<string, never>
export interface KeyValueJson {
  key: string
  value: AnyValueJson
}

export function toAnyValueJson(value: AttributeValue): AnyValueJson {
  switch (value.type) {
    case 'string':
      return { stringValue: value.value }
    case 'int':
      return { intValue: value.value.toString() }
    case 'double':
      // JSON numbers have no NaN and no infinities, and JSON.stringify loses the sign of -0.
      if (Object.is(value.value, -0)) return { doubleValue: '-0' }
      return { doubleValue: Number.isFinite(value.value) ? value.value : String(value.value) }
    case 'bool':
      return { boolValue: value.value }
    case 'bytes':
      return { bytesValue: Buffer.from(value.value).toString('base64') }
    case 'array':
      return { arrayValue: { values: value.value.map(toAnyValueJson) } }
    case 'map':
      return { kvlistValue: { values: value.value.map((kv) => ({ key: kv.key, value: toAnyValueJson(kv.value) })) } }
    case 'empty':
      return {}
  }
}

/** The inverse of `toAnyValueJson`, for text this program wrote; input from outside goes through codec/otlp. */
export function fromAnyValueJson(json: AnyValueJson): AttributeValue {
  if ('stringValue' in json) return { type: 'string', value: String(json.stringValue) }
  if ('intValue' in json) return { type: 'int', value: BigInt(json.intValue as string) }
  if ('doubleValue' in json) return { type: 'double', value: Number(json.doubleValue) }
  if ('boolValue' in json) return { type: 'bool', value: json.boolValue as boolean }
  if ('bytesValue' in json) return { type: 'bytes', value: Buffer.from(json.bytesValue as string, 'base64') }
  if ('arrayValue' in json)
    return { type: 'array', value: (json.arrayValue as { values: AnyValueJson[] }).values.map(fromAnyValueJson) }
  if ('kvlistValue' in json)
    return {
      type: 'map',
      value: (json.kvlistValue as { values: KeyValueJson[] }).values.map((kv) => ({
        key: kv.key,
        value: fromAnyValueJson(kv.value),
      })),
    }
  return { type: 'empty' }
}

/** Typed JSON of one value; see the top of the file. */
export function printTypedValue(value: AttributeValue): string {
  switch (value.type) {
    case 'string':
      return JSON.stringify(value.value)
    case 'int':
      return value.value.toString()
    case 'bool':
      return value.value ? 'true' : 'false'
    case 'double':
      if (!Number.isFinite(value.value)) return `{"doubleValue":"${value.value}"}`
      return printDouble(value.value)
    default:
      return JSON.stringify(toAnyValueJson(value))
  }
}

function printDouble(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /[.e]/.test(text) ? text : text + '.0'
}

/**
 * `{"key":typed value,…}`; when a key is repeated, the last one wins on reading; the specification requires unique
 * keys.
 */
export function printTypedAttributes(attributes: readonly Attribute[]): string {
  if (attributes.length === 0) return ''
  let out = '{'
  for (const { key, value } of attributes) {
    if (out.length > 1) out += ','
    out += JSON.stringify(key) + ':' + printTypedValue(value)
  }
  return out + '}'
}

/** Reads typed JSON attributes back; '' means no attributes. Only for text this program wrote. */
export function parseTypedAttributes(text: string): Attribute[] {
  if (text === '') return []
  const parsed = parseTyped(text) as Record<string, AttributeValue | TypedHolder>
  return Object.entries(parsed).map(([key, value]) => ({ key, value: fromTyped(value) }))
}

/** Parses any typed JSON text; numbers arrive as `AttributeValue`, everything else as plain JSON. */
export function parseTyped(text: string): unknown {
  return JSON.parse(text, function (_key, value: unknown, context?: { source?: string }) {
    if (typeof value !== 'number') return value
    const source = context?.source ?? String(value)
    return new TypedHolder(/^-?\d+$/.test(source) ? { type: 'int', value: BigInt(source) } : { type: 'double', value })
  } as (this: unknown, key: string, value: unknown) => unknown)
}

/** Marks a number that kept its type through JSON.parse. */
export class TypedHolder {
  readonly typed: AttributeValue
  constructor(typed: AttributeValue) {
    this.typed = typed
  }
}

export function fromTyped(value: unknown): AttributeValue {
  if (value instanceof TypedHolder) return value.typed
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'boolean') return { type: 'bool', value }
  return fromAnyValueJson(untype(value) as AnyValueJson)
}

/** Numbers inside an AnyValue object (`doubleValue: 1.5`) are plain JSON again. */
function untype(value: unknown): unknown {
  if (value instanceof TypedHolder) {
    return value.typed.type === 'int' ? Number(value.typed.value) : (value.typed as { value: number }).value
  }
  if (Array.isArray(value)) return value.map(untype)
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, untype(v)]))
  }
  return value
}
