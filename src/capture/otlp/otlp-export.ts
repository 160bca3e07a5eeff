/** Handles an OTLP export over HTTP or gRPC: passes it to the intake, or, for metrics, counts and refuses it. */
import type { Codec } from '../../codec/codec.ts'
import { decompress } from '../../codec/compression.ts'
import { otlpLogsJson } from '../../codec/otlp/logs-json.ts'
import { otlpLogsProtobuf } from '../../codec/otlp/logs-protobuf.ts'
import { countDataPointsJson } from '../../codec/otlp/metrics-json.ts'
import { countDataPointsProtobuf } from '../../codec/otlp/metrics-protobuf.ts'
import type { OtlpFormat, OtlpSignal, PartialSuccess } from '../../codec/otlp/response.ts'
import { otlpTracesJson } from '../../codec/otlp/traces-json.ts'
import { otlpTracesProtobuf } from '../../codec/otlp/traces-protobuf.ts'
import { countFailure } from '../counters.ts'
import type { Intake } from '../intake.ts'

export interface OtlpRequest {
  readonly signal: OtlpSignal
  readonly format: OtlpFormat
  /** `otlp/http` or `otlp/grpc`, for the counters. */
  readonly protocol: string
  readonly body: Uint8Array
  /** Content encoding of the body, '' for none. */
  readonly encoding: string
}

const codecs: Record<'traces' | 'logs', Record<OtlpFormat, Codec>> = {
  traces: { protobuf: otlpTracesProtobuf, json: otlpTracesJson },
  logs: { protobuf: otlpLogsProtobuf, json: otlpLogsJson },
}

/** The signal under which a request is counted. */
export const countedAs = { traces: 'spans', logs: 'events', metrics: 'metrics' } as const

/**
 * Resolves when the request is durable, with what was left out or what its sender should know. Throws as `Intake.take`.
 */
export async function exportOtlp(intake: Intake, request: OtlpRequest): Promise<PartialSuccess | undefined> {
  const { signal, format, protocol, body, encoding } = request
  if (signal === 'metrics') return refuseMetrics(intake, request)
  const taken = await intake.take({ protocol, codec: codecs[signal][format], body, encoding })
  const { rejected, rejectedReason, warning } = taken
  if (rejected === 0 && warning === '') return undefined
  // With nothing rejected the message is a warning (collector/trace_service.proto, `ExportTracePartialSuccess`).
  return { rejected, errorMessage: [rejectedReason, warning].filter((text) => text !== '').join('; ') }
}

async function refuseMetrics(intake: Intake, request: OtlpRequest): Promise<PartialSuccess | undefined> {
  const counts = intake.counters.of(request.protocol, 'metrics')
  counts.requests++
  counts.bytes += request.body.length
  try {
    const body = await decompress(request.encoding, request.body, intake.bodyBytesMax)
    const rejected = request.format === 'json' ? countDataPointsJson(body) : countDataPointsProtobuf(body)
    if (rejected === 0) return undefined
    counts.rejected += rejected
    return { rejected, errorMessage: 'clew does not store metrics; stop this exporter or send its data elsewhere' }
  } catch (error) {
    countFailure(counts, error)
    throw error
  }
}
