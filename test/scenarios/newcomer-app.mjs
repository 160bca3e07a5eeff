// A program with the OpenTelemetry SDK for JavaScript and nothing set but what the environment says.
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'

const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'javascript-app' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
})
provider.getTracer('newcomer').startSpan('hello').end()
await provider.shutdown()
