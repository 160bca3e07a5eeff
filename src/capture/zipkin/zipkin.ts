/**
 * Zipkin's collector over HTTP (routes of zipkin-server's ZipkinHttpCollector; documented at zipkin.io/zipkin-api):
 *   POST /api/v2/spans    JSON v2; application/x-protobuf: ListOfSpans
 *   POST /api/v1/spans    JSON v1; application/x-thrift: TBinary list
 *   GET /health
 * The body may be compressed (gzip, zstd, deflate). Answers: 202 without a body once the spans are durable, also for an
 * empty body; 400 with a text when the list cannot be read or no span of it is usable; 413 over the size limit; 429 or
 * 503 with Retry-After while clew cannot keep more. An invalid span is left out and counted, the others are kept.
 */
import { InputError } from '../../base/errors.ts'
import type { Codec } from '../../codec/codec.ts'
import { zipkinJsonV1 } from '../../codec/zipkin/json-v1.ts'
import { zipkinJsonV2 } from '../../codec/zipkin/json-v2.ts'
import { zipkinProtobufV2 } from '../../codec/zipkin/protobuf-v2.ts'
import { zipkinThriftV1 } from '../../codec/zipkin/thrift-v1.ts'
import { startHttp, type HttpAnswer, type HttpRequest, type HttpRoute } from '../http/http-service.ts'
import type { Intake } from '../intake.ts'
import type { StartReceiver } from '../receiver.ts'

const protocol = 'zipkin'

/** Zipkin treats any other content type as JSON. */
const codecs: Record<string, { readonly json: Codec; readonly binary: Codec; readonly binaryType: string }> = {
  '/api/v2/spans': { json: zipkinJsonV2, binary: zipkinProtobufV2, binaryType: 'application/x-protobuf' },
  '/api/v1/spans': { json: zipkinJsonV1, binary: zipkinThriftV1, binaryType: 'application/x-thrift' },
}

export const startZipkin: StartReceiver = (context) => {
  const { intake } = context
  const routes: HttpRoute[] = Object.keys(codecs).map((path) => ({
    method: 'POST',
    path,
    answer: (request) => takeSpans(intake, request),
  }))
  const health = { status: 200, type: 'application/json', body: '{"status":"UP"}' }
  routes.push({ method: 'GET', path: '/health', answer: () => health })
  return startHttp({ name: protocol, routes }, context)
}

async function takeSpans(intake: Intake, request: HttpRequest): Promise<HttpAnswer> {
  const { json, binary, binaryType } = codecs[request.path]!
  const type = request.contentType.split(';', 1)[0]!.trim().toLowerCase()
  const body = await request.body().catch((error: unknown) => {
    intake.counters.countUnread(protocol, 'spans', error)
    throw error
  })
  if (body.length === 0) return { status: 202 }
  const codec = type === binaryType ? binary : json
  const taken = await intake.take({ protocol, codec, body, encoding: request.encoding })
  if (taken.accepted === 0 && taken.rejected > 0) {
    throw new InputError('bad_request', `cannot take any of ${taken.rejected} spans: ${taken.rejectedReason}`)
  }
  return { status: 202 }
}
