/**
 * Every failure clew reports on purpose is one of two kinds; anything else thrown is a bug and crashes the operation.
 * - `InputError`: what came from outside is wrong. It names the place and what would be right. Never retry.
 * - `UnavailableError`: the world is not ready (disk, port, peer). `canRetry` says whether trying again may help.
 */

export const inputCodes = [
  'bad_request', // malformed body, parameter, query or id
  'bad_config', // option or config file
  'bad_usage', // command line
  'too_large', // over a stated limit
  'unsupported_media_type',
  'unsupported_encoding',
  'method_not_allowed',
  'not_found',
  'unauthenticated',
  'forbidden', // a host name or web origin that is not allowed
] as const
export type InputCode = (typeof inputCodes)[number]

export const unavailableCodes = [
  'log_full', // the log has reached its bound: slow down
  'disk_full',
  'store_unavailable',
  'store_locked', // another process holds the data folder
  'port_in_use',
  'too_many_requests',
  'timeout',
  'shutting_down',
  'io_failed',
] as const
export type UnavailableCode = (typeof unavailableCodes)[number]

export class InputError extends Error {
  readonly code: InputCode
  /** Where in the input: a JSON path, a field number path, a byte offset, an option name. */
  readonly at: string | undefined
  constructor(code: InputCode, message: string, options: { at?: string; cause?: unknown } = {}) {
    // The place that matters is in the input. A stack trace would cost four times as much as the rest of a wrong row.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'InputError'
    this.code = code
    this.at = options.at
  }
}

export class UnavailableError extends Error {
  readonly code: UnavailableCode
  readonly canRetry: boolean
  /** Earliest useful retry, milliseconds from now; 0 when unknown. */
  readonly retryAfterMs: number
  constructor(
    code: UnavailableCode,
    message: string,
    options: { cause?: unknown; canRetry?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UnavailableError'
    this.code = code
    this.canRetry = options.canRetry ?? true
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

/** A broken invariant is a bug: stop here rather than go on with wrong data. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}

/** The message of anything thrown, for "cannot do X: <cause>" texts. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
