/** A reader in front of another one. It passes on what it does not change. */
import type { ReadOptions, Reader } from '../model/reader.ts'

type Questions = Omit<Reader, 'abilities'>

export interface Delegation {
  /** Called in place of the reader's own methods. */
  readonly instead?: Partial<Questions>
  /** Called around each method of the reader, which `ask` calls. It gets the options of the caller. */
  readonly around?: <Answer>(options: ReadOptions | undefined, ask: () => Promise<Answer>) => Promise<Answer>
}

/**
 * It has the abilities of `reader`. Lists every method of `Reader`, so that a new one does not compile until it is
 * added here.
 */
export function delegateReader(reader: Reader, { instead, around = (_, ask) => ask() }: Delegation): Reader {
  return {
    abilities: reader.abilities,
    findTraces: (search, options) => around(options, () => reader.findTraces(search, options)),
    countTraces: (query, options) => around(options, () => reader.countTraces(query, options)),
    readTrace: (traceId, options) => around(options, () => reader.readTrace(traceId, options)),
    readSkeleton: (traceId, options) => around(options, () => reader.readSkeleton(traceId, options)),
    readTraceEvents: (traceId, options) => around(options, () => reader.readTraceEvents(traceId, options)),
    findEvents: (search, options) => around(options, () => reader.findEvents(search, options)),
    async *readBlocks(selection, options) {
      yield* await around(options, () => Promise.resolve(reader.readBlocks(selection, options)))
    },
    readOverview: (search, options) => around(options, () => reader.readOverview(search, options)),
    readFacets: (search, options) => around(options, () => reader.readFacets(search, options)),
    readServices: (range, options) => around(options, () => reader.readServices(range, options)),
    readOperations: (service, range, options) => around(options, () => reader.readOperations(service, range, options)),
    readDependencies: (range, options) => around(options, () => reader.readDependencies(range, options)),
    readNodes: (time, options) => around(options, () => reader.readNodes(time, options)),
    readClusters: (time, options) => around(options, () => reader.readClusters(time, options)),
    readSystem: (time, options) => around(options, () => reader.readSystem(time, options)),
    readAttributeKeys: (range, options) => around(options, () => reader.readAttributeKeys(range, options)),
    readAttributeValues: (search, options) => around(options, () => reader.readAttributeValues(search, options)),
    ...instead,
  }
}
