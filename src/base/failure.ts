/** The one place that turns what receivers and the API throw into status codes of HTTP and gRPC. */
import { InputError, UnavailableError, type InputCode, type UnavailableCode } from './errors.ts'

/** grpc/status codes that receivers answer with (grpc.io/docs/guides/status-codes). */
export const grpcStatus = {
  ok: 0,
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

export interface Failure {
  readonly httpStatus: number
  readonly grpcStatus: number
  readonly message: string
  /** When the client may send the same again, milliseconds from now; 0 when it must not. */
  readonly retryAfterMs: number
  /** Where in the request, if that is known. */
  readonly at: string | undefined
  /** A bug: neither the client nor the outside world caused it. It is logged with its stack. */
  readonly isBug: boolean
}

const inputStatuses: Record<InputCode, readonly [http: number, grpc: number]> = {
  bad_request: [400, grpcStatus.invalidArgument],
  bad_config: [400, grpcStatus.invalidArgument],
  bad_usage: [400, grpcStatus.invalidArgument],
  too_large: [413, grpcStatus.resourceExhausted],
  unsupported_media_type: [415, grpcStatus.invalidArgument],
  unsupported_encoding: [415, grpcStatus.unimplemented],
  method_not_allowed: [405, grpcStatus.unimplemented],
  not_found: [404, grpcStatus.unimplemented],
  unauthenticated: [401, grpcStatus.unauthenticated],
  forbidden: [403, grpcStatus.permissionDenied],
}

const unavailableStatuses: Record<UnavailableCode, readonly [http: number, grpc: number]> = {
  log_full: [429, grpcStatus.resourceExhausted],
  too_many_requests: [429, grpcStatus.resourceExhausted],
  disk_full: [503, grpcStatus.unavailable],
  store_unavailable: [503, grpcStatus.unavailable],
  store_locked: [503, grpcStatus.unavailable],
  port_in_use: [503, grpcStatus.unavailable],
  timeout: [503, grpcStatus.unavailable],
  shutting_down: [503, grpcStatus.unavailable],
  io_failed: [503, grpcStatus.unavailable],
}

/** The value of a Retry-After header (RFC 9110 §10.2.3): whole seconds, at least one; `undefined` for none. */
export function retryAfterOf({ retryAfterMs }: Failure): string | undefined {
  return retryAfterMs > 0 ? String(Math.ceil(retryAfterMs / 1000)) : undefined
}

/** For failures that do not say when to try again. */
const retryAfterMsDefault = 5000

export function failureOf(error: unknown): Failure {
  if (error instanceof InputError) {
    const [httpStatus, grpc] = inputStatuses[error.code]
    return { httpStatus, grpcStatus: grpc, message: error.message, retryAfterMs: 0, at: error.at, isBug: false }
  }
  if (error instanceof UnavailableError && error.canRetry) {
    const [httpStatus, grpc] = unavailableStatuses[error.code]
    const retryAfterMs = error.retryAfterMs > 0 ? error.retryAfterMs : retryAfterMsDefault
    return { httpStatus, grpcStatus: grpc, message: error.message, retryAfterMs, at: undefined, isBug: false }
  }
  const isBug = !(error instanceof UnavailableError)
  const message = isBug ? 'cannot take the request: an error inside clew, its log has the details' : error.message
  return { httpStatus: 500, grpcStatus: grpcStatus.internal, message, retryAfterMs: 0, at: undefined, isBug }
}
