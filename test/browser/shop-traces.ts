/**
 * Traces of a small shop as OTLP JSON, the same for the same seed: short ordinary ones over the last hour, one rich trace
 * that shows every mark of the waterfall, and one of any size.
 */

export interface OtlpAttribute {
  key: string
  value:
    | { stringValue: string }
    | { intValue: string }
    | { boolValue: boolean }
    | { doubleValue: number }
    | { arrayValue: { values: { stringValue: string }[] } }
}
interface SpanEvent {
  name: string
  timeUnixNano: string
  attributes: OtlpAttribute[]
}
export interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: OtlpAttribute[]
  events: SpanEvent[]
  links: { traceId: string; spanId: string; attributes: OtlpAttribute[] }[]
  status: { code?: number; message?: string }
}
export interface ResourceSpans {
  resource: { attributes: OtlpAttribute[] }
  scopeSpans: { scope: { name: string; version: string }; spans: OtlpSpan[] }[]
}
export interface LogRecord {
  timeUnixNano: string
  severityNumber: number
  severityText: string
  body: { stringValue: string }
  attributes: OtlpAttribute[]
  traceId: string
  spanId: string
}

type Values = Record<string, string | number | boolean | string[]>

export function attributes(values: Values): OtlpAttribute[] {
  return Object.entries(values).map(([key, value]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value } }
    if (typeof value === 'boolean') return { key, value: { boolValue: value } }
    if (Array.isArray(value))
      return { key, value: { arrayValue: { values: value.map((text) => ({ stringValue: text })) } } }
    return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }
  })
}

/** mulberry32: numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'
const kinds: Record<SpanKind, number> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 }

interface SpanInput {
  readonly service: string
  readonly name: string
  readonly kind?: SpanKind
  readonly parent?: OtlpSpan | undefined
  /** A parent that is never sent. */
  readonly lostParent?: string
  /** Milliseconds from the trace's start, and how long. */
  readonly at: number
  readonly ms: number
  /** How far the service's clock is ahead. */
  readonly aheadMs?: number
  readonly attributes?: Values
  readonly error?: string
  readonly exception?: string
  readonly link?: OtlpSpan
}

/** Gathers the spans and logs of one trace. */
export class DrawnTrace {
  readonly traceId: string
  readonly spans = new Map<string, OtlpSpan[]>()
  readonly logs = new Map<string, LogRecord[]>()
  readonly startMs: number
  readonly #random: () => number

  constructor(startMs: number, random: () => number) {
    this.startMs = startMs
    this.#random = random
    this.traceId = this.#hex(32)
  }

  #hex(digits: number): string {
    return Array.from({ length: digits }, () => Math.floor(this.#random() * 15.99 + 0.005).toString(16))
      .join('')
      .replace(/^0/, '1')
  }

  #nanos(ms: number): string {
    return String(BigInt(Math.floor(this.startMs)) * 1_000_000n + BigInt(Math.round(ms * 1e6)))
  }

  add(input: SpanInput): OtlpSpan {
    const ahead = input.aheadMs ?? 0
    const end = this.#nanos(input.at + input.ms + ahead)
    const parentSpanId = input.parent?.spanId ?? input.lostParent
    const span: OtlpSpan = {
      traceId: this.traceId,
      spanId: this.#hex(16),
      ...(parentSpanId && { parentSpanId }),
      name: input.name,
      kind: kinds[input.kind ?? 'internal'],
      startTimeUnixNano: this.#nanos(input.at + ahead),
      endTimeUnixNano: end,
      attributes: attributes(input.attributes ?? {}),
      events: [],
      links: input.link ? [{ traceId: input.link.traceId, spanId: input.link.spanId, attributes: [] }] : [],
      status: input.error === undefined ? {} : { code: 2, message: input.error },
    }
    if (input.exception) {
      const stack = `${input.exception}: ${input.error}\n    at charge (/srv/pay/charge.js:41:13)\n    at async handle (/srv/pay/server.js:88:5)`
      const values = {
        'exception.type': input.exception,
        'exception.message': input.error ?? '',
        'exception.stacktrace': stack,
      }
      span.events.push({
        name: 'exception',
        timeUnixNano: this.#nanos(input.at + input.ms * 0.98 + ahead),
        attributes: attributes(values),
      })
    }
    const spans = this.spans.get(input.service)
    if (spans) spans.push(span)
    else this.spans.set(input.service, [span])
    return span
  }

