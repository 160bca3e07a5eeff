/** The demo as a person starts it: what its README promises to be found is found through the API. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../../demo/ports.ts'
import { services } from '../../demo/services.ts'
import { faults } from '../../demo/summary.ts'
import type { EventsAnswer, ServicesAnswer, TraceSearchAnswer } from '../../src/api/native/contract.ts'
import { attributesOf, type FlatSpan, flatten, type TracesJson } from './otlp-json.ts'

/** Installing both SDKs comes on top the first time. */
const startTimeoutMs = 300_000
/** The load meets every fault within seconds; the rest is for a machine with other work. */
const findTimeoutMs = 60_000
const stopTimeoutMs = 20_000

let demo: ChildProcess
let output = ''
let api = ''
let ports: number[] = []

before(async () => {
  ports = await freePorts(3)
  const [uiPort, httpPort, grpcPort] = ports.map(String) as [string, string, string]
  api = `http://127.0.0.1:${uiPort}/api/v1`
  const flags = ['--ui-port', uiPort, '--otlp-http-port', httpPort, '--otlp-grpc-port', grpcPort, '--rate', '20']
  demo = spawn(process.execPath, [join(import.meta.dirname, '../../demo/start.ts'), ...flags], { stdio: 'pipe' })
  for (const stream of [demo.stdout!, demo.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const deadline = Date.now() + startTimeoutMs
  while (!output.includes('Ctrl-C stops everything')) {
    assert.equal(demo.exitCode, null, `the demo ended:\n${output}`)
    assert.ok(Date.now() < deadline, `the demo did not start:\n${output}`)
    await sleep(200)
  }
})

after(async () => {
  if (demo.exitCode !== null || demo.signalCode !== null) return
  demo.kill('SIGTERM')
  await once(demo, 'exit')
})

async function get<Answer>(path: string, parameters: Record<string, string> = {}): Promise<Answer> {
  const url = `${api}${path}?${new URLSearchParams(parameters).toString()}`
  const response = await fetch(url)
  assert.equal(response.status, 200, `${url}: ${response.ok ? '' : await response.text()}`)
  return (await response.json()) as Answer
}

const spansOf = async (traceId: string): Promise<FlatSpan[]> => flatten(await get<TracesJson>(`/traces/${traceId}`))

/** Looks again and again for a trace that has what is asked for; fails with what was wrong with the last one seen. */
async function findTrace(
  parameters: Record<string, string>,
  check: (spans: FlatSpan[]) => void | Promise<void>,
): Promise<FlatSpan[]> {
  const deadline = Date.now() + findTimeoutMs
  let fault: unknown = new Error(`no trace for ${JSON.stringify(parameters)}`)
  while (Date.now() < deadline) {
    const { traces } = await get<TraceSearchAnswer>('/traces', parameters)
    for (const { traceId } of traces) {
      const spans = await spansOf(traceId)
      try {
        await check(spans)
        return spans
      } catch (error) {
        fault = error
      }
    }
    await sleep(500)
  }
  throw fault
}

test('every service of both languages sends traces', async () => {
  const expected = services.map(({ name }) => name).sort()
  const deadline = Date.now() + findTimeoutMs
  let names: string[] = []
  while (Date.now() < deadline && names.length < expected.length) {
    names = (await get<ServicesAnswer>('/services')).services.map(({ name }) => name).sort()
    await sleep(500)
  }
  assert.deepEqual(names, expected, output)
})

test('a trace goes from JavaScript to Python and back, joined without a gap', async () => {
  const spans = await findTrace({ service: 'recommendations', operation: 'GET /recommendations/<user>' }, (found) => {
    const named = new Set(found.map((span) => span.service))
    assert.deepEqual([...named].sort(), ['catalog', 'gateway', 'recommendations'])
    const ids = new Set(found.map((span) => span.spanId))
    const roots = found.filter((span) => !ids.has(span.parentSpanId))
    assert.equal(roots.length, 1, 'one root, every other parent within the trace')
    assert.equal(roots[0]?.parentSpanId, '')
  })
  const languages = new Set(spans.map((span) => String(span.resource['telemetry.sdk.language'])))
  assert.deepEqual([...languages].sort(), ['nodejs', 'python'])
  for (const { resource } of spans) {
    assert.equal(resource['service.namespace'], 'shop')
    assert.equal(resource['deployment.environment.name'], 'demo')
    assert.match(String(resource['service.version']), /^\d+\.\d+\.\d+$/)
    assert.match(String(resource['service.instance.id']), /^[0-9a-f-]{36}$/)
    assert.ok(resource['host.name'])
  }
})

test('the N+1 shows as twenty statements under one request', async () => {
  await findTrace({ service: 'catalog', operation: 'GET /products' }, (spans) => {
    const list = spans.find((span) => span.service === 'catalog' && span.name === 'GET /products')
    const statements = spans.filter((span) => span.name === 'SELECT stock' && span.parentSpanId === list?.spanId)
    assert.equal(statements.length, 20)
    assert.equal(statements[0]?.attributes['db.system.name'], 'sqlite')
  })
})

test('the slow query takes nearly all of its request', async () => {
  await findTrace({ service: 'catalog', operation: 'GET /search', minDuration: '50ms' }, (spans) => {
    const query = spans.find((span) => span.name === 'SELECT products reviews')
    const request = spans.find((span) => span.spanId === query?.parentSpanId)
    assert.ok(query !== undefined && request !== undefined)
    assert.ok(query.durationNano * 10n > request.durationNano * 8n, `${query.durationNano} of ${request.durationNano}`)
  })
})

test('the retry storm shows as repeated calls that were refused', async () => {
  await findTrace({ service: 'payment', attribute: 'http.response.status_code=503' }, (spans) => {
    const refused = spans.filter((span) => span.service === 'payment' && span.isError)
    const repeated = spans.filter((span) => Number(span.attributes['http.request.resend_count'] ?? 0) > 0)
    assert.ok(refused.length >= 2, `${refused.length} refused`)
    assert.ok(repeated.length >= 2, `${repeated.length} repeated`)
  })
})

test('an error carries its exception, and its logs are found by the trace', async () => {
  const spans = await findTrace({ service: 'cart', status: 'error' }, (found) => {
    const failed = found.find((span) => span.service === 'cart' && span.isError)
    const exception = attributesOf(failed?.events?.find((event) => event.name === 'exception')?.attributes)
    assert.equal(exception['exception.type'], 'TypeError')
    assert.match(String(exception['exception.stacktrace']), /cart\.js/)
  })
  const { traceId } = spans[0]!
  const { events } = await get<EventsAnswer>('/events', { traceId })
  const record = events.find((event) => event.severityText === 'ERROR' && event.source.service === 'cart')
  assert.ok(record, `no log record of the error among ${JSON.stringify(events)}`)
  assert.match(record.body, /^POST \/carts\/user-\d+\/items failed: /)
  assert.equal(record.traceId, traceId)
  assert.ok(spans.some((span) => span.spanId === record.spanId))
})

test('log records of the Python services carry their trace', async () => {
  const spans = await findTrace({ service: 'accounts', operation: 'POST /login' }, async (found) => {
    const { events } = await get<EventsAnswer>('/events', { traceId: found[0]!.traceId, service: 'accounts' })
    assert.ok(events.some((event) => event.body.endsWith(' logged in') && event.spanId !== ''))
  })
  const statement = spans.find((span) => span.service === 'accounts' && span.name.startsWith('SELECT'))
  assert.equal(statement?.attributes['db.system'] ?? statement?.attributes['db.system.name'], 'sqlite')
})

test('the consumer links to the requests that sent its orders', async () => {
  await findTrace({ service: 'fulfilment', operation: 'process orders.placed' }, async (spans) => {
    const [link] = spans.find((span) => span.name === 'process orders.placed')?.links ?? []
    assert.ok(link)
    const sender = (await spansOf(link.traceId)).find((span) => span.spanId === link.spanId)
    assert.equal(sender?.name, 'send orders.placed')
    assert.equal(sender.service, 'orders')
  })
})

test('every fault is found by the search that the demo links to', async () => {
  for (const { what, search } of faults) {
    const { min, ...others } = search
    assert.ok(output.includes(new URLSearchParams(search).toString()), `no link to the ${what}`)
    await findTrace({ ...others, ...(min !== undefined && { minDuration: min }) }, () => {})
  }
})

test('SIGTERM stops the demo and all that it started', async () => {
  demo.kill('SIGTERM')
  const [code] = (await Promise.race([once(demo, 'exit'), sleep(stopTimeoutMs, ['still running'])])) as unknown[]
  assert.equal(code, 0, output)
  for (const port of ports) assert.equal(await isOpen(port), false, `port ${port} is still open`)
})

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
