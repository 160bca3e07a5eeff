/** OTLP spans of which a test says only what it is about. */
import type { Attribute } from '../../src/model/attributes.ts'
import type { Request, Span } from './otlp-encode.ts'

let spans = 0

/** A root of its own id, of a trace that must be named. */
export function otlpSpan(given: Partial<Span> & Pick<Span, 'traceId'>): Span {
  const start = given.start ?? 0n
  return {
    spanId: Buffer.from((++spans).toString(16).padStart(16, '0'), 'hex'),
    traceState: '',
    parentSpanId: Buffer.alloc(0),
    flags: 0,
    name: `span ${spans}`,
    kind: 1,
    start,
    end: start + 1000n,
    attributes: [],
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 0, message: '' },
    ...given,
  }
}

export interface ResourceSpans {
  readonly resource: readonly Attribute[]
  readonly spans: readonly Span[]
}

export function otlpRequest(...groups: readonly ResourceSpans[]): Request<Span> {
  const rest = { dropped: 0, schemaUrl: '' }
  return {
    resources: groups.map(({ resource, spans: rows }) => ({
      resource: { attributes: resource, ...rest },
      scopes: [{ scope: { attributes: [], name: '', version: '', ...rest }, rows }],
    })),
  }
}

export function textAttribute(key: string, value: string): Attribute {
  return { key, value: { type: 'string', value } }
}
