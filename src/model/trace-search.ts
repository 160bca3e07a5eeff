/** Find traces by a span in them: what is asked for, and a page of what is found. */
import type { SpanQuery } from './query.ts'

/** What comes first: the newest, the longest, the one with most spans or most spans in error. */
export type TraceSort = 'time' | 'duration' | 'spans' | 'errors'

export interface TraceSearch {
  /** What one span of the trace must meet. */
  readonly query: SpanQuery
  readonly sort: TraceSort
  readonly limit: number
  /** Where the page before ended; only with a sort that the reader can continue. */
  readonly after?: TracePlace
}

/** Where a trace stands in an order; of equal values the lower trace id comes first. */
export interface TracePlace {
  /** By time: start of the first matching span, in nanoseconds since the epoch. Else the duration in ns, or the count. */
  readonly value: bigint
  /** 32 hex digits. */
  readonly traceId: string
}

export interface TracePage {
  /** In order. By time the order inside a page is that of the traces' own starts. */
  readonly traces: readonly TraceSummaryRow[]
  /**
   * Traces that match in the whole range, exact. `undefined` when counting takes longer than finding the page:
   * `Reader.countTraces` counts them.
   */
  readonly total: number | undefined
  /** `undefined` on the last page, and in an order that the reader cannot continue. */
  readonly next: TracePlace | undefined
}

/** What a list shows of one trace. */
export interface TraceSummaryRow {
  readonly traceId: string
  /** '' when the root span has not arrived. */
  readonly rootService: string
  readonly rootName: string
  /** OTLP status code of the root span. */
  readonly rootStatus: number
  readonly startNs: bigint
  readonly durationNs: bigint
  readonly spanCount: number
  readonly errorCount: number
  /** Most spans first, then by name. */
  readonly services: readonly ServiceShare[]
}

export interface ServiceShare {
  readonly name: string
  readonly spanCount: number
  readonly errorCount: number
}
