/**
 * Sets up the OpenTelemetry SDK of a service; preloaded with `node --import ./telemetry.js` before its own code, so that
 * Express and HTTP are instrumented when it loads them. Where to send comes from the standard OTEL_EXPORTER_OTLP_…
 * variables, who we are from OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
 */
import { register } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { logs } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
} from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

const healthPath = '/healthz'
/** Short, so that a trace can be looked at within two seconds; programs in production batch for longer. */
const batchDelayMs = 500
const stopTimeoutMs = 2000

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)

const detectors = [envDetector, hostDetector, osDetector, processDetector]
const resource = defaultResource().merge(detectResources({ detectors }))

const tracerProvider = new NodeTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: batchDelayMs })],
})
tracerProvider.register()

const loggerProvider = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(), scheduledDelayMillis: batchDelayMs })],
})
logs.setGlobalLoggerProvider(loggerProvider)

registerInstrumentations({
  tracerProvider,
  loggerProvider,
  instrumentations: [
    new HttpInstrumentation({ ignoreIncomingRequestHook: (request) => request.url === healthPath }),
    // Names the server span by its route; a span for each function within Express would say nothing more.
    new ExpressInstrumentation({ ignoreLayersType: Object.values(ExpressLayerType) }),
    new UndiciInstrumentation({
      ignoreRequestHook: (request) => request.path === healthPath,
      requestHook: (span, request) => {
        const resends = resendCount(request.headers)
        if (resends > 0) span.setAttribute('http.request.resend_count', resends)
      },
    }),
  ],
})

/** The header that call.js sets on a repeated request; undici gives headers as a flat list or as text. */
function resendCount(headers) {
  const flat = Array.isArray(headers) ? headers : String(headers).split(/: |\r\n/)
  const at = flat.findIndex((name) => String(name).toLowerCase() === 'x-resend-count')
  return at === -1 ? 0 : Number(flat[at + 1])
}

/**
 * Sends what is still held; called once the service has answered its last request. Does not wait long for a receiver
 * that is gone.
 */
export async function stopTelemetry() {
  const sent = Promise.allSettled([tracerProvider.shutdown(), loggerProvider.shutdown()])
  await Promise.race([sent, sleep(stopTimeoutMs)])
}
