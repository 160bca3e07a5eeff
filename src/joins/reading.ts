/**
 * The reader of the API: fresh traces from the log, in front of the store. Reads of the store wait until it has
 * everything that was acknowledged.
 */
import { UnavailableError } from '../base/errors.ts'
import type { Reader } from '../model/reader.ts'
import type { Store } from '../storage/clickhouse/store.ts'
import { withFreshTraces } from '../storage/fresh-reader.ts'
import type { FreshTraces } from '../storage/fresh-traces.ts'
import { whenStored } from '../storage/waiting-reader.ts'

export function readerOf(store: Store, fresh: FreshTraces | undefined, timeoutMs: number): Reader {
  const waiting = whenStored(store.reader, (signal) => waitUntilStored(store, timeoutMs, signal))
  return fresh === undefined ? waiting : withFreshTraces(waiting, fresh)
}

/** Normally resolves at once. Rejects with `UnavailableError` past the timeout, or with the signal's reason. */
async function waitUntilStored({ writer }: Store, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  if (!writer.isBehind) return
  const late = AbortSignal.timeout(timeoutMs)
  try {
    await writer.untilStored(signal === undefined ? late : AbortSignal.any([signal, late]))
  } catch (error) {
    if (!late.aborted) throw error
    const why = writer.problem === undefined ? '' : `: ${writer.problem}`
    const message = `cannot answer yet: the store does not have all that was received${why}; it is safe in the log`
    throw new UnavailableError('store_unavailable', message, { cause: error, retryAfterMs: 5000 })
  }
}
