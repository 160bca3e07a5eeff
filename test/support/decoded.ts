/** OTLP bodies as batches. */
import { otlpLogsProtobuf } from '../../src/codec/otlp/logs-protobuf.ts'
import { otlpTracesProtobuf } from '../../src/codec/otlp/traces-protobuf.ts'
import type { EventBatch } from '../../src/model/event-batch.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'

export function tracesProtobuf(body: Uint8Array): SpanBatch {
  const { batch } = otlpTracesProtobuf.decode(body, { receivedAtMs: Date.now() })
  if (batch.signal !== 'spans') throw new Error('a batch of events')
  return batch
}

export function logsProtobuf(body: Uint8Array): EventBatch {
  const { batch } = otlpLogsProtobuf.decode(body, { receivedAtMs: Date.now() })
  if (batch.signal !== 'events') throw new Error('a batch of spans')
  return batch
}
