/**
 * OTLP over HTTP (OTLP 1.11 "OTLP/HTTP"; documented at opentelemetry.io/docs/specs/otlp):
 *   POST /v1/traces, /v1/logs, /v1/metrics with application/x-protobuf or application/json
 * OTLP over gRPC is accepted on the same port, from clients that begin with HTTP/2 (otlp-grpc.ts).
 * Every answer, errors too, is in the encoding of its request; errors are google.rpc.Status.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InputError } from '../../base/errors.ts'
import { encodeExportResponse, encodeStatus, type OtlpFormat, type OtlpSignal } from '../../codec/otlp/response.ts'
import { failureOf, retryAfterOf } from '../../base/failure.ts'
import { addEventsRoute, eventsPath } from '../lines/events-http.ts'
import { contentTypeOf } from '../../base/http/http-app.ts'
import { createReceiverApp, httpReceiver, listenReceiver, type HttpReceiver } from '../http/http-receiver.ts'
import { readHttpBody } from '../http/http-body.ts'
import { countedAs, exportOtlp, type OtlpRequest } from './otlp-export.ts'
import { acceptOtlpGrpc } from './otlp-grpc.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

const protocol = 'otlp/http'
const paths: Record<string, OtlpSignal> = { '/v1/traces': 'traces', '/v1/logs': 'logs', '/v1/metrics': 'metrics' }
const contentTypes: Record<OtlpFormat, string> = { protobuf: 'application/x-protobuf', json: 'application/json' }

/** `grpcPort` is the port of OTLP over gRPC, 0 when it is not known. */
export async function startOtlpHttp(context: ReceiverContext, grpcPort = 0): Promise<Listener> {
  const receiver = httpReceiver(context)
  for (const signal of ['spans', 'events'] as const) context.intake.counters.of(protocol, signal)
  return listenReceiver(await createApp(receiver), protocol, receiver, acceptOtlpGrpc(context, grpcPort))
}

async function createApp(receiver: HttpReceiver): Promise<FastifyInstance> {
  const app = await createReceiverApp(receiver)
  for (const [url, signal] of Object.entries(paths)) {
    app.post(url, (request, reply) => answer(receiver, signal, request, reply))
  }
  addEventsRoute(app, receiver)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!
    if (path in paths || path === eventsPath) refuseMethod(request, reply)
    const known = [...Object.keys(paths), eventsPath].join(', ')
    throw new InputError('not_found', `cannot find ${request.method} ${request.url}: OTLP/HTTP takes POST to ${known}`)
  })
  app.setErrorHandler((error, request, reply) => fail(receiver, error, request, reply))
  return app
}

async function answer(
  receiver: HttpReceiver,
  signal: OtlpSignal,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { headers } = request
  const { intake } = receiver
  const sentType = contentTypeOf(request)
  const format = formatOf(sentType)
  if (receiver.closing) reply.header('connection', 'close')
  const unreadable = (error: unknown): FastifyReply => {
    intake.counters.countUnread(protocol, countedAs[signal], error)
    return fail(receiver, error, request, reply)
  }
  if (format === undefined) return unreadable(unsupportedType(sentType))
  let body: Buffer
  try {
    body = await readHttpBody(request.raw, intake.bodyBytesMax, receiver.budget)
  } catch (error) {
    return unreadable(error)
  }
  try {
    const encoding = headers['content-encoding'] ?? ''
    const partial = await exportOtlp(intake, { protocol, signal, format, body, encoding } satisfies OtlpRequest)
    if (receiver.closing) reply.header('connection', 'close')
    return reply.header('content-type', contentTypes[format]).send(encodeExportResponse(format, signal, partial))
  } catch (error) {
    return fail(receiver, error, request, reply)
  }
}

function refuseMethod(request: FastifyRequest, reply: FastifyReply): never {
  reply.header('allow', 'POST')
  throw new InputError('method_not_allowed', `cannot ${request.method} ${request.url}: OTLP/HTTP takes POST`)
}

function unsupportedType(type: string | undefined): InputError {
  const found = type === undefined ? 'a request without Content-Type' : `Content-Type "${type}"`
  return new InputError(
    'unsupported_media_type',
    `cannot read ${found}: send ${Object.values(contentTypes).join(' or ')}`,
  )
}

/** Sends an error in the request's encoding; in JSON when the request has neither of the two. */
function fail(receiver: HttpReceiver, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = failureOf(error)
  if (failure.isBug) receiver.logger.error({ err: error, url: request.url }, 'cannot answer an OTLP request')
  const format = formatOf(contentTypeOf(request)) ?? 'json'
  const retryAfter = retryAfterOf(failure)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  if (receiver.closing) reply.header('connection', 'close')
  return reply
    .code(failure.httpStatus)
    .header('content-type', contentTypes[format])
    .send(
      encodeStatus(format, {
        code: failure.grpcStatus,
        message: failure.message,
        retryAfterMs: failure.retryAfterMs,
        // A BadRequest detail names a field; without a field, the whole body was wrong.
        field: failure.at ?? (failure.httpStatus === 400 ? 'body' : undefined),
      }),
    )
}

/** By the media type alone; parameters such as a charset do not matter. */
function formatOf(contentType: string | undefined): OtlpFormat | undefined {
  if (contentType === contentTypes.protobuf) return 'protobuf'
  if (contentType === contentTypes.json) return 'json'
  const type = contentType?.split(';', 1)[0]!.trim().toLowerCase()
  return type === contentTypes.protobuf ? 'protobuf' : type === contentTypes.json ? 'json' : undefined
}
