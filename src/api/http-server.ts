/**
 * The UI port: native API, web UI, health and metrics on one origin. Handlers throw, and only this file turns errors
 * into answers.
 */
import fs from 'node:fs'
import path from 'node:path'
import fastifyCompress from '@fastify/compress'
import fastifyHelmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { failureOf, retryAfterOf } from '../base/failure.ts'
import { InputError, UnavailableError, messageOf } from '../base/errors.ts'
import { createHttpApp, listenHttp, type HttpLimits, type HttpListener } from '../base/http/http-app.ts'
import { withPortOption } from '../base/listen.ts'
import { routes, type Route } from './native/contract.ts'
import type { ApiContext } from './native/context.ts'
import type { Handler, Handlers } from './native/handler.ts'
import { openApi } from './native/openapi.ts'
import { parameterFault } from './native/parameter-fault.ts'

export interface HttpServerOptions {
  readonly host: string
  readonly port: number
  /** Names of this server that are allowed in Host headers, besides those of `host` (base/web-guard.ts). */
  readonly allowedHosts: readonly string[]
  /** Web origins whose pages may send requests here. They cannot read the answers: those carry no CORS headers. */
  readonly allowedOrigins: readonly string[]
  readonly limits: HttpLimits
  readonly version: string
  /** Folder of the built web UI; without it the port serves only the API. */
  readonly uiDir: string
  readonly context: ApiContext
  readonly handlers: Partial<Handlers>
  readonly onBug: (error: unknown) => void
}

/**
 * What browsers may do with an answer: run and load only what this origin serves, show it in no frame, send no Referer.
 * There is no HSTS and no upgrade of requests: the port speaks plain HTTP, and TLS belongs to the proxy in front.
 */
const browserRules: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'"],
      connectSrc: ["'self'"],
      workerSrc: ["'self'"],
      manifestSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  frameguard: { action: 'deny' },
  referrerPolicy: { policy: 'no-referrer' },
  strictTransportSecurity: false,
}

export async function startHttpServer(options: HttpServerOptions): Promise<HttpListener> {
  const app = await createHttpApp({
    host: options.host,
    allowedHosts: options.allowedHosts,
    allowedOrigins: options.allowedOrigins.filter((origin) => origin !== '*'),
    limits: options.limits,
    fastify: {
      routerOptions: { maxParamLength: 2048 },
      // Errors that occur before a route is found, such as a path with "%ZZ".
      frameworkErrors: (error, request, reply) => void answerError(error, request, reply, options.onBug),
    },
  })
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, options.onBug))
  await app.register(fastifyHelmet, browserRules)
  // Traces of thousands of spans are megabytes of JSON that shrink to a tenth; small answers are not worth compressing.
  await app.register(fastifyCompress, {
    threshold: 16 * 1024,
    encodings: ['zstd', 'gzip', 'deflate'],
    zlibOptions: { level: 1 },
  })
  addHealth(app, options)
  addApi(app, options)
  await addUi(app, options)
  try {
    return await listenHttp(app, { ...options, name: 'the web UI' })
  } catch (error) {
    throw error instanceof UnavailableError ? withPortOption(error, '--ui-port') : error
  }
}

function addHealth(app: FastifyInstance, { context }: HttpServerOptions): void {
  app.get('/ready', (_request, reply) =>
    context.isReady() ? reply.send('ready\n') : reply.code(503).send('not ready: starting or stopping\n'),
  )
  app.get('/health', (_request, reply) => {
    const problems = context.problems()
    return reply
      .code(problems.length === 0 ? 200 : 503)
      .send({ status: problems.length === 0 ? 'up' : 'degraded', problems })
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await context.metrics()),
  )
}

function addApi(app: FastifyInstance, options: HttpServerOptions): void {
  const description = openApi(options.version)
  app.get('/api/v1/openapi.json', () => description)
  for (const route of routes as readonly Route[]) {
    const handler = options.handlers[route.name as keyof Handlers]
    if (handler !== undefined) addRoute(app, route, handler, options.context)
  }
}

function isRoute(path: string): boolean {
  return routes.some((route) => new RegExp(`^/api/v1${route.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path))
}

function addRoute(app: FastifyInstance, route: Route, handler: Handler, context: ApiContext): void {
  app.get(`/api/v1${route.path}`, async (request, reply) => {
    const aborted = new AbortController()
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) aborted.abort(new UnavailableError('timeout', 'the client went away'))
    })
    const answer = await handler(context, {
      path: request.params as Record<string, string>,
      query: parseQuery(route, request.query as Record<string, unknown>),
      signal: aborted.signal,
    })
    if (route.streamed !== undefined) reply.type(route.streamed)
    return reply.send(answer)
  })
}

function parseQuery(route: Route, query: Record<string, unknown>): unknown {
  const names = Object.keys(route.parameters?.shape ?? {})
  const unknown = Object.keys(query).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const known = names.length === 0 ? 'no parameters' : names.join(', ')
    throw new InputError('bad_request', `parameter "${unknown}" is not known here: it takes ${known}`, { at: unknown })
  }
  if (route.parameters === undefined) return {}
  const parsed = route.parameters.safeParse(query)
  if (parsed.success) return parsed.data
  const name = String(parsed.error.issues[0]!.path[0])
  throw parameterFault(route.parameters, name, query[name])
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  onBug: (error: unknown) => void,
): FastifyReply {
  const status = (error as { statusCode?: number }).statusCode
  if (status !== undefined && status < 500 && !(error instanceof InputError)) {
    return reply.code(status).send({ error: { code: 'bad_request', message: messageOf(error) } })
  }
  const failure = failureOf(error)
  if (failure.isBug) onBug(error)
  const retryAfter = retryAfterOf(failure)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  const code = error instanceof InputError || error instanceof UnavailableError ? error.code : 'internal'
  const message = failure.isBug
    ? `cannot answer ${request.url}: an error inside clew, its log has the details`
    : failure.message
  const at = failure.at === undefined ? {} : { at: failure.at }
  return reply.code(failure.httpStatus).send({ error: { code, message, ...at } })
}

/** All pages of the UI are one document, whose own router reads the path. A path under /api is never a page. */
async function addUi(app: FastifyInstance, { uiDir }: HttpServerOptions): Promise<void> {
  const hasUi = fs.existsSync(path.join(uiDir, 'index.html'))
  if (hasUi) {
    await app.register(fastifyStatic, {
      root: uiDir,
      setHeaders: (response, file) => {
        // Names of built assets contain their hash.
        const forever = file.includes(`${path.sep}assets${path.sep}`)
        response.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  }
  app.setNotFoundHandler((request, reply) => {
    const isPage =
      request.method === 'GET' &&
      !request.url.startsWith('/api/') &&
      (request.headers.accept ?? '').includes('text/html')
    if (isPage && hasUi) return reply.header('cache-control', 'no-cache').sendFile('index.html')
    if (isPage) return reply.code(404).type('text/plain').send('the web UI is not built: run `npm run build`\n')
    if (request.method !== 'GET' && isRoute(request.url.split('?', 1)[0]!)) {
      const message = `cannot ${request.method} ${request.url}: it takes GET`
      return reply
        .code(405)
        .header('allow', 'GET')
        .send({ error: { code: 'method_not_allowed', message } })
    }
    return reply
      .code(404)
      .send({ error: { code: 'not_found', message: `no such path: ${request.method} ${request.url}` } })
  })
}
