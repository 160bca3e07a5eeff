/**
 * Made-up traces with the shape of real ones: 40 services in three layers, a log-normal number of spans (median 10, at
 * most 60), server, client, database and internal spans with 8-9 attributes and 5 of the resource, 2 % errors with
 * exceptions. Seeded: the same seed gives the same traces, moved to the window asked for.
 */
import type { Attribute, AttributeValue } from '../../src/model/attributes.ts'
import type { Span } from '../../test/support/otlp-encode.ts'

export interface MadeSpan {
  readonly span: Span
  readonly service: number
  readonly instance: number
}

export interface MadeTrace {
  readonly spans: readonly MadeSpan[]
  readonly user: string
}

const services = Array.from(
  { length: 40 },
  (_, i) =>
    `${['edge', 'shop', 'data', 'core'][i % 4]}-${['cart', 'user', 'order', 'price', 'stock', 'mail', 'search', 'media', 'audit', 'tax'][Math.floor(i / 4)]}`,
)
const nouns = ['items', 'users', 'orders', 'quotes', 'labels', 'assets', 'tokens', 'events']
const methods = ['GET', 'POST', 'PUT', 'DELETE']
const databases = ['postgresql', 'mysql', 'redis', 'mongodb']
const agents = Array.from(
  { length: 8 },
  (_, i) => `Mozilla/5.0 (X11; Linux x86_64) Browser/${100 + i}.0 Safari/537.${i}`,
)

export function serviceName(service: number): string {
  return services[service]!
}

export function resourceOf(service: number, instance: number): Attribute[] {
  return [
    text('service.name', services[service]!),
    text('service.version', `1.${service % 7}.${service % 5}`),
    text('service.instance.id', `${services[service]}-${instance}`),
    text('host.name', `node-${(service * 3 + instance) % 20}.internal`),
    text('deployment.environment.name', 'production'),
  ]
}

