/**
 * Jaeger's collector over HTTP (route of the jaeger receiver in opentelemetry-collector-contrib; documented at
 * jaegertracing.io, "APIs", Thrift over HTTP):
 *   POST /api/traces    application/x-thrift or application/vnd.apache.thrift.binary: a TBinary Batch struct
 * The query parameter `format` is allowed and ignored. Answers: 202 without a body once the spans are durable; 400 with
 * a text for another content type or a body that cannot be read; 413 over the size limit; 503 with Retry-After while
 * clew cannot keep more. An invalid span is left out and counted, the others are kept.
 */
import { InputError } from '../../base/errors.ts'
import { jaegerThriftBatch } from '../../codec/jaeger/thrift.ts'
import { startHttp, type HttpAnswer, type HttpRequest } from '../http/http-service.ts'
import type { Intake } from '../intake.ts'
import type { StartReceiver } from '../receiver.ts'

const protocol = 'jaeger/http'
const contentTypes = ['application/x-thrift', 'application/vnd.apache.thrift.binary']

export const startJaegerHttp: StartReceiver = (context) =>
  startHttp(
    {
      name: protocol,
      routes: [{ method: 'POST', path: '/api/traces', answer: (request) => takeBatch(context.intake, request) }],
      // Jaeger's clients know "unavailable", but not "too many requests".
      statusOf: ({ httpStatus }) => (httpStatus === 429 ? 503 : httpStatus),
    },
    context,
  )

async function takeBatch(intake: Intake, request: HttpRequest): Promise<HttpAnswer> {
  const body = await readBatch(request).catch((error: unknown) => {
    intake.counters.countUnread(protocol, 'spans', error)
    throw error
  })
  const taken = await intake.take({ protocol, codec: jaegerThriftBatch, body, encoding: request.encoding })
  if (taken.accepted === 0 && taken.rejected > 0) {
    throw new InputError('bad_request', `cannot take any of ${taken.rejected} spans: ${taken.rejectedReason}`)
  }
  return { status: 202 }
}

async function readBatch(request: HttpRequest): Promise<Buffer> {
  const type = request.contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (!contentTypes.includes(type)) {
    throw new InputError('bad_request', `Unsupported content type: ${type}; send ${contentTypes.join(' or ')}`)
  }
  return request.body()
}
