/**
 * Answers to OTLP exports (OTLP 1.11 "OTLP/HTTP Response", "OTLP/gRPC Response"):
 *   Export…ServiceResponse = 1 partial_success            unset on full success: no bytes, or `{}`
 *   Export…PartialSuccess = 1 rejected_… int64 · 2 error_message
 *   google.rpc.Status = 1 code · 2 message · 3 details Any*        Any = 1 type_url · 2 value
 *   google.rpc.RetryInfo = 1 retry_delay Duration{1 seconds · 2 nanos}
 *   google.rpc.BadRequest = 1 field_violations FieldViolation{1 field · 2 description}*
 */
import { bytesField, message, textField, varintField } from './wire-writer.ts'

export type OtlpFormat = 'protobuf' | 'json'

export interface PartialSuccess {
  readonly rejected: number
  /** A warning when nothing was rejected. */
  readonly errorMessage: string
}

/** JSON names of the number of rejected rows or points, per signal. */
const rejectedFields = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
} as const
export type OtlpSignal = keyof typeof rejectedFields

export interface RpcStatus {
  /** A gRPC status code, in HTTP bodies too. */
  readonly code: number
  readonly message: string
  /** Adds a RetryInfo when above 0. */
  readonly retryAfterMs: number
  /** Adds a BadRequest that names this place in the request. */
  readonly field?: string | undefined
}

/**
 * Longest message in UTF-16 units. The specification shortens messages so that answers stay under 4 MiB. Over gRPC they
 * are also header fields, of which clients accept 8 KiB, and percent-encoding can make six or more bytes of one unit.
 */
const messageLengthMax = 500

const typePrefix = 'type.googleapis.com/google.rpc.'

/** The body of a successful answer, full or partial. */
export function encodeExportResponse(
  format: OtlpFormat,
  signal: OtlpSignal,
  partial: PartialSuccess | undefined,
): Buffer {
  if (partial === undefined) return format === 'json' ? Buffer.from('{}') : Buffer.alloc(0)
  const errorMessage = shortened(partial.errorMessage)
  if (format === 'protobuf') {
    return message(bytesField(1, message(varintField(1, partial.rejected), textField(2, errorMessage))))
  }
  const rejected = partial.rejected === 0 ? {} : { [rejectedFields[signal]]: String(partial.rejected) }
  return Buffer.from(JSON.stringify({ partialSuccess: { ...rejected, errorMessage } }))
}

/** `google.rpc.Status`: the body of every HTTP error and, in protobuf, gRPC's `grpc-status-details-bin`. */
export function encodeStatus(format: OtlpFormat, status: RpcStatus): Buffer {
  const text = shortened(status.message)
  const field = status.field === undefined ? undefined : shortened(status.field)
  if (format === 'protobuf') {
    const details: Uint8Array[] = []
    if (field !== undefined) {
      const violation = message(textField(1, field), textField(2, text))
      details.push(anyField('BadRequest', message(bytesField(1, violation))))
    }
    if (status.retryAfterMs > 0)
      details.push(anyField('RetryInfo', message(bytesField(1, duration(status.retryAfterMs)))))
    return message(varintField(1, status.code), textField(2, text), ...details)
  }
  const details: object[] = []
  if (field !== undefined) {
    details.push({ '@type': `${typePrefix}BadRequest`, fieldViolations: [{ field, description: text }] })
  }
  if (status.retryAfterMs > 0) {
    details.push({ '@type': `${typePrefix}RetryInfo`, retryDelay: `${status.retryAfterMs / 1000}s` })
  }
  return Buffer.from(JSON.stringify({ code: status.code, message: text, ...(details.length > 0 && { details }) }))
}

function anyField(type: string, value: Uint8Array): Uint8Array {
  return bytesField(3, message(textField(1, typePrefix + type), bytesField(2, value)))
}

function duration(ms: number): Buffer {
  return message(varintField(1, Math.trunc(ms / 1000)), varintField(2, Math.round(ms % 1000) * 1_000_000))
}

/** Cuts a long text at its end, never inside a character. */
export function shortened(text: string): string {
  const whole = text.toWellFormed()
  if (whole.length <= messageLengthMax) return whole
  return whole.slice(0, messageLengthMax - 1).replace(/[\ud800-\udbff]$/, '') + '…'
}
