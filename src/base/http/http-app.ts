/**
 * The HTTP/1.1 server for every port that speaks it: those of the receivers and that of the UI. It limits connections
 * and times, keeps foreign web pages out, and answers preflights of browsers. It also answers clients that speak
 * another protocol, and stops only after running requests had time to finish.
 */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import cors from '@fastify/cors'
import { fastify, type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { InputError } from '../errors.ts'
import { listenError } from '../listen.ts'
import { webGuard, type WebGuardOptions } from '../web-guard.ts'
import { refuseClient, sortClients, tlsProblem } from './client-kinds.ts'

/** How long `close` waits for requests that are still being sent or answered. */
const closeGraceMs = 2000

export interface HttpLimits {
  /** The maximum number of open connections; more are closed at once. */
  readonly connectionsMax: number
  /** The time from its first byte within which a request must be complete. */
  readonly requestTimeoutMs: number
  /** An idle connection is closed after this time. */
  readonly idleTimeoutMs: number
}

export interface HttpAppOptions extends WebGuardOptions {
  readonly limits: HttpLimits
  /** Answers the preflights of pages from `allowedOrigins` that want to POST, and lets them read the answers. */
  readonly preflights?: boolean
  /** Routes read the body themselves and get requests of any content type (`contentTypeOf`). */
  readonly rawBodies?: boolean
  /** Further options of fastify. */
  readonly fastify?: Pick<FastifyServerOptions, 'frameworkErrors' | 'routerOptions'>
}

/** A server without routes that does not listen yet. */
export async function createHttpApp(options: HttpAppOptions): Promise<FastifyInstance> {
  const { limits, allowedOrigins, rawBodies = false } = options
  const app = fastify({
    logger: false,
    // Raw bodies have their own limits; this only keeps fastify's limit from applying.
    ...(rawBodies && { bodyLimit: Number.MAX_SAFE_INTEGER, return503OnClosing: false }),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    http: {
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, limits.requestTimeoutMs),
    },
    ...options.fastify,
  })
  app.server.maxConnections = limits.connectionsMax
  if (rawBodies) leaveBodies(app)
  const guard = webGuard(options)
  app.addHook('onRequest', (request, _reply, done) => {
    guard(request.raw.headers)
    done()
  })
  if (options.preflights === true && allowedOrigins.length > 0) {
    // `navigator.sendBeacon` always sends credentials, and then Fetch requires the origin itself instead of `*`. clew
    // uses no cookies, so naming any origin reveals nothing.
    const origin = allowedOrigins.includes('*') ? true : [...allowedOrigins]
    await app.register(cors, { origin, credentials: true, methods: ['POST'], maxAge: 86_400 })
  }
  return app
}

function leaveBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  // Fastify itself would refuse a type that it cannot parse. Routes decide, and count what they refuse.
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw
    sentTypes.set(request.raw, headers['content-type'])
    delete headers['content-type']
    done()
  })
}

const sentTypes = new WeakMap<IncomingMessage, string | undefined>()

/** The Content-Type as it was sent, where bodies are raw. */
export function contentTypeOf(request: FastifyRequest): string | undefined {
  return sentTypes.get(request.raw)
}

/** Serves clients that speak HTTP/2 on a port of HTTP/1. */
export interface Http2Clients {
  accept(socket: Socket): void
  close(): Promise<void>
}

export interface HttpBinding {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** The name of the port in an answer to a client that came to the wrong port. */
  readonly name: string
  readonly limits: HttpLimits
  /** Called for clients that speak another protocol. They also get `problem` as an answer. */
  readonly onWrongClient?: (problem: InputError) => void
  /** Without it, clients that speak HTTP/2 are at the wrong port. */
  readonly http2?: Http2Clients
  /** Called when `close` begins. */
  readonly onClosing?: () => void
}

export interface HttpListener {
  readonly address: string
  readonly port: number
  /** Accepts no new connections, gives running requests two seconds to finish, then cuts them off. */
  close(): Promise<void>
}

/** Rejects with `UnavailableError` `port_in_use` or `io_failed`; then the app is closed. */
export async function listenHttp(app: FastifyInstance, binding: HttpBinding): Promise<HttpListener> {
  const { host, port, name, limits, onWrongClient, http2, onClosing } = binding
  const endWaiting = sortClients(app.server, {
    own: 'http1',
    timeoutMs: limits.requestTimeoutMs,
    others: (kind, socket) => {
      if (kind === 'http2' && http2 !== undefined) return http2.accept(socket)
      const text = `a client that speaks HTTP/2 or gRPC came to port ${socket.localPort}, where ${name} takes HTTP/1.1`
      const problem = kind === 'tls' ? tlsProblem(socket.localPort) : new InputError('bad_request', text)
      onWrongClient?.(problem)
      refuseClient(socket, problem.message)
    },
  })
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw listenError(error, host, port)
  }
  const bound = app.server.address() as AddressInfo
  return {
    address: bound.address,
    port: bound.port,
    async close() {
      onClosing?.()
      endWaiting()
      const http2Closed = http2?.close()
      const cutOff = setTimeout(() => app.server.closeAllConnections(), closeGraceMs)
      try {
        await app.close()
        await http2Closed
      } finally {
        clearTimeout(cutOff)
      }
    },
  }
}
