/**
 * Fresh traces in front of a store: traces that the log holds completely are read from it, all others from the store.
 */
import type { Reader } from '../model/reader.ts'
import { resourceAttributesOf, serviceNameOf } from '../model/resource.ts'
import { SkeletonBuilder, type TraceSkeleton } from '../model/trace-skeleton.ts'
import type { SpanRow } from '../model/span-row.ts'
import { delegateReader } from './delegate-reader.ts'
import type { FreshTraces } from './fresh-traces.ts'

/** Tries to answer `findTraces`, `readTrace` and `readSkeleton` before the store does; it has the store's abilities. */
export function withFreshTraces(store: Reader, fresh: FreshTraces): Reader {
  return delegateReader(store, {
    instead: {
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
    },
  })
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
