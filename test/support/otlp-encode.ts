/** OTLP requests as plain objects and their protobuf bytes, written apart from the decoders they test. */
import type { Attribute, AttributeValue } from '../../src/model/attributes.ts'
import { bytesField, message, textField, varintField } from '../../src/codec/otlp/wire-writer.ts'

export interface Origin {
  readonly attributes: readonly Attribute[]
  readonly dropped: number
  readonly schemaUrl: string
}

export interface ScopeOrigin extends Origin {
  readonly name: string
  readonly version: string
}

export interface Request<Row> {
  readonly resources: readonly {
    readonly resource: Origin
    readonly scopes: readonly { readonly scope: ScopeOrigin; readonly rows: readonly Row[] }[]
  }[]
}

export interface Span {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly traceState: string
  readonly parentSpanId: Uint8Array
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly start: bigint
  readonly end: bigint
  readonly attributes: readonly Attribute[]
  readonly droppedAttributes: number
  readonly events: readonly SpanEvent[]
  readonly droppedEvents: number
  readonly links: readonly SpanLink[]
  readonly droppedLinks: number
  readonly status: { readonly code: number; readonly message: string }
}

export interface SpanEvent {
  readonly time: bigint
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly dropped: number
}

export interface SpanLink {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly traceState: string
  readonly attributes: readonly Attribute[]
  readonly dropped: number
  readonly flags: number
}

export interface LogRecord {
  readonly time: bigint
  readonly observed: bigint
  readonly severityNumber: number
  readonly severityText: string
  readonly body: AttributeValue | undefined
  readonly attributes: readonly Attribute[]
  readonly dropped: number
  readonly flags: number
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly eventName: string
}

export function encodeTraces(request: Request<Span>): Buffer {
  return encodeRequest(request, encodeSpan)
}

export function encodeLogs(request: Request<LogRecord>): Buffer {
  return encodeRequest(request, encodeLogRecord)
}

function encodeRequest<Row>(request: Request<Row>, encodeRow: (row: Row) => Buffer): Buffer {
  return message(
    ...request.resources.map(({ resource, scopes }) =>
      bytesField(
        1,
        message(
          bytesField(1, message(...attributeFields(1, resource.attributes), varintField(2, resource.dropped))),
          ...scopes.map(({ scope, rows }) => bytesField(2, encodeScope(scope, rows.map(encodeRow)))),
          textField(3, resource.schemaUrl),
        ),
      ),
    ),
  )
}

function encodeScope(scope: ScopeOrigin, rows: readonly Buffer[]): Buffer {
  const head = message(
    textField(1, scope.name),
    textField(2, scope.version),
    ...attributeFields(3, scope.attributes),
    varintField(4, scope.dropped),
  )
  return message(bytesField(1, head), ...rows.map((row) => bytesField(2, row)), textField(3, scope.schemaUrl))
}

export function encodeSpan(span: Span): Buffer {
  return message(
    bytesField(1, span.traceId),
    bytesField(2, span.spanId),
    textField(3, span.traceState),
    span.parentSpanId.length === 0 ? Buffer.alloc(0) : bytesField(4, span.parentSpanId),
    textField(5, span.name),
    varintField(6, span.kind),
    fixed64Field(7, span.start),
    fixed64Field(8, span.end),
    ...attributeFields(9, span.attributes),
    varintField(10, span.droppedAttributes),
    ...span.events.map((event) => bytesField(11, encodeEvent(event))),
    varintField(12, span.droppedEvents),
    ...span.links.map((link) => bytesField(13, encodeLink(link))),
    varintField(14, span.droppedLinks),
    bytesField(15, message(textField(2, span.status.message), varintField(3, span.status.code))),
    fixed32Field(16, span.flags),
  )
}

function encodeEvent({ time, name, attributes, dropped }: SpanEvent): Buffer {
  return message(fixed64Field(1, time), textField(2, name), ...attributeFields(3, attributes), varintField(4, dropped))
}

function encodeLink(link: SpanLink): Buffer {
  return message(
    bytesField(1, link.traceId),
    bytesField(2, link.spanId),
    textField(3, link.traceState),
    ...attributeFields(4, link.attributes),
    varintField(5, link.dropped),
    fixed32Field(6, link.flags),
  )
}

function encodeLogRecord(record: LogRecord): Buffer {
  return message(
    fixed64Field(1, record.time),
    varintField(2, record.severityNumber),
    textField(3, record.severityText),
    record.body === undefined ? Buffer.alloc(0) : bytesField(5, encodeAnyValue(record.body)),
    ...attributeFields(6, record.attributes),
    varintField(7, record.dropped),
    fixed32Field(8, record.flags),
    bytesField(9, record.traceId),
    bytesField(10, record.spanId),
    fixed64Field(11, record.observed),
    textField(12, record.eventName),
  )
}

function attributeFields(field: number, attributes: readonly Attribute[]): Uint8Array[] {
  return attributes.map((attribute) => bytesField(field, encodeKeyValue(attribute)))
}

function encodeKeyValue({ key, value }: Attribute): Buffer {
  return message(textField(1, key), bytesField(2, encodeAnyValue(value)))
}

function encodeAnyValue(value: AttributeValue): Buffer {
  switch (value.type) {
    case 'string':
      return message(bytesField(1, Buffer.from(value.value)))
    case 'bool':
      return Buffer.from([0x10, value.value ? 1 : 0])
    case 'int':
      return value.value === 0n ? Buffer.from([0x18, 0]) : message(varintField(3, value.value))
    case 'double': {
      const bytes = Buffer.alloc(9, 0x21)
      bytes.writeDoubleLE(value.value, 1)
      return bytes
    }
    case 'array':
      return message(bytesField(5, message(...value.value.map((item) => bytesField(1, encodeAnyValue(item))))))
    case 'map':
      return message(bytesField(6, message(...value.value.map((entry) => bytesField(1, encodeKeyValue(entry))))))
    case 'bytes':
      return message(bytesField(7, value.value))
    case 'empty':
      return Buffer.alloc(0)
  }
}

function fixed64Field(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = (field << 3) | 1
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value), 1)
  return bytes
}

/** Two bytes of tag for field 16. */
function fixed32Field(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  const tag = (field << 3) | 5
  return Buffer.concat([Buffer.from(tag < 128 ? [tag] : [(tag & 0x7f) | 0x80, tag >> 7]), bytes])
}
