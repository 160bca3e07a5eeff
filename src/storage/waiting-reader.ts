/**
 * A store's reader that waits before each query until the store has everything that was acknowledged. A query must not
 * say "not found" for data that is still only in the log, as after a restart. Usually there is nothing to wait for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reader } from '../model/reader.ts'
import { delegateReader } from './delegate-reader.ts'

/**
 * A query does not wait for records of the last two seconds (`Consumer.untilStored`). An export must have them too, so
 * it begins when they are older than that.
 */
const settleMs = 2500

/** `untilStored` rejects when that takes longer than a query may, or with the signal's reason. */
export function whenStored(store: Reader, untilStored: (signal: AbortSignal | undefined) => Promise<void>): Reader {
  return delegateReader(store, {
    instead: {
      async *readBlocks(selection, options) {
        await sleep(settleMs, undefined, { signal: options?.signal })
        await untilStored(options?.signal)
        yield* store.readBlocks(selection, options)
      },
    },
    async around(options, ask) {
      await untilStored(options?.signal)
      return ask()
    },
  })
}
