/** What every service of the shop has: a name, a server, health, logs with trace context, and an orderly end. */
import { once } from 'node:events'
import { propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { logs, SeverityNumber } from '@opentelemetry/api-logs'
import express from 'express'
import { stopTelemetry } from './telemetry.js'

const name = process.env.OTEL_SERVICE_NAME ?? 'shop'
const logger = logs.getLogger(name)

/** Writes a log record; the SDK adds the ids of the span that is active. */
export const log = {
  info: (body, attributes) => emit(SeverityNumber.INFO, 'INFO', body, attributes),
  warn: (body, attributes) => emit(SeverityNumber.WARN, 'WARN', body, attributes),
  error: (body, attributes) => emit(SeverityNumber.ERROR, 'ERROR', body, attributes),
}

function emit(severityNumber, severityText, body, attributes) {
  logger.emit({ severityNumber, severityText, body, attributes })
}

/** An answer other than 200 that a handler wants to give. */
export class HttpError extends Error {
  constructor(status, message, options) {
    super(message, options)
    this.name = 'HttpError'
    this.status = status
  }
}

/**
 * Serves `routes` (Express paths by `METHOD path`, each a function from the request to what is answered as JSON) on
 * PORT until the process is asked to stop or loses its parent. `stop` ends what else the service has running.
 */
export async function serve(routes, { stop = async () => {} } = {}) {
  const app = express()
  app.use(express.json())
  app.get('/healthz', (_request, response) => response.send('ok'))
  app.use(nameUser)
  for (const [route, handler] of Object.entries(routes)) {
    const [method, path] = route.split(' ')
    app[method.toLowerCase()](path, async (request, response) => response.json(await handler(request)))
  }
  app.use(answerError)
  const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
  await once(server, 'listening')
  const end = endOnce(server, stop)
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.stdin.on('end', end).on('error', end).resume()
}

/** Who the request is for comes as baggage from the shopper's client, and goes on to each service that is called. */
function nameUser(_request, _response, next) {
  const user = propagation.getActiveBaggage()?.getEntry('user.id')?.value
  if (user !== undefined) trace.getActiveSpan()?.setAttribute('user.id', user)
  next()
}

/** The parent holds our stdin open; when it dies without a word, the pipe ends and we go too. */
function endOnce(server, stop) {
  let isEnding = false
  return async () => {
    if (isEnding) return
    isEnding = true
    server.close()
    server.closeIdleConnections()
    await stop()
    await stopTelemetry()
    process.exit(0)
  }
}

/** Express tells this from other handlers by its four parameters. */
function answerError(error, request, response, _next) {
  const status = error.status ?? 500
  const span = trace.getActiveSpan()
  if (status >= 500) {
    span?.recordException(error)
    span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    log.error(`${request.method} ${request.path} failed: ${error.message}`, {
      'exception.type': error.name,
      'exception.message': error.message,
      'exception.stacktrace': error.stack,
    })
  }
  response.status(status).json({ error: error.message })
}
