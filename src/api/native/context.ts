/** What the native API answers from. */
import type { KeyFacts } from '../../storage/clickhouse/read/conditions.ts'
import type { SearchSources, TracePage, TraceSearch } from '../../storage/clickhouse/read/trace-search.ts'
import type { StoreFacts } from '../../storage/clickhouse/read/trace-read.ts'
import type { SpanRow } from '../../model/span-row.ts'
import type { Engine } from '../../storage/clickhouse/engine.ts'
import type { StatusAnswer } from './contract.ts'

export interface ApiContext {
  readonly engine: Engine
  /** A whole trace from memory of what came last; `undefined` when only the store can tell. */
  readonly freshTrace: (traceId: string) => Promise<SpanRow[] | undefined>
  /** A page of a search from there, complete; `undefined` when only the store can tell. */
  readonly freshSearch: (search: TraceSearch) => Promise<TracePage | undefined>
  /**
   * Resolves once the store has what was acknowledged, but for the last two seconds: at once in normal times. Rejects with
   * `UnavailableError` when that takes longer than a query may, or with the signal's reason.
   */
  readonly untilStored: (signal?: AbortSignal) => Promise<void>
  readonly facts: KeyFacts
  readonly summaries: SearchSources['summaries']
  readonly known: StoreFacts
  readonly rollups: { dirtyBuckets(): ReadonlySet<number> }
  readonly status: () => Promise<StatusAnswer>
  /** Prometheus text format. */
  readonly metrics: () => Promise<string>
  /** Problems that keep clew from doing its work; empty when it is healthy. */
  readonly problems: () => { code: string; message: string }[]
  readonly isReady: () => boolean
  /** Spans of one trace given at most. */
  readonly traceSpansMax: number
}
