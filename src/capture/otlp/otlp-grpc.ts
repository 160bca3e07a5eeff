/**
 * OTLP over gRPC (OTLP 1.11 "OTLP/gRPC"; opentelemetry-proto collector/*_service.proto):
 *   opentelemetry.proto.collector.{trace.v1.TraceService, logs.v1.LogsService, metrics.v1.MetricsService}/Export
 */
import { encodeExportResponse, type OtlpSignal } from '../../codec/otlp/response.ts'
import { portText } from '../../base/http/client-kinds.ts'
import { acceptGrpcUnary, startGrpcUnary, type UnaryCall, type UnaryService } from '../http/grpc-unary.ts'
import type { Http2Clients } from '../../base/http/http-app.ts'
import { countedAs, exportOtlp } from './otlp-export.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

const protocol = 'otlp/grpc'
const prefix = '/opentelemetry.proto.collector.'
const signals: Record<string, OtlpSignal> = {
  [`${prefix}trace.v1.TraceService/Export`]: 'traces',
  [`${prefix}logs.v1.LogsService/Export`]: 'logs',
  [`${prefix}metrics.v1.MetricsService/Export`]: 'metrics',
}

/** `httpPort` is the port of OTLP over HTTP, 0 when it is not known before listening. */
export function startOtlpGrpc(context: ReceiverContext, httpPort = 0): Promise<Listener> {
  const to = httpPort === 0 ? 'the port of OTLP over HTTP' : `port ${httpPort}`
  return startGrpcUnary(
    otlpService(
      context,
      protocol,
      `port${portText(context.port)} takes OTLP over gRPC: send OTLP over HTTP to ${to}, which takes both, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc`,
    ),
    context,
  )
}

/** OTLP over gRPC on the port of OTLP over HTTP, because SDKs with an endpoint but no protocol set send it there. */
export function acceptOtlpGrpc(context: ReceiverContext, grpcPort = 0): Http2Clients {
  const own = grpcPort === 0 ? 'a port of its own' : `port ${grpcPort}`
  return acceptGrpcUnary(
    otlpService(
      context,
      'otlp/http',
      `port${portText(context.port)} takes OTLP over HTTP/1.1, and over gRPC as ${own} does: an HTTP/2 client that makes no gRPC call is wrong here`,
    ),
    context,
  )
}

/** `wrongProtocol` is the row of the counters for clients that make no gRPC call. */
function otlpService({ intake }: ReceiverContext, wrongProtocol: string, advice: string): UnaryService {
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
  const onWrongClient = (problem: Error): void => intake.counters.countWrongClient(wrongProtocol, problem)
  return { name: protocol, methods, onUnreadable, onWrongClient, advice }
}
