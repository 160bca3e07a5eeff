/** Messages between the page and the trace worker. The worker reads, decodes and lays out; the page only draws. */
import type { SpanDetails, ShownLog } from '../model/span-details.ts'
import type { Timing, Tree } from '../model/trace.ts'

export interface Failure {
  readonly status: number
  readonly what: string
  readonly why: string
  readonly next: string
}

export type ToWorker =
  | { readonly id: number; readonly ask: 'open'; readonly traceId: string; readonly adjusted: boolean }
  | { readonly id: number; readonly ask: 'timing'; readonly adjusted: boolean }
  | { readonly id: number; readonly ask: 'find'; readonly text: string }
  | { readonly id: number; readonly ask: 'details'; readonly node: number }
  | { readonly id: number; readonly ask: 'logs'; readonly node: number }

export interface Opened {
  readonly tree: Tree
  readonly timing: Timing
  /** Starts as sent, for the ghosts of adjusted spans. */
  readonly rawStart: Float64Array
}
export interface Found {
  /** 1 for each matching node; `undefined` for an empty text. */
  readonly marks: Uint8Array | undefined
  readonly count: number
}
export interface SpanLogs {
  readonly own: readonly ShownLog[]
  /** Only with the first node: records that name no span, or a span that is not in the trace. */
  readonly others: readonly ShownLog[]
}
export interface Answers {
  readonly open: Opened
  readonly timing: Timing
  readonly find: Found
  readonly details: SpanDetails | undefined
  readonly logs: SpanLogs
}

export type FromWorker =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly failure: Failure }
