/**
 * Reads what is stored, in any store. The API and analysis know only this interface. Every method uses queries and
 * domain types; how a store keeps its rows, figures and indexes stays inside it. A reader may be in front of another:
 * fresh traces answer what they can from the log and pass on the rest.
 *
 * What an implementation must hold, and `test/contract/reader.ts` checks:
 * - An answer is right for all rows that were stored when the method was called, also when another process stored them.
 * - A method that the store cannot do (`abilities`) rejects with an `InputError`; it never gives part of an answer.
 * - `signal` cancels: the promise rejects soon, and the work behind it ends.
 * - Answers belong to the caller. A reader keeps no reference to them that it would change.
 */
import type { ClusterFigures } from './cluster.ts'
import type { EventPage, EventSearch } from './event-search.ts'
import type { Facets, FacetsSearch } from './facets.ts'
import type { AttributeKey, AttributeValueCount, EdgeFigures, OperationFigures, ServiceFigures } from './figures.ts'
import type { NodeFigures } from './node.ts'
import type { Overview, OverviewSearch } from './overview.ts'
import type { SpanQuery, TimeRange } from './query.ts'
import type { RowBlock, RowSelection } from './row-block.ts'
import type { EventRow, SpanRow } from './span-row.ts'
import type { SystemFigures } from './system.ts'
import type { TracePage, TraceSearch, TraceSort } from './trace-search.ts'
import type { TraceSkeleton } from './trace-skeleton.ts'

export interface Reader {
  readonly abilities: ReaderAbilities

  findTraces(search: TraceSearch, options?: ReadOptions): Promise<TracePage>
  /** Traces that `findTraces` would find on all its pages together. */
  countTraces(query: SpanQuery, options?: ReadOptions): Promise<number>
  /** In order of start, then longest first; empty when the trace is unknown. A span that was sent twice is given once. */
  readTrace(traceId: string, options: TraceReadOptions): Promise<SpanRow[]>
  /** The same spans in the same order; no rows when the trace is unknown. */
  readSkeleton(traceId: string, options: TraceReadOptions): Promise<TraceSkeleton>
  /** Log records that name the trace, in order of time. Events of its spans are part of the trace. */
  readTraceEvents(traceId: string, options: TraceEventsOptions): Promise<EventRow[]>
  findEvents(search: EventSearch, options?: ReadOptions): Promise<EventPage>
  /**
   * All rows of the selection, each once, in blocks of bounded size and a stable order. The work pauses until the next
   * block is requested, and does not delay other questions meanwhile. Rows that are stored after the call may be left
   * out.
   */
  readBlocks(selection: RowSelection, options?: ReadOptions): AsyncIterable<RowBlock>
  readOverview(search: OverviewSearch, options?: ReadOptions): Promise<Overview>
  readFacets(search: FacetsSearch, options?: ReadOptions): Promise<Facets>

  /** In order of name. */
  readServices(range: TimeRange, options?: ReadOptions): Promise<ServiceFigures[]>
  /** Most time first; empty when the service has no spans in the range. */
  readOperations(service: string, range: TimeRange, options?: ReadOptions): Promise<OperationFigures[]>
  /** Most calls first. */
  readDependencies(range: TimeRange, options?: ReadOptions): Promise<EdgeFigures[]>
  /** Newest seen first. */
  readNodes(time: CatalogTime, options?: ReadOptions): Promise<NodeFigures[]>
  /** In order of name. */
  readClusters(time: CatalogTime, options?: ReadOptions): Promise<ClusterFigures[]>
  readSystem(time: CatalogTime, options?: ReadOptions): Promise<SystemFigures>
  /** Most used first. */
  readAttributeKeys(range: TimeRange, options?: ReadOptions): Promise<AttributeKey[]>
  /** Most frequent first; a store may look only at the newest spans of the range. */
  readAttributeValues(search: AttributeValuesSearch, options?: ReadOptions): Promise<AttributeValueCount[]>
}

/** What a store can do. It cannot do what is missing here. */
export interface ReaderAbilities {
  /** Sorts of `findTraces`. */
  readonly sorts: readonly TraceSort[]
  /** The sorts whose pages give `next` and take `after`. */
  readonly pagedSorts: readonly TraceSort[]
  readonly events: boolean
  readonly overview: boolean
  readonly facets: boolean
  /** Services, operations and dependencies. */
  readonly figures: boolean
  /** Nodes, clusters and the system. */
  readonly nodes: boolean
  /** Attribute keys and values. */
  readonly attributes: boolean
}

export interface ReadOptions {
  readonly signal?: AbortSignal
}

export interface TraceReadOptions extends ReadOptions {
  /** The maximum number of spans, the earliest first; a trace may have more (an endless loop). Copies may count. */
  readonly spansMax: number
}

export interface TraceEventsOptions extends ReadOptions {
  /** The maximum number of events, the earliest first. */
  readonly limit: number
}

export interface CatalogTime {
  readonly range: TimeRange
  /** What "not seen for some time" is measured from; nanoseconds since the epoch. */
  readonly nowNs: bigint
}

export interface AttributeValuesSearch {
  readonly key: string
  readonly range: TimeRange
  readonly limit: number
}
