/** The search for traces by a span in them: its question, and a page of its result. */
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

/** The place of a trace in an order; among equal values the lower trace id comes first. */
export interface TracePlace {
  /** By time: start of the first matching span, in nanoseconds since the epoch. Else the duration in ns, or the count. */
  readonly value: bigint
  /** 32 hex digits. */
  readonly traceId: string
}

export interface TracePage {
  /** In order. When the sort is by time, a page is in the order of the traces' own starts. */
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
