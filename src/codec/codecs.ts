/** Every decoder whose input may be in the log, by the name stored with the bytes. */
import { assert } from '../base/errors.ts'
import type { Codec } from './codec.ts'
import { forward } from './forward/forward.ts'
import { forwardJson } from './forward/forward-json.ts'
import { gelf } from './gelf/gelf.ts'
import { host } from './host/host.ts'
import { jaegerAgentDatagrams } from './jaeger/agent.ts'
import { jaegerProtobuf } from './jaeger/protobuf.ts'
import { jaegerThriftBatch } from './jaeger/thrift.ts'
import { eventsJson, eventsText, lines } from './lines/lines.ts'
import { otlpLogsJson } from './otlp/logs-json.ts'
import { otlpLogsProtobuf } from './otlp/logs-protobuf.ts'
import { otlpTracesJson } from './otlp/traces-json.ts'
import { otlpTracesProtobuf } from './otlp/traces-protobuf.ts'
import { tail } from './tail/tail.ts'
import { syslog } from './syslog/syslog.ts'
import { zipkinJsonV1 } from './zipkin/json-v1.ts'
import { zipkinJsonV2 } from './zipkin/json-v2.ts'
import { zipkinProtobufV2 } from './zipkin/protobuf-v2.ts'
import { zipkinThriftV1 } from './zipkin/thrift-v1.ts'

const table: readonly Codec[] = [
  otlpTracesProtobuf,
  otlpTracesJson,
  otlpLogsProtobuf,
  otlpLogsJson,
  zipkinJsonV2,
  zipkinProtobufV2,
  zipkinJsonV1,
  zipkinThriftV1,
  jaegerThriftBatch,
  jaegerAgentDatagrams,
  jaegerProtobuf,
  forward,
  forwardJson,
  syslog,
  gelf,
  lines,
  eventsJson,
  eventsText,
  tail,
  host,
]

const byName = new Map(table.map((codec) => [codec.name, codec]))
assert(byName.size === table.length, 'two codecs share a name')

export function codecNamed(name: string): Codec | undefined {
  return byName.get(name)
}
