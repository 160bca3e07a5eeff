/**
 * OTLP JSON as it comes from the API (opentelemetry-proto, "JSON Protobuf Encoding": ids as hex, 64-bit integers as
 * decimal text, enums as numbers). Every field may be missing.
 */
export interface AnyValue {
  readonly stringValue?: string
  readonly intValue?: string | number
  readonly doubleValue?: number | string
  readonly boolValue?: boolean
  readonly bytesValue?: string
  readonly arrayValue?: { readonly values?: readonly AnyValue[] }
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] }
}
export interface KeyValue {
  readonly key: string
  readonly value?: AnyValue
}
export interface OtlpEvent {
  readonly timeUnixNano?: string
  readonly name?: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
}
export interface OtlpLink {
  readonly traceId?: string
  readonly spanId?: string
  readonly traceState?: string
  readonly attributes?: readonly KeyValue[]
}
export interface OtlpSpan {
  readonly traceId?: string
  readonly spanId?: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name?: string
  readonly kind?: number
  readonly startTimeUnixNano?: string
  readonly endTimeUnixNano?: string
  readonly attributes?: readonly KeyValue[]
  readonly events?: readonly OtlpEvent[]
  readonly links?: readonly OtlpLink[]
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly droppedAttributesCount?: number
  readonly droppedEventsCount?: number
  readonly droppedLinksCount?: number
}
export interface OtlpResource {
  readonly attributes?: readonly KeyValue[]
}
export interface OtlpScope {
  readonly name?: string
  readonly version?: string
  readonly attributes?: readonly KeyValue[]
}
export interface OtlpTraces {
  readonly resourceSpans?: readonly {
    readonly resource?: OtlpResource
    readonly scopeSpans?: readonly { readonly scope?: OtlpScope; readonly spans?: readonly OtlpSpan[] }[]
  }[]
}
export interface OtlpLogRecord {
  readonly timeUnixNano?: string
  readonly observedTimeUnixNano?: string
  readonly severityNumber?: number
  readonly severityText?: string
  readonly body?: AnyValue
  readonly attributes?: readonly KeyValue[]
  readonly spanId?: string
  readonly eventName?: string
}
export interface OtlpLogs {
  readonly resourceLogs?: readonly {
    readonly resource?: OtlpResource
    readonly scopeLogs?: readonly { readonly logRecords?: readonly OtlpLogRecord[] }[]
  }[]
}

export const statusError = 2
export const statusOk = 1

export const kindNames = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
export const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const

export type ValueType = 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'array' | 'map' | 'empty'

/** One attribute ready to show: the whole value as text, and its type, which distinguishes `42` from `"42"`. */
export interface ShownAttribute {
  readonly key: string
  readonly type: ValueType
  readonly text: string
}

export function showAttributes(attributes: readonly KeyValue[] | undefined): ShownAttribute[] {
  return (attributes ?? []).map(({ key, value }) => ({ key, type: typeOf(value), text: printValue(value) }))
}

export function typeOf(value: AnyValue | undefined): ValueType {
  if (value === undefined) return 'empty'
  if (value.stringValue !== undefined) return 'string'
  if (value.intValue !== undefined) return 'int'
  if (value.doubleValue !== undefined) return 'double'
  if (value.boolValue !== undefined) return 'bool'
  if (value.bytesValue !== undefined) return 'bytes'
  if (value.arrayValue !== undefined) return 'array'
  return value.kvlistValue === undefined ? 'empty' : 'map'
}

/** Strings unquoted, integers with all digits, bytes as base64, arrays and maps as JSON. */
export function printValue(value: AnyValue | undefined): string {
  if (value === undefined) return ''
  if (value.stringValue !== undefined) return value.stringValue
  if (value.arrayValue !== undefined || value.kvlistValue !== undefined) return printNested(value)
  return String(value.intValue ?? value.doubleValue ?? value.boolValue ?? value.bytesValue ?? '')
}

function printNested(value: AnyValue): string {
  if (value.arrayValue !== undefined) return `[${(value.arrayValue.values ?? []).map(printNested).join(', ')}]`
  if (value.kvlistValue !== undefined) {
    const pairs = (value.kvlistValue.values ?? []).map(
      (pair) => `${JSON.stringify(pair.key)}: ${printNested(pair.value ?? {})}`,
    )
    return `{${pairs.join(', ')}}`
  }
  if (value.stringValue !== undefined) return JSON.stringify(value.stringValue)
  return printValue(value) || 'null'
}

export function serviceName(resource: OtlpResource | undefined): string {
  const found = resource?.attributes?.find(({ key }) => key === 'service.name')
  return printValue(found?.value) || 'unknown_service'
}
