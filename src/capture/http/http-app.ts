/** The HTTP server under every receiver over HTTP: its limits, browsers' cross-origin requests, and an orderly stop. */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import cors from '@fastify/cors'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { InputError, messageOf } from '../../base/errors.ts'
import { receivingBudget, type ByteBudget } from '../byte-budget.ts'
import { listenError } from '../../base/listen.ts'
import { webGuard } from '../../base/web-guard.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'
import { refuseClient, sortClients, tlsProblem } from './client-kinds.ts'

/** How long `close` waits for requests that are still being sent or answered. */
const closeGraceMs = 2000

/** A receiver over HTTP while it runs. */
export interface HttpReceiver extends ReceiverContext {
  /** What it may hold of bodies that are still coming in. */
  readonly budget: ByteBudget
  /** Answers tell their clients to close the connection. */
  closing: boolean
}

export function httpReceiver(context: ReceiverContext): HttpReceiver {
  return { ...context, budget: receivingBudget(context.intake.bodyBytesMax), closing: false }
}

/** A server without routes; handlers take bodies by `readHttpBody`. */
export async function createHttpApp({
  host,
  limits,
  corsOrigins = [],
  allowedHosts = [],
}: ReceiverContext): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    // Bodies are taken by hand, see readHttpBody; this only keeps fastify's own limit out of the way.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    return503OnClosing: false,
    http: {
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, limits.requestTimeoutMs),
    },
  })
  app.server.maxConnections = limits.connectionsMax
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  // A type that fastify cannot parse it would refuse by itself: routes decide, and count.
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw
    sentTypes.set(request.raw, headers['content-type'])
    delete headers['content-type']
    done()
  })
  const guard = webGuard({ host, allowedHosts, allowedOrigins: corsOrigins })
  app.addHook('onRequest', (request, _reply, done) => {
    guard(request.raw.headers)
    done()
  })
  if (corsOrigins.length > 0) {
    // `navigator.sendBeacon` always has credentials, for which Fetch wants the origin itself, never `*`. clew knows no
    // cookies, so naming any origin gives nothing away.
    const origin = corsOrigins.includes('*') ? true : [...corsOrigins]
    await app.register(cors, { origin, credentials: true, methods: ['POST'], maxAge: 86_400 })
  }
  return app
}

const sentTypes = new WeakMap<IncomingMessage, string | undefined>()

/** The Content-Type as it was sent. */
export function contentTypeOf(request: FastifyRequest): string | undefined {
  return sentTypes.get(request.raw)
}

/** Takes clients that speak HTTP/2 on a port of HTTP/1. */
export interface Http2Clients {
  accept(socket: Socket): void
  close(): Promise<void>
}

/** Binds the port of the receiver's context. Without `http2` clients that speak it are told that they are wrong here. */
export async function listenHttp(
  app: FastifyInstance,
  name: string,
  receiver: HttpReceiver,
  http2?: Http2Clients,
): Promise<Listener> {
  const endWaiting = sortClients(app.server, {
    own: 'http1',
    timeoutMs: receiver.limits.requestTimeoutMs,
    others: (kind, socket) => {
      if (kind === 'http2' && http2 !== undefined) return http2.accept(socket)
      const text = `a client that speaks HTTP/2 or gRPC came to port ${socket.localPort}, where ${name} takes HTTP/1.1`
      const problem = kind === 'tls' ? tlsProblem(socket.localPort) : new InputError('bad_request', text)
      receiver.intake.counters.countWrongClient(name, problem)
      refuseClient(socket, problem.message)
    },
  })
  try {
    await app.listen({ host: receiver.host, port: receiver.port })
  } catch (error) {
    await app.close()
    throw listenError(error, receiver.host, receiver.port)
  }
  const { address, port } = app.server.address() as AddressInfo
  return {
    name,
    protocol: 'tcp',
    address,
    port,
    async close() {
      receiver.closing = true
      endWaiting()
      const http2Closed = http2?.close()
      const cutOff = setTimeout(() => app.server.closeAllConnections(), closeGraceMs)
      try {
        await app.close()
        await http2Closed
      } catch (error) {
        receiver.logger.warn(`cannot close the ${name} listener: ${messageOf(error)}`)
      } finally {
        clearTimeout(cutOff)
      }
    },
  }
}
