/** The API with the web UI, on one port: what is asked of the store, and how clew itself is doing. */
import path from 'node:path'
import type { Logger } from 'pino'
import { startHttpServer } from '../api/http-server.ts'
import { catalogHandlers } from '../api/native/catalog-handlers.ts'
import { eventHandlers } from '../api/native/event-handlers.ts'
import { exportHandlers } from '../api/native/export-handlers.ts'
import { traceHandlers } from '../api/native/trace-handlers.ts'
import type { HttpListener } from '../base/http/http-app.ts'
import { clewVersion } from '../base/version.ts'
import { requestLimits } from '../capture/receivers.ts'
import { createMetrics } from '../operation/metrics.ts'
import { createStatus, type StatusSources } from '../operation/status.ts'
import type { FreshTraces } from '../storage/fresh-traces.ts'
import { readerOf } from './reading.ts'

export interface ApiParts extends Omit<StatusSources, 'version'> {
  readonly logger: Logger
  readonly fresh: FreshTraces | undefined
}

/** Maximum number of spans of one trace in an answer. It bounds what a trace costs whose program never stops adding spans. */
const traceSpansMax = 1_000_000

export async function startApi(parts: ApiParts): Promise<HttpListener> {
  const { config, logger, log, store, fresh, counters, tailFigures, isReady } = parts
  const version = clewVersion()
  const status = createStatus({ ...parts, version })
  const metrics = createMetrics({ ...store, counters, log, fresh, tailFigures })
  const listener = await startHttpServer({
    host: config.host,
    port: config.ui.port,
    allowedHosts: config.allowedHosts,
    allowedOrigins: config.cors.origins,
    limits: requestLimits(config),
    version,
    uiDir: path.join(import.meta.dirname, '../../web/dist'),
    handlers: {
      ...traceHandlers,
      ...exportHandlers,
      ...eventHandlers,
      ...catalogHandlers,
      status: (context) => context.status(),
    },
    onBug: (error) => logger.error({ err: error }, 'cannot answer a request'),
    context: {
      reader: readerOf(store, fresh, config.query.timeoutMs),
      status: () => status.answer(),
      metrics,
      problems: () => status.problems(),
      isReady,
      traceSpansMax,
    },
  })
  status.listening({ name: 'ui', protocol: 'tcp', accepts: 'ui', address: listener.address, port: listener.port })
  return listener
}
