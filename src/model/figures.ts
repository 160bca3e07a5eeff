/** Figures of services, their operations and who calls whom: rate, errors and durations; and attribute keys in use. */

/** 0 when there are no calls. */
export interface Quantiles {
  readonly p50Ns: bigint
  readonly p95Ns: bigint
  readonly p99Ns: bigint
}

export interface ServiceFigures extends Quantiles {
  readonly name: string
  /** Server and consumer spans; root spans of a service that has none of these in the range. */
  readonly calls: number
  /** The number of calls that failed. */
  readonly errors: number
  readonly spans: number
  /** Start of the newest span. */
  readonly lastSeenNs: bigint
  /** Calls and errors of the newest five minutes (from a multiple of 300 s since the epoch) with spans of the service. */
  readonly newest: { readonly calls: number; readonly errors: number }
}

export interface OperationFigures extends Quantiles {
  readonly name: string
  /** OTLP span kind. */
  readonly kind: number
  readonly calls: number
  readonly errors: number
  readonly totalNs: bigint
}

export type ChildType = 'service' | 'database' | 'messaging' | 'external'

export interface EdgeFigures extends Quantiles {
  /** Service name. */
  readonly parent: string
  /** Service name; for the other types what the caller's attributes name, such as `postgresql/orders`. */
  readonly child: string
  readonly childType: ChildType
  readonly calls: number
  readonly errors: number
}

export interface AttributeKey {
  readonly key: string
  readonly scope: 'span' | 'resource' | 'event'
  /** `string`, `number` (int or double) or `other` (bool, array, map, bytes). */
  readonly type: string
  /** Spans and events that have it, with this type. */
  readonly spans: number
}

export interface AttributeValueCount {
  readonly value: string
  readonly spans: number
}
