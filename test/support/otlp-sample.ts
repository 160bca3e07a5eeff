/** Small OTLP requests that differ from each other, as those of different clients do. */
import { randomBytes } from 'node:crypto'
import { encodeLogs, encodeTraces } from './otlp-encode.ts'

const resource = {
  attributes: [{ key: 'service.name', value: { type: 'string', value: 'shop' } }],
  dropped: 0,
  schemaUrl: '',
} as const
const scope = { name: 'lib', version: '1.0', attributes: [], dropped: 0, schemaUrl: '' } as const

export interface SampleIds {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
}

/** A request of one span in protobuf. */
export function oneSpan(ids: Partial<SampleIds> = {}): Buffer {
  return spans([{ traceId: randomBytes(16), spanId: randomBytes(8), ...ids }])
}

/** A request with a span for each pair of ids. */
export function spans(ids: readonly SampleIds[]): Buffer {
  const now = BigInt(Date.now()) * 1_000_000n
  const rows = ids.map((each) => ({
    ...each,
    traceState: '',
    parentSpanId: new Uint8Array(0),
    flags: 1,
    name: 'GET /cart',
    kind: 2,
    start: now,
    end: now + 5_000_000n,
    attributes: [{ key: 'http.request.method', value: { type: 'string', value: 'GET' } } as const],
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 0, message: '' },
  }))
  return encodeTraces({ resources: [{ resource, scopes: [{ scope, rows }] }] })
}

export function oneLogRecord(ids: Partial<SampleIds> = {}): Buffer {
  const now = BigInt(Date.now()) * 1_000_000n
  const row = {
    time: now,
    observed: now,
    severityNumber: 9,
    severityText: 'INFO',
    body: { type: 'string', value: 'cart opened' } as const,
    attributes: [],
    dropped: 0,
    flags: 1,
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    eventName: '',
    ...ids,
  }
  return encodeLogs({ resources: [{ resource, scopes: [{ scope, rows: [row] }] }] })
}
