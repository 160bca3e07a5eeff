/** Fresh traces in front of a store: what the log can tell whole it answers, and everything else the store does. */
import type { Reader } from '../model/reader.ts'
import { resourceAttributesOf, serviceNameOf } from '../model/resource.ts'
import { SkeletonBuilder, type TraceSkeleton } from '../model/trace-skeleton.ts'
import type { SpanRow } from '../model/span-row.ts'
import type { FreshTraces } from './fresh-traces.ts'

/** Answers `findTraces`, `readTrace` and `readSkeleton` before the store does; it has the store's abilities. */
export function withFreshTraces(store: Reader, fresh: FreshTraces): Reader {
  return {
    abilities: store.abilities,
    async findTraces(search, options) {
      return (await fresh.search(search)) ?? store.findTraces(search, options)
    },
    async readTrace(traceId, options) {
      const spans = await fresh.read(traceId)
      options.signal?.throwIfAborted()
      return spans?.slice(0, options.spansMax) ?? store.readTrace(traceId, options)
    },
    async readSkeleton(traceId, options) {
      const spans = await fresh.read(traceId)
      return spans === undefined
        ? store.readSkeleton(traceId, options)
        : skeletonOf(traceId, spans.slice(0, options.spansMax))
    },
    countTraces: (query, options) => store.countTraces(query, options),
    readTraceEvents: (traceId, options) => store.readTraceEvents(traceId, options),
    findEvents: (search, options) => store.findEvents(search, options),
    readBlocks: (selection, options) => store.readBlocks(selection, options),
    readOverview: (search, options) => store.readOverview(search, options),
    readFacets: (search, options) => store.readFacets(search, options),
    readServices: (range, options) => store.readServices(range, options),
    readOperations: (service, range, options) => store.readOperations(service, range, options),
    readDependencies: (range, options) => store.readDependencies(range, options),
    readNodes: (time, options) => store.readNodes(time, options),
    readClusters: (time, options) => store.readClusters(time, options),
    readSystem: (time, options) => store.readSystem(time, options),
    readAttributeKeys: (range, options) => store.readAttributeKeys(range, options),
    readAttributeValues: (search, options) => store.readAttributeValues(search, options),
  }
}

function skeletonOf(traceId: string, spans: readonly SpanRow[]): TraceSkeleton {
  const built = new SkeletonBuilder()
  const services = new Map<string, string>()
  for (const span of spans) {
    const { resource } = span
    const service = services.get(resource) ?? serviceNameOf(resourceAttributesOf(resource))
    services.set(resource, service)
    built.add({ ...span, service })
  }
  return built.finish(traceId)
}
