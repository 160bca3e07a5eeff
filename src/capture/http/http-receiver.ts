/** What every receiver over HTTP shares: a server for its routes, a budget for incoming bodies, an orderly stop. */
import type { FastifyInstance } from 'fastify'
import { messageOf } from '../../base/errors.ts'
import { createHttpApp, listenHttp, type Http2Clients } from '../../base/http/http-app.ts'
import { receivingBudget, type ByteBudget } from '../byte-budget.ts'
import type { Listener, ReceiverContext } from '../receiver.ts'

/** A receiver over HTTP while it runs. */
export interface HttpReceiver extends ReceiverContext {
  /** The bytes it may hold for bodies that are still coming in. */
  readonly budget: ByteBudget
  /** When true, answers ask clients to close the connection. */
  closing: boolean
}

export function httpReceiver(context: ReceiverContext): HttpReceiver {
  return { ...context, budget: receivingBudget(context.intake.bodyBytesMax), closing: false }
}

/** A server without routes; handlers read bodies with `readHttpBody`. */
export function createReceiverApp(context: ReceiverContext): Promise<FastifyInstance> {
  const { host, limits, corsOrigins = [], allowedHosts = [] } = context
  return createHttpApp({ host, limits, allowedHosts, allowedOrigins: corsOrigins, preflights: true, rawBodies: true })
}

/** Binds the port of the receiver's context. Without `http2`, HTTP/2 clients are told that this is the wrong port. */
export async function listenReceiver(
  app: FastifyInstance,
  name: string,
  receiver: HttpReceiver,
  http2?: Http2Clients,
): Promise<Listener> {
  const { host, port, limits, intake, logger } = receiver
  const listener = await listenHttp(app, {
    host,
    port,
    name,
    limits,
    http2,
    onWrongClient: (problem) => intake.counters.countWrongClient(name, problem),
    onClosing: () => (receiver.closing = true),
  })
  return {
    name,
    protocol: 'tcp',
    address: listener.address,
    port: listener.port,
    close: () =>
      listener.close().catch((error: unknown) => {
        logger.warn(`cannot close the ${name} listener: ${messageOf(error)}`)
      }),
  }
}
