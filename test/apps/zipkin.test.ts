/** The Zipkin client for JavaScript sends to the real program; what it sent is found by query, field for field. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  Annotation,
  BatchRecorder,
  ExplicitContext,
  InetAddress,
  jsonEncoder,
  TraceId,
  Tracer,
  type JsonEncoder,
} from 'zipkin'
import { HttpLogger } from 'zipkin-transport-http'
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'
import { storedTrace, traceIdsOf } from '../support/stored-trace.ts'

let clew: ServedClew
let base: string
before(async () => {
  clew = await serveClew()
  base = `http://127.0.0.1:${clew.port('zipkin')}`
})
after(() => clew.stop())

interface Sender {
  readonly tracer: Tracer
  /** What the client was told that it did not expect. */
  readonly errors: unknown[]
}

function senderOf(service: string, endpoint: string, encoder: JsonEncoder): Sender {
  const errors: unknown[] = []
  const log = { error: (...args: unknown[]) => void errors.push(...args) }
  const logger = new HttpLogger({ endpoint, jsonEncoder: encoder, httpInterval: 50, log })
  const recorder = new BatchRecorder({ logger })
  const options = { ctxImpl: new ExplicitContext(), recorder, localServiceName: service, defaultTags: { region: 'eu' } }
  return { tracer: new Tracer(options), errors }
}

/** A client span in `web` and, with the same span id, its server span in `api`; answers their id. */
function callOnce(web: Tracer, api: Tracer): TraceId {
  const id = web.createRootId()
  web.letId(id, () => {
    web.recordServiceName('web')
    web.recordRpc('GET /Orders')
    web.recordBinary('http.path', '/orders/7')
    web.recordAnnotation(new Annotation.ClientSend())
    web.recordMessage('retrying')
    web.recordAnnotation(
      new Annotation.ServerAddr({ serviceName: 'api', host: new InetAddress('10.1.2.3'), port: 8080 }),
    )
  })
  const { traceId, spanId, sampled } = id
  api.letId(new TraceId({ traceId, spanId, sampled, shared: true }), () => {
    api.recordServiceName('api')
    api.recordRpc('GET /Orders')
    api.recordAnnotation(new Annotation.ServerRecv())
    api.recordBinary('error', 'no such order')
    api.recordAnnotation(new Annotation.ServerSend())
  })
  web.letId(id, () => web.recordAnnotation(new Annotation.ClientRecv()))
  return id
}

for (const [version, encoder] of [
  ['v2', jsonEncoder.JSON_V2],
  ['v1', jsonEncoder.JSON_V1],
] as const) {
  test(`spans of the client in JSON ${version} are found field for field`, async () => {
    const endpoint = `${base}/api/${version}/spans`
    const [web, api] = [senderOf('web', endpoint, encoder), senderOf('api', endpoint, encoder)]
    const begun = BigInt(Date.now()) * 1_000_000n
    const id = callOnce(web.tracer, api.tracer)
    const traceId = id.traceId.padStart(32, '0')
    const spans = await storedTrace(clew.url, traceId, 2)
    assert.deepEqual([...web.errors, ...api.errors], [])
    const client = spans.find((span) => span.kind === 3)!
    const server = spans.find((span) => span.kind === 2)!
    for (const span of spans) {
      assert.deepEqual([span.traceId, span.spanId, span.parentSpanId], [traceId, id.spanId, ''])
      assert.ok(
        span.startTimeUnixNano >= begun - 1_000_000n && span.endTimeUnixNano <= BigInt(Date.now() + 1) * 1_000_000n,
      )
      assert.equal(span.attributes['region'], 'eu')
    }
    assert.equal(client.name.toLowerCase(), 'get /orders')
    assert.deepEqual(client.resource, { 'service.name': 'web' })
    assert.equal(client.attributes['http.path'], '/orders/7')
    assert.equal(client.attributes['peer.service'], 'api')
    assert.equal(client.attributes['network.peer.port'], 8080n)
    assert.deepEqual(
      client.events.map((event) => event.name),
      ['retrying'],
    )
    assert.deepEqual(server.resource, { 'service.name': 'api' })
    assert.equal(server.attributes['zipkin.shared'], true)
    assert.equal(server.attributes['error'], 'no such order')
    assert.deepEqual(server.status, { code: 2, message: 'no such order' })
  })
}

test('they are found by service', async () => {
  assert.equal((await traceIdsOf(clew.url, 'api', 2)).length, 2)
})
