/** What the engine's errors mean for the caller. */
import { UnavailableError, messageOf } from '../../../base/errors.ts'
import { timeoutError } from './query-run.ts'

/**
 * Transient errors, and those that end when somebody fixes their cause. All others are faults of the query. Numbers:
 * ErrorCodes.cpp of ClickHouse.
 */
// prettier-ignore
const passing = new Set([
  24, 74, 75, 76, 87, 88, 107, 425, 521, // files: cannot write, read, open, seek, truncate; gone; system; rename
  173, 241, 439, // memory, threads
  236, 242, 394, // aborted, table read-only, cancelled
  159, 160, 202, 209, 210, 252, // timeouts, too slow, too many queries, network, too many parts
])

/** The engine's own message for a limit names neither the option behind it nor what to do. */
export function queryError(error: unknown): UnavailableError {
  if (error instanceof UnavailableError) return error
  const number = numberOf(error)
  if (number === 159) return timeoutError(error)
  if (number === 241 && messageOf(error).includes('Query memory limit')) {
    const message = 'cannot run query: it needs more memory than query.memory; narrow the question, or raise that'
    return new UnavailableError('store_unavailable', message, { cause: error })
  }
  return storeError('cannot run query', error)
}

function numberOf(error: unknown): number {
  const code = /^Code: (\d+)|Code: (\d+)\./.exec(messageOf(error))
  return Number(code?.[1] ?? code?.[2] ?? (error as { clickhouseCode?: number }).clickhouseCode ?? 0)
}

export function storeError(what: string, error: unknown): UnavailableError {
  if (error instanceof UnavailableError) {
    const { code, canRetry, retryAfterMs } = error
    return new UnavailableError(code, `${what}: ${error.message}`, { cause: error, canRetry, retryAfterMs })
  }
  const message = messageOf(error)
  const number = numberOf(error)
  if (number === 243 || /No space left on device|errno: 28/.test(message)) {
    return new UnavailableError('disk_full', `${what}: the disk is full; free some space or lower retention`, {
      cause: error,
    })
  }
  const canRetry = passing.has(number) || /errno: \d|filesystem error/.test(message)
  const kind = number === 159 ? 'timeout' : 'store_unavailable'
  return new UnavailableError(kind, `${what}: ${message.slice(0, 500)}`, { cause: error, canRetry })
}
