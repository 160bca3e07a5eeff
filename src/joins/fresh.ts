/** Fresh traces from the log, and the offer of each batch to them and to the consumer of every sink. */
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
 * Each receiver of the offer takes what it wants from a batch. The consumers come first, because they rely on getting
 * records in order. The fresh traces use the batch until the offer is over.
 */
export function joinSinks(consumers: readonly BatchSink[], fresh: FreshTraces | undefined): BatchSink {
  return {
    offer(place, lease, header) {
      for (const consumer of consumers) void consumer.offer(place, lease, header)
      return fresh?.offer(place.position, lease.batch, header)
    },
  }
}
