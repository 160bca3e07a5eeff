/** The HTTP server under every receiver over HTTP: its limits, browsers' cross-origin requests, and an orderly stop. */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import cors from '@fastify/cors'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { messageOf } from '../../base/errors.ts'
import { receivingBudget, type ByteBudget } from '../byte-budget.ts'
import { listenError } from '../../base/listen.ts'
import { webGuard } from '../../base/web-guard.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

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
    const origin = corsOrigins.includes('*') ? '*' : [...corsOrigins]
    await app.register(cors, { origin, methods: ['POST'], maxAge: 86_400 })
  }
  return app
}

const sentTypes = new WeakMap<IncomingMessage, string | undefined>()

/** The Content-Type as it was sent. */
export function contentTypeOf(request: FastifyRequest): string | undefined {
  return sentTypes.get(request.raw)
}

/** Binds the port of the receiver's context. */
export async function listenHttp(app: FastifyInstance, name: string, receiver: HttpReceiver): Promise<Listener> {
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
      const cutOff = setTimeout(() => app.server.closeAllConnections(), closeGraceMs)
      try {
        await app.close()
      } catch (error) {
        receiver.logger.warn(`cannot close the ${name} listener: ${messageOf(error)}`)
      } finally {
        clearTimeout(cutOff)
      }
    },
  }
}
