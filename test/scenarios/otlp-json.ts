/** OTLP JSON as the API answers it, as far as the scenarios look at it, and one flat list of spans from it. */
export interface ValueJson {
  readonly stringValue?: string
  readonly intValue?: string | number
  readonly doubleValue?: number
  readonly boolValue?: boolean
}
type AttributesJson = readonly { readonly key: string; readonly value: ValueJson }[]

export interface SpanJson {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: AttributesJson
  readonly events?: readonly { readonly name: string; readonly attributes?: AttributesJson }[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number; readonly message?: string }
}

export interface TracesJson {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes?: AttributesJson }
    readonly scopeSpans: readonly { readonly spans: readonly SpanJson[] }[]
  }[]
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface FlatSpan extends Pick<SpanJson, 'traceId' | 'spanId' | 'name' | 'events' | 'links'> {
  readonly service: string
  readonly resource: Attributes
  readonly attributes: Attributes
  /** Empty for a root. */
  readonly parentSpanId: string
  readonly durationNano: bigint
  readonly isError: boolean
}

const statusError = 2

/** Plain values of the scalar attributes. */
export function attributesOf(list: AttributesJson | undefined): Attributes {
  return Object.fromEntries(
    (list ?? []).map(({ key, value }) => [
      key,
      value.stringValue ??
        value.boolValue ??
        value.doubleValue ??
        (value.intValue === undefined ? undefined : Number(value.intValue)),
    ]),
  )
}

export function flatten(traces: TracesJson): FlatSpan[] {
  return traces.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const resourceAttributes = attributesOf(resource?.attributes)
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: String(resourceAttributes['service.name']),
        resource: resourceAttributes,
        attributes: attributesOf(span.attributes),
        parentSpanId: span.parentSpanId ?? '',
        durationNano: BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano),
        isError: span.status?.code === statusError,
      })),
    )
  })
}
