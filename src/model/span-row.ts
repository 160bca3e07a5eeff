/** One stored span or event as a reader gives it back: objects, for the few rows a person looks at. */
import type { Attribute } from './attributes.ts'

export interface SpanRow {
  /** Lower-case hex; `parentSpanId` is '' for a root. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: bigint
  /** End minus start; negative when the sender's clock went back. */
  readonly durationNano: bigint
  readonly attributes: readonly Attribute[]
  readonly droppedAttributesCount: number
  readonly events: readonly SpanEventRow[]
  readonly droppedEventsCount: number
  readonly links: readonly SpanLinkRow[]
  readonly droppedLinksCount: number
  readonly statusCode: number
  readonly statusMessage: string
  /** Typed JSON (resource.ts), '' when empty. */
  readonly resource: string
  readonly scope: string
}

export interface SpanEventRow {
  readonly timeUnixNano: bigint
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly droppedAttributesCount: number
}

export interface SpanLinkRow {
  /** Lower-case hex; '' in a link to something that carried no context. */
  readonly traceId: string
  readonly spanId: string
  readonly traceState: string
  readonly attributes: readonly Attribute[]
  readonly droppedAttributesCount: number
  readonly flags: number
}

export interface EventRow {
  readonly timeUnixNano: bigint
  /** False when the sender gave no time of its own. */
  readonly timeGiven: boolean
  readonly observedTimeUnixNano: bigint
  /** '' when the event belongs to no trace or span. */
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  readonly severityNumber: number
  readonly severityText: string
  /** OTLP event name; '' for a plain log record. */
  readonly type: string
  readonly protocol: string
  readonly service: string
  /** 0 empty, 1 text, 2 OTLP JSON of an AnyValue (event-batch.ts `bodyTypes`). */
  readonly bodyType: number
  readonly body: string
  readonly attributes: readonly Attribute[]
  readonly droppedAttributesCount: number
  readonly resource: string
  readonly scope: string
}
