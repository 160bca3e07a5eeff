/**
 * A store's reader that waits before each question until the store has what was acknowledged: a query must not say "not
 * found" of what is still only in the log, as after a restart. In normal times the wait is none.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadOptions, Reader } from '../model/reader.ts'

/**
 * Records of the last two seconds are not waited for (`Consumer.untilStored`). An export must have them too, so it begins when
 * they are older than that.
 */
const settleMs = 2500

/** `untilStored` rejects when that takes longer than a query may, or with the signal's reason. */
export function whenStored(store: Reader, untilStored: (signal: AbortSignal | undefined) => Promise<void>): Reader {
  const then = async <Answer>(options: ReadOptions | undefined, read: () => Promise<Answer>): Promise<Answer> => {
    await untilStored(options?.signal)
    return read()
  }
  return {
    abilities: store.abilities,
    findTraces: (search, options) => then(options, () => store.findTraces(search, options)),
    countTraces: (query, options) => then(options, () => store.countTraces(query, options)),
    readTrace: (traceId, options) => then(options, () => store.readTrace(traceId, options)),
    readSkeleton: (traceId, options) => then(options, () => store.readSkeleton(traceId, options)),
    readTraceEvents: (traceId, options) => then(options, () => store.readTraceEvents(traceId, options)),
    findEvents: (search, options) => then(options, () => store.findEvents(search, options)),
    readBlocks: async function* (selection, options) {
      await sleep(settleMs, undefined, { signal: options?.signal })
      yield* await then(options, () => Promise.resolve(store.readBlocks(selection, options)))
    },
    readOverview: (search, options) => then(options, () => store.readOverview(search, options)),
    readFacets: (search, options) => then(options, () => store.readFacets(search, options)),
    readServices: (range, options) => then(options, () => store.readServices(range, options)),
    readOperations: (service, range, options) => then(options, () => store.readOperations(service, range, options)),
    readDependencies: (range, options) => then(options, () => store.readDependencies(range, options)),
    readNodes: (time, options) => then(options, () => store.readNodes(time, options)),
    readClusters: (time, options) => then(options, () => store.readClusters(time, options)),
    readSystem: (time, options) => then(options, () => store.readSystem(time, options)),
    readAttributeKeys: (range, options) => then(options, () => store.readAttributeKeys(range, options)),
    readAttributeValues: (search, options) => then(options, () => store.readAttributeValues(search, options)),
  }
}
