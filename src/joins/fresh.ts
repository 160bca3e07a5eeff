/** Fresh traces from the log, and who is told of each batch: they and the consumer of every sink. */
import type { Logger } from 'pino'
import { decodeSpans, otlpTracesProtobuf } from '../codec/otlp/traces-protobuf.ts'
import type { BatchSink } from '../model/intake.ts'
import type { Log } from '../model/log.ts'
import { FreshTraces } from '../storage/fresh-traces.ts'
import type { Store } from '../storage/clickhouse/store.ts'

export interface FreshParts {
  readonly log: Log
  readonly store: Store
  readonly logger: Logger
  /** 0 for none. */
  readonly spansMax: number
}

/** `undefined` when it is switched off or the log's records cannot be read in parts. */
export function openFreshTraces({ log, store, logger, spansMax }: FreshParts): FreshTraces | undefined {
  if (spansMax === 0 || log.readRanges === undefined) return undefined
  return new FreshTraces({
    log,
    codec: otlpTracesProtobuf.name,
    decode: decodeSpans,
    spansMax,
    startedEmpty: store.startedEmpty,
    storedUntilMs: store.keys.storedUntilMs,
    onProblem: (message, error) => logger.warn({ err: error }, message),
  })
}

/**
 * Each of them takes what it wants of a batch. The consumers come first: they count on getting records in order. The fresh
 * traces look at it until the offer is over.
 */
export function joinSinks(consumers: readonly BatchSink[], fresh: FreshTraces | undefined): BatchSink {
  return {
    offer(place, lease, header) {
      for (const consumer of consumers) void consumer.offer(place, lease, header)
      return fresh?.offer(place.position, lease.batch, header)
    },
  }
}
