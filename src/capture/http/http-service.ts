/** Receivers over HTTP as tables of routes, with errors as plain text and a status. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InputError } from '../../base/errors.ts'
import { failureOf, retryAfterOf, type Failure } from '../../base/failure.ts'
import { contentTypeOf } from '../../base/http/http-app.ts'
import { createReceiverApp, httpReceiver, listenReceiver, type HttpReceiver } from './http-receiver.ts'
import { readHttpBody } from './http-body.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

export interface HttpRequest {
  readonly path: string
  readonly query: URLSearchParams
  readonly contentType: string
  /** Content-Encoding, '' for none. */
  readonly encoding: string
  /** The body as it was sent, within the intake's limit. */
  body(): Promise<Buffer>
}

export interface HttpAnswer {
  readonly status: number
  /** Content type; plain text by default. */
  readonly type?: string
  readonly body?: string
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** What it throws becomes a status and a text. */
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>
}

export interface HttpService {
  /** Name of the listener. */
  readonly name: string
  readonly routes: readonly HttpRoute[]
  /** The status of the imitated server, where it differs from the usual one. */
  readonly statusOf?: (failure: Failure) => number
  /** Called for requests that failed, except those without a route. */
  readonly onFailure?: (path: string, error: unknown) => void
}

interface Server extends HttpReceiver {
  readonly service: HttpService
}

export async function startHttp(service: HttpService, context: ReceiverContext): Promise<Listener> {
  const server: Server = Object.assign(httpReceiver(context), { service })
  return listenReceiver(await createApp(server), service.name, server)
}

async function createApp(server: Server): Promise<FastifyInstance> {
  const { service } = server
  const app = await createReceiverApp(server)
  for (const route of service.routes) {
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute: false,
      handler: (request, reply) => answer(server, route, request, reply),
    })
  }
  app.setNotFoundHandler((request, reply) => {
    refuseOtherMethod(service, request, reply)
    const known = service.routes.map(({ method, path }) => `${method} ${path}`).join(', ')
    throw new InputError(
      'not_found',
      `cannot find ${request.method} ${pathOf(request)}: ${service.name} answers ${known}`,
    )
  })
  app.setErrorHandler((error, _request, reply) => fail(server, error, reply))
  return app
}

/** Throws when the path exists only for other methods. */
function refuseOtherMethod({ routes }: HttpService, request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request)
  const allowed = routes.filter((route) => route.path === path).map((route) => route.method)
  if (allowed.length === 0) return
  reply.header('allow', allowed.join(', '))
  throw new InputError('method_not_allowed', `cannot ${request.method} ${path}: it takes ${allowed.join(' and ')}`)
}

async function answer(
  server: Server,
  route: HttpRoute,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { intake, budget, service } = server
  const { headers } = request
  try {
    const { status, type, body } = await route.answer({
      path: route.path,
      query: new URL(request.url, 'http://localhost').searchParams,
      contentType: contentTypeOf(request) ?? '',
      encoding: headers['content-encoding'] ?? '',
      body: () => readHttpBody(request.raw, intake.bodyBytesMax, budget),
    })
    if (server.closing) reply.header('connection', 'close')
    reply.code(status)
    return body === undefined
      ? reply.send()
      : reply.header('content-type', type ?? 'text/plain; charset=utf-8').send(body)
  } catch (error) {
    service.onFailure?.(route.path, error)
    return fail(server, error, reply)
  }
}

function fail(server: Server, error: unknown, reply: FastifyReply): FastifyReply {
  const failure = failureOf(error)
  if (failure.isBug) server.logger.error({ err: error }, `cannot answer a request to ${server.service.name}`)
  const retryAfter = retryAfterOf(failure)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  if (server.closing) reply.header('connection', 'close')
  return reply
    .code(server.service.statusOf?.(failure) ?? failure.httpStatus)
    .header('content-type', 'text/plain; charset=utf-8')
    .send(failure.message)
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!
}
