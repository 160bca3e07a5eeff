/**
 * The parts of OTLP JSON (opentelemetry-proto 1.x, JSON mapping) that the commands read from the API's answers. The
 * server writes 64-bit integers as decimal text and omits empty fields.
 */
export interface AnyValue {
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly intValue?: string | number
  readonly doubleValue?: number | string
  readonly arrayValue?: { readonly values?: readonly AnyValue[] }
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] }
  readonly bytesValue?: string
}

export interface KeyValue {
  readonly key: string
  readonly value?: AnyValue
}

export interface Resource {
  readonly attributes?: readonly KeyValue[]
}

export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name?: string
  readonly kind?: number
  readonly startTimeUnixNano?: string
  readonly endTimeUnixNano?: string
  readonly attributes?: readonly KeyValue[]
  readonly events?: readonly {
    readonly timeUnixNano?: string
    readonly name?: string
    readonly attributes?: readonly KeyValue[]
  }[]
  readonly links?: readonly {
    /** Absent in a link to something that had no trace context. */
    readonly traceId?: string
    readonly spanId?: string
    readonly attributes?: readonly KeyValue[]
  }[]
  readonly status?: { readonly code?: number; readonly message?: string }
}

export interface OtlpLogRecord {
  readonly timeUnixNano?: string
  readonly observedTimeUnixNano?: string
  readonly severityNumber?: number
  readonly severityText?: string
  readonly eventName?: string
  readonly body?: AnyValue
  readonly attributes?: readonly KeyValue[]
  readonly spanId?: string
}

export interface TracesData {
  readonly resourceSpans?: readonly {
    readonly resource?: Resource
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[]
  }[]
}

export interface LogsData {
  readonly resourceLogs?: readonly {
    readonly resource?: Resource
    readonly scopeLogs?: readonly { readonly logRecords?: readonly OtlpLogRecord[] }[]
  }[]
}

/** `service.name`, or an empty text when the resource has none. */
export function serviceOf(resource: Resource | undefined): string {
  return resource?.attributes?.find(({ key }) => key === 'service.name')?.value?.stringValue ?? ''
}

/** For people: strings unquoted, lists and maps in brackets. */
export function showValue(value: AnyValue | undefined): string {
  if (value?.stringValue !== undefined) return value.stringValue
  const scalar = value?.intValue ?? value?.doubleValue ?? value?.boolValue
  if (scalar !== undefined) return String(scalar)
  if (value?.arrayValue !== undefined) return `[${(value.arrayValue.values ?? []).map(showValue).join(', ')}]`
  if (value?.kvlistValue !== undefined) {
    return `{${(value.kvlistValue.values ?? []).map(({ key, value: item }) => `${key}: ${showValue(item)}`).join(', ')}}`
  }
  return value?.bytesValue === undefined ? '(empty)' : `base64 ${value.bytesValue}`
}
