/**
 * A store's reader that waits before each question until the store has what was acknowledged: a query must not say "not
 * found" of what is still only in the log, as after a restart. Usually there is nothing to wait for.
 */
import type { Reader } from '../model/reader.ts'
import { delegateReader } from './delegate-reader.ts'

/** `untilStored` rejects when that takes longer than a query may, or with the signal's reason. */
export function whenStored(store: Reader, untilStored: (signal: AbortSignal | undefined) => Promise<void>): Reader {
  return delegateReader(store, {
    async around(options, ask) {
      await untilStored(options?.signal)
      return ask()
    },
  })
}
