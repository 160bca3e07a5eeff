/** What each stage gives back once nothing has come for a while. */
import type { Logger } from 'pino'
import { bufferPool } from '../base/buffer-pool.ts'
import { watchQuiet } from '../operation/quiet.ts'
import type { Store } from '../storage/clickhouse/store.ts'
import type { FreshTraces } from '../storage/fresh-traces.ts'

export interface MemoryParts {
  readonly store: Store
  readonly fresh: FreshTraces | undefined
  readonly logger: Logger
}

/** A trace is fresh for five minutes; an idle log is not trimmed, so time has to tell. */
const freshMs = 5 * 60_000

export function releaseWhenIdle({ store, fresh, logger }: MemoryParts): { stop(): void } {
  return watchQuiet({
    progress: () => store.writer.blocks,
    async release(quietMs) {
      if (quietMs >= freshMs) fresh?.forget()
      else fresh?.release()
      bufferPool.release()
      await store.release()
    },
    onProblem: (message, error) => logger.warn({ err: error }, message),
  })
}
