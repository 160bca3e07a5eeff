/**
 * OTLP over gRPC (OTLP 1.11 "OTLP/gRPC"; opentelemetry-proto collector/*_service.proto):
 *   opentelemetry.proto.collector.{trace.v1.TraceService, logs.v1.LogsService, metrics.v1.MetricsService}/Export
 */
import { encodeExportResponse, type OtlpSignal } from '../../codec/otlp/response.ts'
import { startGrpcUnary, type UnaryCall } from '../http/grpc-unary.ts'
import { countedAs, exportOtlp } from './otlp-export.ts'
import type { StartReceiver } from '../receiver.ts'

const protocol = 'otlp/grpc'
const prefix = '/opentelemetry.proto.collector.'
const signals: Record<string, OtlpSignal> = {
  [`${prefix}trace.v1.TraceService/Export`]: 'traces',
  [`${prefix}logs.v1.LogsService/Export`]: 'logs',
  [`${prefix}metrics.v1.MetricsService/Export`]: 'metrics',
}

export const startOtlpGrpc: StartReceiver = (context) => {
  const { intake } = context
  const exporterOf =
    (signal: OtlpSignal) =>
    async ({ body, encoding }: UnaryCall): Promise<Uint8Array> => {
      const partial = await exportOtlp(intake, { protocol, signal, format: 'protobuf', body, encoding })
      return encodeExportResponse('protobuf', signal, partial)
    }
  const methods = new Map(Object.entries(signals).map(([path, signal]) => [path, exporterOf(signal)]))
  const onUnreadable = (path: string, error: unknown): void => {
    intake.counters.countUnread(protocol, countedAs[signals[path]!], error)
  }
  return startGrpcUnary({ name: protocol, methods, onUnreadable }, context)
}