export class TraceMaker {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0 || 1
  }

  /** xorshift32. */
  #next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (this.#state = x >>> 0)
  }

  random(): number {
    return this.#next() / 4294967296
  }

  #int(below: number): number {
    return Math.floor(this.random() * below)
  }

  #logNormal(median: number, sigma: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random())
    return median * Math.exp(sigma * normal)
  }

  #id(bytes: number): Uint8Array {
    const id = new Uint8Array(bytes)
    for (let i = 0; i < bytes; i++) id[i] = this.#next() >>> 24
    id[0]! |= 1
    return id
  }

  trace(startNs: bigint, spansMax: number): MadeTrace {
    const size = Math.min(spansMax, 60, Math.max(1, Math.round(this.#logNormal(10, 0.85))))
    const traceId = this.#id(16)
    const user = `u-${this.#int(100_000)}`
    const root = this.#serverSpan({ traceId, parent: undefined, service: this.#int(4), user, start: startNs })
    const spans = [root]
    const open = [root]
    while (spans.length < size) {
      const parent = open[this.#int(open.length)]!
      const length = parent.span.end - parent.span.start
      const start = parent.span.start + BigInt(Math.floor(Number(length) * this.random() * 0.6))
      const at = { traceId, parent: parent.span, user, start }
      const kind = this.random()
      if (kind < 0.5 && spans.length + 2 <= size) {
        const callee = Math.min(39, parent.service + 1 + this.#int(12))
        const client = this.#span(at, {
          service: parent.service,
          instance: parent.instance,
          kind: 3,
          name: 'GET',
          attributes: this.#clientAttributes(callee, user),
        })
        const server = this.#serverSpan({ traceId, parent: client.span, service: callee, user, start: start + 20_000n })
        spans.push(client, server)
        open.push(server)
      } else spans.push(this.#span(at, kind < 0.85 ? this.#query(parent, user) : this.#work(parent, user)))
    }
    return { spans, user }
  }

  #serverSpan(at: {
    traceId: Uint8Array
    parent: Span | undefined
    service: number
    user: string
    start: bigint
  }): MadeSpan {
    const noun = nouns[this.#int(8)]!
    const method = methods[this.#int(4)]!
    const route = `/api/v1/${noun}/{id}`
    const status = this.random() < 0.01 ? 500 : this.random() < 0.03 ? 404 : 200
    const attributes = [
      text('http.request.method', method),
      text('http.route', route),
      text('url.path', route.replace('{id}', String(1_000_000 + this.#int(9_000_000)))),
      int('http.response.status_code', status),
      text('user.id', at.user),
      text('user_agent.original', agents[this.#int(8)]!),
      text('tenant.id', `tenant-${this.#int(200)}`),
      int('http.response.body.size', 200 + this.#int(40_000)),
    ]
    return this.#span(at, {
      service: at.service,
      instance: this.#int(3),
      kind: 2,
      name: `${method} ${route}`,
      attributes,
    })
  }

  #clientAttributes(callee: number, user: string): Attribute[] {
    return [
      text('http.request.method', 'GET'),
      text(
        'url.full',
        `http://${services[callee]}.internal:8080/api/v1/${nouns[this.#int(8)]}/${this.#int(9_000_000)}`,
      ),
      int('http.response.status_code', 200),
      text('server.address', `${services[callee]}.internal`),
      int('server.port', 8080),
      text('user.id', user),
      text('network.protocol.version', '1.1'),
    ]
  }

  #query(parent: MadeSpan, user: string): Shape {
    const table = `${services[parent.service]!.replace('-', '_')}_${nouns[this.#int(8)]}`
    const attributes = [
      text('db.system', databases[parent.service % 4]!),
      text('db.namespace', services[parent.service]!),
      text('db.operation.name', 'SELECT'),
      text('db.collection.name', table),
      text(
        'db.query.text',
        `SELECT id, name, status, created_at FROM ${table} WHERE id = $1 AND tenant_id = $2 LIMIT 1`,
      ),
      text('server.address', `${databases[parent.service % 4]}-${parent.service % 6}.internal`),
      int('server.port', 5432),
      text('user.id', user),
      int('db.response.returned_rows', this.#int(50)),
    ]
    return { service: parent.service, instance: parent.instance, kind: 3, name: `SELECT ${table}`, attributes }
  }

  #work(parent: MadeSpan, user: string): Shape {
    const attributes = [
      text('code.function.name', `${services[parent.service]}.validate`),
      int('thread.id', 1 + this.#int(64)),
      text('thread.name', `worker-${this.#int(64)}`),
      text('feature.flag', `flag-${this.#int(30)}`),
      text('user.id', user),
      { key: 'cache.hit', value: { type: 'bool', value: this.random() < 0.7 } as AttributeValue },
    ]
    return {
      service: parent.service,
      instance: parent.instance,
      kind: 1,
      name: `${services[parent.service]}.validate`,
      attributes,
    }
  }

  #span(at: { traceId: Uint8Array; parent: Span | undefined; start: bigint }, shape: Shape): MadeSpan {
    const room = at.parent === undefined ? Infinity : Number(at.parent.end - at.start) * 0.95
    const length = BigInt(Math.max(1000, Math.floor(Math.min(room, this.#logNormal(30, 0.9) * 1e6))))
    const failed = this.random() < 0.02
    const end = at.start + length
    const span: Span = {
      traceId: at.traceId,
      spanId: this.#id(8),
      traceState: '',
      parentSpanId: at.parent?.spanId ?? new Uint8Array(0),
      flags: 1,
      name: shape.name,
      kind: shape.kind,
      start: at.start,
      end,
      attributes: shape.attributes,
      droppedAttributes: 0,
      events: failed ? [exceptionAt(end)] : [],
      droppedEvents: 0,
      links: [],
      droppedLinks: 0,
      status: failed ? { code: 2, message: 'request timed out' } : { code: 0, message: '' },
    }
    return { span, service: shape.service, instance: shape.instance }
  }
}

interface Shape {
  readonly service: number
  readonly instance: number
  readonly kind: number
  readonly name: string
  readonly attributes: readonly Attribute[]
}

const stack = Array.from(
  { length: 6 },
  (_, i) => `\tat com.example.Handler${i}.handle(Handler${i}.java:${40 + i})`,
).join('\n')

function exceptionAt(time: bigint): Span['events'][number] {
  const attributes = [
    text('exception.type', 'TimeoutException'),
    text('exception.message', 'request timed out after 3000 ms'),
    text('exception.stacktrace', stack),
  ]
  return { time, name: 'exception', attributes, dropped: 0 }
}

function text(key: string, value: string): Attribute {
  return { key, value: { type: 'string', value } }
}

function int(key: string, value: number): Attribute {
  return { key, value: { type: 'int', value: BigInt(value) } }
}
