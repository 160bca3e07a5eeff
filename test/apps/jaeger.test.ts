/**
 * Jaeger's clients send to the real program; what they sent is found by query, field for field. The one for JavaScript
 * speaks binary thrift over UDP and HTTP, the one for Python compact thrift over UDP.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { pythonWith } from '../support/python.ts'
import { storedTrace, traceIdsOf, type StoredSpan } from '../support/stored-trace.ts'

/** The part of the client that is used here; it comes without types. */
interface JaegerSpan {
  context(): { traceIdStr: string; spanIdStr: string; isSampled(): boolean }
  setTag(key: string, value: unknown): void
  log(fields: Record<string, unknown>): void
  finish(): void
}
interface JaegerTracer {
  startSpan(name: string, options?: object): JaegerSpan
  close(done: () => void): void
}
const require = createRequire(import.meta.url)
const { initTracer, opentracing } = require('jaeger-client') as {
  initTracer: (config: object, options: object) => JaegerTracer
  opentracing: { Reference: new (type: string, context: object) => object; REFERENCE_FOLLOWS_FROM: string }
}

const strategies = join(temporaryFolder(), 'strategies.json')
const writeStrategies = (param: number): void =>
  writeFileSync(
    strategies,
    JSON.stringify({ service_strategies: [{ service: 'sampled', type: 'probabilistic', param }] }),
  )

let clew: ServedClew
before(async () => {
  writeStrategies(0)
  clew = await serveClew(undefined, ['--jaeger-sampling-file', strategies])
})
after(() => clew.stop())

const everything = { type: 'const', param: 1 }

function tracerOf(
  service: string,
  reporter: object,
  sampler: object = everything,
): { tracer: JaegerTracer; errors: string[] } {
  const errors: string[] = []
  const logger = { info: () => undefined, error: (message: string) => void errors.push(message) }
  const config = { serviceName: service, sampler, reporter: { flushIntervalMs: 50, ...reporter } }
  return { tracer: initTracer(config, { logger, tags: { region: 'eu', cores: 4 } }), errors }
}

const closed = (tracer: JaegerTracer): Promise<void> => new Promise((resolve) => tracer.close(resolve))

/** A server span, its failing child, and a span that follows from the child; answers them in this order. */
function trace(tracer: JaegerTracer): JaegerSpan[] {
  const root = tracer.startSpan('root', {
    tags: { 'span.kind': 'server', attempts: 3, ratio: 0.5, cold: false, text: 'grüß' },
  })
  root.log({ event: 'cache miss', key: 'k' })
  const child = tracer.startSpan('child', { childOf: root.context() })
  child.setTag('error', true)
  child.finish()
  const follows = new opentracing.Reference(opentracing.REFERENCE_FOLLOWS_FROM, child.context())
  const follower = tracer.startSpan('follower', { references: [follows] })
  follower.finish()
  root.finish()
  return [root, child, follower]
}

async function checkTrace(service: string, sent: readonly JaegerSpan[], begunNano: bigint): Promise<void> {
  const [root, child, follower] = sent.map((span) => span.context())
  const spans = await storedTrace(clew.url, root!.traceIdStr.padStart(32, '0'), 3)
  const found = (context: typeof root): StoredSpan =>
    spans.find((span) => span.spanId === context!.spanIdStr.padStart(16, '0'))!
  for (const span of spans) {
    assert.equal(span.resource['service.name'], service)
    assert.equal(span.resource['region'], 'eu')
    assert.equal(typeof span.resource['host.name'], 'string')
    assert.match(String(span.resource['jaeger.version']), /^Node-/)
    assert.ok(span.startTimeUnixNano >= begunNano - 1_000_000n && span.endTimeUnixNano >= span.startTimeUnixNano)
  }
  assert.deepEqual([found(root).name, found(root).kind, found(root).parentSpanId], ['root', 2, ''])
  const { attempts, ratio, cold, text } = found(root).attributes
  assert.deepEqual(
    { attempts: Number(attempts), ratio, cold, text },
    { attempts: 3, ratio: 0.5, cold: false, text: 'grüß' },
  )
  assert.deepEqual(
    found(root).events.map(({ name, attributes }) => [name, attributes]),
    [['cache miss', { key: 'k' }]],
  )
  assert.deepEqual([found(child).parentSpanId, found(child).status.code], [found(root).spanId, 2])
  assert.deepEqual(
    found(follower).links.map((link) => [link.spanId, link.attributes['opentracing.ref_type']]),
    [[found(child).spanId, 'follows_from']],
  )
}

test('spans of the client over UDP are found field for field', async () => {
  const { tracer, errors } = tracerOf('udp driver', { agentHost: '127.0.0.1', agentPort: clew.port('jaeger/binary') })
  const begun = BigInt(Date.now()) * 1_000_000n
  const sent = trace(tracer)
  await closed(tracer)
  assert.deepEqual(errors, [])
  await checkTrace('udp driver', sent, begun)
})

test('spans of the client over HTTP are found field for field', async () => {
  const collectorEndpoint = `http://127.0.0.1:${clew.port('jaeger/http')}/api/traces`
  const { tracer, errors } = tracerOf('http driver', { collectorEndpoint })
  const begun = BigInt(Date.now()) * 1_000_000n
  const sent = trace(tracer)
  await closed(tracer)
  assert.deepEqual(errors, [])
  await checkTrace('http driver', sent, begun)
  assert.equal((await traceIdsOf(clew.url, 'http driver', 1)).length, 1)
})

test('the client follows the sampling strategies, also when their file changes', async () => {
  const sampler = {
    type: 'remote',
    param: 1,
    host: '127.0.0.1',
    port: clew.port('jaeger/sampling'),
    refreshIntervalMs: 100,
  }
  const { tracer } = tracerOf('sampled', { agentHost: '127.0.0.1', agentPort: clew.port('jaeger/binary') }, sampler)
  const isSampled = (): boolean => {
    const span = tracer.startSpan('probe')
    return span.context().isSampled()
  }
  const until = async (wanted: boolean): Promise<void> => {
    for (let round = 0; round < 100 && isSampled() !== wanted; round++) await sleep(50)
    assert.equal(isSampled(), wanted)
  }
  await until(false)
  writeStrategies(1)
  await until(true)
  await closed(tracer)
})

const python = pythonWith(['jaeger-client==4.8.0', 'six'])

test(
  'spans of the Python client in compact thrift are found field for field',
  { skip: 'missing' in python && python.missing },
  async () => {
    if ('missing' in python) return
    const script = join(import.meta.dirname, 'jaeger-client.py')
    const { stdout, stderr, status } = spawnSync(python.python, [script, String(clew.port('jaeger/compact'))], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.equal(status, 0, stderr)
    const [traceId, rootId, childId] = stdout.trim().split(' ')
    const spans = await storedTrace(clew.url, traceId!, 2)
    const root = spans.find((span) => span.spanId === rootId)!
    const child = spans.find((span) => span.spanId === childId)!
    assert.equal(root.resource['service.name'], 'python-driver')
    assert.equal(root.resource['region'], 'eu')
    assert.deepEqual([root.name, root.kind, root.parentSpanId], ['compact root', 2, ''])
    assert.deepEqual([root.attributes['attempts'], root.attributes['ratio'], root.attributes['cold']], [3n, 0.5, false])
    assert.deepEqual(
      root.events.map(({ name, attributes }) => [name, attributes]),
      [['cache miss', { key: 'grüß' }]],
    )
    assert.deepEqual([child.name, child.parentSpanId, child.status.code], ['compact child', rootId, 2])
  },
)
