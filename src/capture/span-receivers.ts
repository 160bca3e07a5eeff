/** The receivers of spans other than OTLP: Zipkin and Jaeger. */
import type { Config } from '../config/config.ts'
import { startJaegerGrpc } from './jaeger/jaeger-grpc.ts'
import { startJaegerHttp } from './jaeger/jaeger-http.ts'
import { startJaegerSampling } from './jaeger/jaeger-sampling.ts'
import { startJaegerBinary, startJaegerCompact } from './jaeger/jaeger-udp.ts'
import type { ReceiverRow } from './receiver-row.ts'
import { startZipkin } from './zipkin/zipkin.ts'

const zipkin = { accepts: 'zipkin' as const, enabled: (config: Config) => config.zipkin.enabled }
const jaeger = { accepts: 'jaeger' as const, enabled: (config: Config) => config.jaeger.enabled }

export const spanReceivers: readonly ReceiverRow[] = [
  { ...zipkin, name: 'zipkin', port: ({ zipkin: { port } }) => port, flag: '--zipkin-port', start: startZipkin },
  {
    ...jaeger,
    name: 'jaeger-compact',
    port: (config) => config.jaeger.compact.port,
    flag: '--jaeger-compact-port',
    start: startJaegerCompact,
  },
  {
    ...jaeger,
    name: 'jaeger-binary',
    port: (config) => config.jaeger.binary.port,
    flag: '--jaeger-binary-port',
    start: startJaegerBinary,
  },
  {
    ...jaeger,
    name: 'jaeger-http',
    port: (config) => config.jaeger.http.port,
    flag: '--jaeger-http-port',
    start: startJaegerHttp,
  },
  {
    ...jaeger,
    name: 'jaeger-grpc',
    port: (config) => config.jaeger.grpc.port,
    flag: '--jaeger-grpc-port',
    start: (context, config) => startJaegerGrpc(context, config.jaeger.sampling.file),
  },
  {
    ...jaeger,
    name: 'jaeger-sampling',
    port: (config) => config.jaeger.sampling.port,
    flag: '--jaeger-sampling-port',
    start: (context, config) => startJaegerSampling(context, config.jaeger.sampling.file),
  },
]
