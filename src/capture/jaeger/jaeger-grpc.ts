/**
 * Jaeger's collector over gRPC (jaeger-idl proto/api_v2/collector.proto):
 *   jaeger.api_v2.CollectorService/PostSpans(PostSpansRequest) returns (PostSpansResponse {})
 *   jaeger.api_v2.SamplingManager/GetSamplingStrategy(SamplingStrategyParameters { 1 serviceName })
 *     returns (SamplingStrategyResponse)      ; in proto/api_v2/sampling.proto; as JSON in jaeger-sampling.ts
 * PostSpans answers OK once the spans are durable; INVALID_ARGUMENT for an unreadable request or one without a usable span;
 * RESOURCE_EXHAUSTED over the size limit or, with RetryInfo, while the log is full; UNAVAILABLE with RetryInfo while clew
 * cannot keep more. An invalid span is left out and counted, the others are kept.
 */
import { InputError } from '../../base/errors.ts'
import { jaegerProtobuf } from '../../codec/jaeger/protobuf.ts'
import { WireReader } from '../../codec/otlp/wire.ts'
import { utf8Text } from '../../codec/utf8.ts'
import { startGrpcUnary, type UnaryCall } from '../http/grpc-unary.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { encodeStrategy, strategyFor, type SamplingStrategies } from './sampling-strategies.ts'
import { listenWithStrategies, StrategyFile } from './strategy-file.ts'

const protocol = 'jaeger/grpc'
const postSpans = '/jaeger.api_v2.CollectorService/PostSpans'
const getStrategy = '/jaeger.api_v2.SamplingManager/GetSamplingStrategy'
const advice =
  'this port takes Jaeger spans over gRPC: send thrift over HTTP to the port of jaeger-http, 14268 by default'
const emptyResponse = new Uint8Array(0)

/**
 * `strategyFile` '' means that everything is sampled. Rejects with `InputError` `bad_config` when it cannot be read.
 */
export async function startJaegerGrpc(context: ReceiverContext, strategyFile: string): Promise<Listener> {
  const { intake } = context
  const strategies = new StrategyFile(strategyFile)
  const take = async ({ body, encoding }: UnaryCall): Promise<Uint8Array> => {
    const taken = await intake.take({ protocol, codec: jaegerProtobuf, body, encoding })
    if (taken.accepted === 0 && taken.rejected > 0) {
      throw new InputError('bad_request', `cannot take any of ${taken.rejected} spans: ${taken.rejectedReason}`)
    }
    return emptyResponse
  }
  const sampling = (call: UnaryCall): Promise<Uint8Array> => Promise.resolve(answerSampling(call, strategies.current))
  const methods = new Map([
    [postSpans, take],
    [getStrategy, sampling],
  ])
  const onUnreadable = (_path: string, error: unknown): void => intake.counters.countUnread(protocol, 'spans', error)
  const onWrongClient = (problem: Error): void => intake.counters.countWrongClient(protocol, problem)
  const service = { name: protocol, methods, onUnreadable, onWrongClient, advice }
  return listenWithStrategies(strategies, () => startGrpcUnary(service, context))
}

function answerSampling({ body, encoding }: UnaryCall, strategies: SamplingStrategies): Uint8Array {
  if (encoding !== '') {
    throw new InputError('unsupported_encoding', 'cannot read a question for a sampling strategy that is compressed')
  }
  let service = ''
  const reader = new WireReader(body)
  while (reader.at < body.length) {
    const tag = reader.tag(body.length)
    if (tag === 0x0a) {
      const stop = reader.lengthEnd(body.length)
      service = utf8Text(body, reader.at, stop)
      reader.at = stop
    } else reader.skip(tag & 7, body.length)
  }
  return encodeStrategy(strategyFor(strategies, service))
}
