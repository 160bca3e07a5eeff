/**
 * A v2 span as a plain object, in the shape of its JSON: v1 spans are converted to it, and the tests compare the
 * byte-wise decoder with it.
 */
import type { SpanBatchBuilder } from '../../model/span-batch.ts'
import { zipkinKinds, type TextRange, type ZipkinEndpoint, type ZipkinSpan } from './span.ts'

export type ZipkinKind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER'

export interface PlainEndpoint {
  serviceName?: string
  ipv4?: string
  ipv6?: string
  port?: number
}

export interface PlainAnnotation {
  /** Microseconds since the epoch. */
  timestamp: number
  value: string
}

export interface PlainSpan {
  /** Lower-case hex of up to 32 and 16 digits, with or without leading zeros. */
  traceId: string
  id: string
  parentId?: string
  kind?: ZipkinKind
  name?: string
  timestamp?: number
  duration?: number
  localEndpoint?: PlainEndpoint
  remoteEndpoint?: PlainEndpoint
  annotations?: PlainAnnotation[]
  tags?: Record<string, string>
  debug?: boolean
  shared?: boolean
}

/** Fills `span` with the values of `plain`, and appends its texts to the builder's arena. Ids must be hex. */
export function loadPlainSpan(plain: PlainSpan, span: ZipkinSpan, builder: SpanBatchBuilder): void {
  const keep = (range: TextRange, text: string | undefined): void => {
    range.length = 0
    if (text === undefined || text === '') return
    range.start = builder.appendText(text)
    range.length = builder.textLength
  }
  const keepEndpoint = (into: ZipkinEndpoint, from: PlainEndpoint | undefined): void => {
    keep(into.serviceName, from?.serviceName)
    keep(into.ipv4, from?.ipv4)
    keep(into.ipv6, from?.ipv6)
    into.port = from?.port ?? 0
  }
  span.reset()
  loadId(span.traceId, plain.traceId)
  loadId(span.id, plain.id)
  loadId(span.parentId, plain.parentId ?? '')
  span.kind = plain.kind === undefined ? 0 : zipkinKinds[plain.kind]!
  keep(span.name, plain.name)
  span.timestamp = plain.timestamp ?? 0
  span.duration = plain.duration ?? 0
  keepEndpoint(span.localEndpoint, plain.localEndpoint)
  keepEndpoint(span.remoteEndpoint, plain.remoteEndpoint)
  span.annotations = plain.annotations ?? []
  span.debug = plain.debug ?? false
  span.shared = plain.shared ?? false
  for (const [key, value] of Object.entries(plain.tags ?? {})) {
    const keyStart = builder.appendText(key)
    const keyLength = builder.textLength
    const valueStart = builder.appendText(value)
    span.addTag(keyStart, keyLength, valueStart, builder.textLength)
  }
}

function loadId(id: Uint8Array, hex: string): void {
  id.set(Buffer.from(hex.padStart(id.length * 2, '0'), 'hex'))
}