  event(span: OtlpSpan, at: number, name: string, values: Values = {}): void {
    span.events.push({ name, timeUnixNano: this.#nanos(at), attributes: attributes(values) })
  }

  log(
    service: string,
    span: OtlpSpan,
    input: { at: number; severity: 'INFO' | 'WARN' | 'ERROR'; body: string; attributes?: Values },
  ): void {
    const record: LogRecord = {
      timeUnixNano: this.#nanos(input.at),
      severityNumber: { INFO: 9, WARN: 13, ERROR: 17 }[input.severity],
      severityText: input.severity,
      body: { stringValue: input.body },
      attributes: attributes(input.attributes ?? {}),
      traceId: this.traceId,
      spanId: span.spanId,
    }
    const records = this.logs.get(service)
    if (records) records.push(record)
    else this.logs.set(service, [record])
  }
}

function resource(service: string): { attributes: OtlpAttribute[] } {
  return {
    attributes: attributes({
      'service.name': service,
      'service.version': '2.7.1',
      'service.instance.id': `${service}-6c9f-1`,
      'host.name': `node-${service.length % 3}`,
      'deployment.environment.name': 'production',
      'telemetry.sdk.language': service === 'stock' ? 'python' : 'nodejs',
    }),
  }
}

/** Requests for `/v1/traces`, with one entry a service. */
export function tracesRequest(traces: readonly DrawnTrace[]): { resourceSpans: ResourceSpans[] } {
  const byService = new Map<string, OtlpSpan[]>()
  for (const trace of traces) {
    for (const [service, spans] of trace.spans) byService.set(service, [...(byService.get(service) ?? []), ...spans])
  }
  const scope = { name: '@opentelemetry/instrumentation-http', version: '0.207.0' }
  return {
    resourceSpans: [...byService].map(([service, spans]) => ({
      resource: resource(service),
      scopeSpans: [{ scope, spans }],
    })),
  }
}

export function logsRequest(traces: readonly DrawnTrace[]): { resourceLogs: unknown[] } {
  const entries = traces.flatMap(({ logs }) => [...logs])
  return {
    resourceLogs: entries.map(([service, logRecords]) => ({
      resource: resource(service),
      scopeLogs: [{ scope: { name: 'pino' }, logRecords }],
    })),
  }
}

const pages = [
  { name: 'GET /', weight: 30, ms: 9 },
  { name: 'GET /cart', weight: 25, ms: 38 },
  { name: 'GET /products/:id', weight: 25, ms: 21 },
  { name: 'GET /search', weight: 12, ms: 160 },
  { name: 'POST /checkout', weight: 8, ms: 420 },
] as const

/** One ordinary request: shop, one service behind it, a database; one in thirty fails. */
export function ordinaryTrace(startMs: number, random: () => number): DrawnTrace {
  const trace = new DrawnTrace(startMs, random)
  let pick = random() * 100
  const page = pages.find(({ weight }) => (pick -= weight) < 0) ?? pages[0]
  const noise = Math.exp((random() + random() + random() - 1.5) * 1.3)
  const ms = page.ms * noise * (random() < 0.02 ? 9 : 1)
  const failed = random() < 0.033
  const status = failed ? 500 : 200
  const http = {
    'http.request.method': page.name.split(' ')[0]!,
    'http.route': page.name.split(' ')[1]!,
    'http.response.status_code': status,
    'user.id': `u${Math.floor(random() * 400)}`,
  }
  const root = trace.add({
    service: 'shop',
    name: page.name,
    kind: 'server',
    at: 0,
    ms,
    attributes: http,
    ...(failed && { error: 'internal error' }),
  })
  if (page.ms < 20) return trace
  const service = page.name.includes('search') ? 'search' : page.name.includes('products') ? 'stock' : 'cart'
  const client = trace.add({
    service: 'shop',
    name: `POST ${service}`,
    kind: 'client',
    parent: root,
    at: ms * 0.1,
    ms: ms * 0.8,
  })
  const server = trace.add({
    service,
    name: page.name.includes('search')
      ? 'search products'
      : page.name.includes('products')
        ? 'find product'
        : 'read cart',
    kind: 'server',
    parent: client,
    at: ms * 0.14,
    ms: ms * 0.7,
    ...(failed && { error: 'deadlock detected', exception: 'DatabaseError' }),
  })
  const calls = 1 + Math.floor(random() * 3)
  for (let i = 0; i < calls; i++) {
    const at = ms * (0.18 + (0.6 / calls) * i)
    trace.add({
      service,
      name: 'SELECT items',
      kind: 'client',
      parent: server,
      at,
      ms: (ms * 0.5) / calls,
      attributes: { 'db.system.name': 'sqlite', 'db.query.text': 'SELECT * FROM items WHERE cart_id = ?' },
    })
  }
  return trace
}

/** The trace of the docs: N+1, retries, exception, clock skew, orphans, a queue, links, events, logs. 1.84 s. */
export function richTrace(startMs: number): DrawnTrace {
  const random = seeded(7)
  const trace = new DrawnTrace(startMs, random)
  const root = trace.add({
    service: 'shop',
    name: 'POST /pay',
    kind: 'server',
    at: 0,
    ms: 1840,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/pay',
      'http.response.status_code': 201,
      'url.path': '/pay',
      'user.id': 'u4711',
      'client.address': '203.0.113.7',
      'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0',
      'cart.items': 37,
      'cart.total': 214.9,
      'feature.flags': ['fast-pay', 'new-cart'],
    },
  })
  trace.event(root, 12, 'session restored', { 'session.age_s': 912 })
  trace.log('shop', root, {
    at: 4,
    severity: 'INFO',
    body: 'payment of 214.90 EUR begins',
    attributes: { 'user.id': 'u4711' },
  })
  trace.add({ service: 'shop', name: 'check session', parent: root, at: 6, ms: 18 })
  reserve(trace, root, random)
  charge(trace, root)
  const publish = trace.add({
    service: 'shop',
    name: 'orders publish',
    kind: 'producer',
    parent: root,
    at: 1712,
    ms: 22,
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
  })
  const consume = trace.add({
    service: 'mail',
    name: 'orders process',
    kind: 'consumer',
    parent: publish,
    at: 1760,
    ms: 210,
    link: publish,
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
  })
  trace.add({ service: 'mail', name: 'render receipt', parent: consume, at: 1772, ms: 64 })
  trace.add({ service: 'mail', name: 'SMTP send', kind: 'client', parent: consume, at: 1840, ms: 118 })
  trace.add({ service: 'shop', name: 'render page', parent: root, at: 1748, ms: 80 })
  for (const [name, at] of [
    ['score order', 1190],
    ['store score', 1262],
  ] as const) {
    trace.add({
      service: 'fraud',
      name,
      lostParent: 'feedfacefeedface',
      at,
      ms: 58,
      attributes: { 'fraud.score': 0.12 },
    })
  }
  return trace
}

function reserve(trace: DrawnTrace, root: OtlpSpan, random: () => number): void {
  const peer = { 'server.address': 'cart', 'server.port': 8081 }
  const client = trace.add({
    service: 'shop',
    name: 'POST cart',
    kind: 'client',
    parent: root,
    at: 30,
    ms: 930,
    attributes: peer,
  })
  const server = trace.add({ service: 'cart', name: 'reserve', kind: 'server', parent: client, at: 36, ms: 900 })
  const sqlite = { 'db.system.name': 'sqlite' }
  trace.add({
    service: 'cart',
    name: 'SELECT carts',
    kind: 'client',
    parent: server,
    at: 42,
    ms: 11,
    attributes: sqlite,
  })
  trace.log('cart', server, { at: 50, severity: 'WARN', body: '37 single reads of stock; a join would be one' })
  let at = 60
  for (let item = 0; item < 37; item++) {
    const ms = 9 + random() * 9
    const query = {
      'db.query.text': 'SELECT count FROM stock WHERE item_id = ?',
      'db.operation.parameter.0': `item-${item}`,
    }
    const attributes = { ...sqlite, ...query }
    trace.add({ service: 'cart', name: 'SELECT stock', kind: 'client', parent: server, at, ms, attributes })
    at += ms + 1.5
  }
  holdItems(trace, server, at)
}

/** The stock service's clock is 42 ms behind. */
function holdItems(trace: DrawnTrace, cart: OtlpSpan, at: number): void {
  const aheadMs = -42
  const until = 900 - at
  const client = trace.add({
    service: 'cart',
    name: 'POST stock',
    kind: 'client',
    parent: cart,
    at: at + 8,
    ms: until + 12,
  })
  const server = trace.add({
    service: 'stock',
    name: 'hold items',
    kind: 'server',
    parent: client,
    at: at + 12,
    ms: until + 2,
    aheadMs,
  })
  const attributes = { 'db.system.name': 'sqlite' }
  trace.add({
    service: 'stock',
    name: 'UPDATE stock',
    kind: 'client',
    parent: server,
    at: at + 20,
    ms: until - 40,
    aheadMs,
    attributes,
  })
}

function charge(trace: DrawnTrace, root: OtlpSpan): void {
  const client = trace.add({ service: 'shop', name: 'POST pay', kind: 'client', parent: root, at: 975, ms: 725 })
  const server = trace.add({
    service: 'pay',
    name: 'charge',
    kind: 'server',
    parent: client,
    at: 980,
    ms: 714,
    attributes: { 'payment.method': 'card', 'payment.amount': 214.9 },
  })
  trace.add({ service: 'pay', name: 'check limits', parent: server, at: 984, ms: 31 })
  trace.add({ service: 'pay', name: 'fraud score', kind: 'client', parent: server, at: 1018, ms: 96 })
  const attempts = [
    [1120, 102],
    [1272, 104],
    [1476, 103],
  ] as const
  attempts.forEach(([at, ms], attempt) => {
    const isLast = attempt === attempts.length - 1
    const failure = isLast ? {} : { error: 'connect ETIMEDOUT 198.51.100.20:443', exception: 'TimeoutError' }
    const bank = trace.add({
      service: 'pay',
      name: 'POST bank',
      kind: 'client',
      parent: server,
      at,
      ms,
      attributes: { 'server.address': 'bank.example', 'http.request.resend_count': attempt },
      ...failure,
    })
    if (!isLast) {
      trace.event(server, at + ms + 6, 'retry', { attempt: attempt + 1, 'backoff.ms': 40 * 2 ** attempt })
      trace.log('pay', bank, {
        at: at + ms - 1,
        severity: 'ERROR',
        body: `bank did not answer in 100 ms, attempt ${attempt + 1} of 3`,
        attributes: { 'bank.host': 'bank.example' },
      })
      return
    }
    const gateway = trace.add({
      service: 'bank',
      name: 'authorize',
      kind: 'server',
      parent: bank,
      at: at + 6,
      ms: ms - 14,
    })
    trace.add({ service: 'bank', name: 'verify card', parent: gateway, at: at + 12, ms: 44 })
  })
  trace.add({
    service: 'pay',
    name: 'INSERT payments',
    kind: 'client',
    parent: server,
    at: 1596,
    ms: 88,
    attributes: { 'db.system.name': 'sqlite' },
  })
}

/** A trace of `count` spans, up to 9 deep, from eight services; one span in two hundred fails. */
export function hugeTrace(startMs: number, count: number): DrawnTrace {
  const random = seeded(count)
  const trace = new DrawnTrace(startMs, random)
  const names = [
    'load page',
    'parse rows',
    'check price',
    'resize image',
    'write index',
    'call tax',
    'merge stock',
    'notify',
  ]
  const services = ['import', 'catalog', 'price', 'image', 'search', 'tax', 'stock', 'mail']
  const root = trace.add({ service: 'import', name: 'import catalog', kind: 'consumer', at: 0, ms: count })
  const open: { span: OtlpSpan; at: number; ms: number; depth: number }[] = [{ span: root, at: 0, ms: count, depth: 0 }]
  for (let made = 1; made < count; made++) {
    const above = open[Math.floor(random() * open.length)]!
    const ms = above.ms * (0.02 + random() * 0.4)
    const at = above.at + random() * (above.ms - ms)
    const which = Math.floor(random() * names.length)
    const failed = random() < 0.005
    const span = trace.add({
      service: services[which]!,
      name: `${names[which]!} ${made % 7}`,
      parent: above.span,
      at,
      ms,
      attributes: { 'row.first': made, 'batch.id': `b${made % 97}` },
      ...(failed && { error: 'row refused' }),
    })
    if (above.depth < 8 && ms > 0.5) open.push({ span, at, ms, depth: above.depth + 1 })
    if (open.length > 400) open.splice(1 + Math.floor(random() * 300), 1)
  }
  return trace
}
