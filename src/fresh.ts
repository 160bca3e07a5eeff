/** Fresh traces from the log beside the writer's queue: both are handed every batch. */
import type { Logger } from 'pino'
import { decodeSpans, otlpTracesProtobuf } from './codec/otlp/traces-protobuf.ts'
import type { BatchSink } from './model/intake.ts'
import type { Log } from './model/log.ts'
import { FreshTraces } from './storage/fresh-traces.ts'
import type { Store } from './storage/store.ts'

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

export function sinkOf(store: Store, fresh: FreshTraces | undefined): BatchSink {
  const { queue } = store.writer
  if (fresh === undefined) return queue
  return {
    offer(position, batch, header) {
      fresh.offer(position, batch, header)
      queue.offer(position, batch)
    },
  }
}
