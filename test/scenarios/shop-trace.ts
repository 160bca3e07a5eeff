/** A small shop's trace with its logs as OTLP JSON: two services, an error, an event, a link, every type of attribute. */
import { randomBytes } from 'node:crypto'

export interface ShopTrace {
  readonly traceId: string
  readonly traces: { resourceSpans: unknown[] }
  readonly logs: { resourceLogs: unknown[] }
}

const text = (key: string, value: string) => ({ key, value: { stringValue: value } })

const resource = (service: string) => ({
  attributes: [
    text('service.name', service),
    text('service.instance.id', `${service}-1`),
    text('service.version', '1.2.3'),
  ],
})

/** Ten seconds ago by default, so that it is in the last hour. */
export function shopTrace(startMs = Date.now() - 10_000): ShopTrace {
  const traceId = randomBytes(16).toString('hex')
  const [root, reserve, select] = Array.from({ length: 3 }, () => randomBytes(8).toString('hex'))
  const at = (ms: number) => String(BigInt(startMs + ms) * 1_000_000n + 789n)
  const shopSpan = {
    traceId,
    spanId: root,
    name: 'POST /pay',
    kind: 2,
    startTimeUnixNano: at(0),
    endTimeUnixNano: at(1840),
    attributes: [
      text('http.request.method', 'POST'),
      { key: 'http.response.status_code', value: { intValue: '502' } },
      { key: 'cart.total', value: { doubleValue: 12.5 } },
      { key: 'cart.paid', value: { boolValue: false } },
      { key: 'cart.items', value: { arrayValue: { values: [{ stringValue: 'tea' }, { stringValue: 'cup' }] } } },
    ],
    links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attributes: [text('why', 'retry')] }],
    status: { code: 2, message: 'payment refused' },
  }
  const cartSpans = [
    {
      traceId,
      spanId: reserve,
      parentSpanId: root,
      name: 'reserve',
      kind: 2,
      startTimeUnixNano: at(40),
      endTimeUnixNano: at(852),
      events: [{ timeUnixNano: at(50), name: 'cache miss', attributes: [text('cache.key', 'tea')] }],
      status: {}, // always printed, as some readers dereference it
    },
    {
      traceId,
      spanId: select,
      parentSpanId: reserve,
      name: 'SELECT stock',
      kind: 3,
      startTimeUnixNano: at(60),
      endTimeUnixNano: at(80),
      attributes: [text('db.system.name', 'sqlite')],
      status: {},
    },
  ]
  const record = {
    timeUnixNano: at(1800),
    severityNumber: 17,
    severityText: 'ERROR',
    body: { stringValue: 'payment refused by bank' },
    attributes: [text('bank', 'north')],
    traceId,
    spanId: root,
  }
  const scope = { name: 'shop-tracer', version: '0.1' }
  return {
    traceId,
    traces: {
      resourceSpans: [
        { resource: resource('shop'), scopeSpans: [{ scope, spans: [shopSpan] }] },
        { resource: resource('cart'), scopeSpans: [{ scope, spans: cartSpans }] },
      ],
    },
    logs: { resourceLogs: [{ resource: resource('shop'), scopeLogs: [{ scope, logRecords: [record] }] }] },
  }
}

/** Spans of OTLP JSON by id, each with its resource and scope, to compare two answers whatever their order. */
export function spansById(...documents: string[]): Map<string, unknown> {
  interface Data {
    resourceSpans?: { resource?: unknown; scopeSpans?: { scope?: unknown; spans?: { spanId: string }[] }[] }[]
  }
  const found = new Map<string, unknown>()
  for (const { resourceSpans = [] } of documents.map((document) => JSON.parse(document) as Data)) {
    for (const { resource, scopeSpans = [] } of resourceSpans) {
      for (const { scope, spans = [] } of scopeSpans)
        for (const span of spans) found.set(span.spanId, { resource, scope, span })
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}
