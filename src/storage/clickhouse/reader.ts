/** `Reader` over the tables of this folder: every question becomes SQL in `read/`. */
import { clustersOf, type ClusterFigures } from '../../model/cluster.ts'
import type { EventPage, EventSearch } from '../../model/event-search.ts'
import type { Facets, FacetsSearch } from '../../model/facets.ts'
import type {
  AttributeKey,
  AttributeValueCount,
  EdgeFigures,
  OperationFigures,
  ServiceFigures,
} from '../../model/figures.ts'
import type { NodeFigures } from '../../model/node.ts'
import type { Overview, OverviewSearch } from '../../model/overview.ts'
import type { SpanQuery, TimeRange } from '../../model/query.ts'
import type {
  AttributeValuesSearch,
  CatalogTime,
  ReadOptions,
  Reader,
  ReaderAbilities,
  TraceEventsOptions,
  TraceReadOptions,
} from '../../model/reader.ts'
import type { RowBlock, RowSelection } from '../../model/row-block.ts'
import type { EventRow, SpanRow } from '../../model/span-row.ts'
import { systemOf, type SystemFigures } from '../../model/system.ts'
import type { TracePage, TraceSearch } from '../../model/trace-search.ts'
import type { TraceSkeleton } from '../../model/trace-skeleton.ts'
import type { Engine } from './engine.ts'
import { KnownKeys } from './known-keys.ts'
import { readAttributeKeys, readAttributeValues } from './read/catalog/attributes.ts'
import { readDependencies } from './read/catalog/dependencies.ts'
import { readNodes } from './read/catalog/nodes.ts'
import { readOperations, readServices } from './read/catalog/services.ts'
import { readTraceEvents, searchEvents } from './read/event-search.ts'
import { readRowBlocks } from './read/export/row-blocks.ts'
import { readFacets } from './read/facets.ts'
import type { FigureContext } from './read/figure-source.ts'
import { FigureMemory } from './read/figures/figure-memory.ts'
import type { BucketStates } from './read/figures/range-pieces.ts'
import { readOverview } from './read/overview.ts'
import { readSkeleton, readTrace } from './read/trace-read.ts'
import { countTraces, searchTraces } from './read/trace-search.ts'
import { StoreWatch } from './read/store-watch.ts'
import { TraceSummaries } from './read/trace-summaries.ts'

export interface ClickHouseReaderOptions {
  readonly engine: Engine
  /**
   * What the writer of this process keeps right. Without it the reader looks before each question at what others stored,
   * which takes a tenth to a third of the time of a search.
   */
  readonly kept?: Kept
}

interface Kept {
  readonly rollups: BucketStates
  readonly keys: KnownKeys
  readonly summaries: TraceSummaries
}

export class ClickHouseReader implements Reader {
  readonly abilities: ReaderAbilities = {
    sorts: ['time', 'duration', 'spans', 'errors'],
    pagedSorts: ['time'],
    events: true,
    overview: true,
    facets: true,
    figures: true,
    nodes: true,
    attributes: true,
  }
  readonly #engine: Engine
  readonly #kept: Kept
  readonly #watch: StoreWatch | undefined
  readonly #memory: FigureMemory

  constructor({ engine, kept }: ClickHouseReaderOptions) {
    this.#engine = engine
    if (kept !== undefined) this.#kept = kept
    else {
      const keys = new KnownKeys()
      const summaries = new TraceSummaries(engine)
      this.#watch = new StoreWatch(engine, keys, summaries)
      this.#kept = { rollups: this.#watch, keys, summaries }
    }
    this.#memory = new FigureMemory(engine, this.#kept.rollups)
  }

  async findTraces(search: TraceSearch, { signal }: ReadOptions = {}): Promise<TracePage> {
    const { keys: facts, summaries } = await this.#current()
    return searchTraces({ engine: this.#engine, facts, summaries }, { ...search, signal })
  }

  async countTraces(query: SpanQuery, { signal }: ReadOptions = {}): Promise<number> {
    const { keys: facts } = await this.#current()
    return countTraces({ engine: this.#engine, facts }, query, signal)
  }

  async readTrace(traceId: string, options: TraceReadOptions): Promise<SpanRow[]> {
    const { keys: known } = await this.#current()
    return readTrace(this.#engine, traceId, { ...options, known })
  }

  async readSkeleton(traceId: string, options: TraceReadOptions): Promise<TraceSkeleton> {
    const { keys: known } = await this.#current()
    return readSkeleton(this.#engine, traceId, { ...options, known })
  }

  async readTraceEvents(traceId: string, options: TraceEventsOptions): Promise<EventRow[]> {
    return readTraceEvents(this.#engine, traceId, options)
  }

  async findEvents(search: EventSearch, { signal }: ReadOptions = {}): Promise<EventPage> {
    const { keys } = await this.#current()
    return searchEvents(this.#engine, { ...search, signal }, keys)
  }

  async *readBlocks(selection: RowSelection, { signal }: ReadOptions = {}): AsyncGenerator<RowBlock> {
    const { keys: facts } = await this.#current()
    yield* readRowBlocks(this.#engine, selection, { facts, signal })
  }

  async readOverview(search: OverviewSearch, { signal }: ReadOptions = {}): Promise<Overview> {
    return readOverview(await this.#figures(), { ...search, signal })
  }

  async readFacets(search: FacetsSearch, { signal }: ReadOptions = {}): Promise<Facets> {
    return readFacets(await this.#figures(), { ...search, signal })
  }

  async readServices(range: TimeRange, { signal }: ReadOptions = {}): Promise<ServiceFigures[]> {
    return readServices(await this.#figures(), range, signal)
  }

  async readOperations(service: string, range: TimeRange, { signal }: ReadOptions = {}): Promise<OperationFigures[]> {
    return readOperations(await this.#figures(), service, range, signal)
  }

  async readDependencies(range: TimeRange, { signal }: ReadOptions = {}): Promise<EdgeFigures[]> {
    return readDependencies(await this.#figures(), range, signal)
  }

  async readNodes(time: CatalogTime, { signal }: ReadOptions = {}): Promise<NodeFigures[]> {
    return readNodes(await this.#figures(), time, signal)
  }

  async readClusters(time: CatalogTime, options?: ReadOptions): Promise<ClusterFigures[]> {
    return clustersOf(await this.readNodes(time, options))
  }

  async readSystem(time: CatalogTime, options?: ReadOptions): Promise<SystemFigures> {
    const [services, edges, nodes] = await Promise.all([
      this.readServices(time.range, options),
      this.readDependencies(time.range, options),
      this.readNodes(time, options),
    ])
    return systemOf({ services, edges, nodes, nowNs: time.nowNs })
  }

  async readAttributeKeys(range: TimeRange, { signal }: ReadOptions = {}): Promise<AttributeKey[]> {
    return readAttributeKeys(await this.#figures(), range, signal)
  }

  async readAttributeValues(
    search: AttributeValuesSearch,
    { signal }: ReadOptions = {},
  ): Promise<AttributeValueCount[]> {
    return readAttributeValues(await this.#figures(), search, signal)
  }

  async #figures(): Promise<FigureContext> {
    const { keys: facts, rollups } = await this.#current()
    return { engine: this.#engine, rollups, facts, memory: this.#memory }
  }

  /** Right for all that is stored now. */
  async #current(): Promise<Kept> {
    await this.#watch?.catchUp()
    return this.#kept
  }
}
