/**
 * Python programs log to the real program in every way that Python has: the package in helpers/python over OTLP and over
 * Forward, the OpenTelemetry SDK's own handler, and plain fluent-logger. What they sent is found by query, field for field.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { pythonWith } from '../support/python.ts'
import { awaitEvents, storedEvents } from '../support/stored-events.ts'

const packages = [
  'opentelemetry-sdk==1.36.0',
  'opentelemetry-exporter-otlp-proto-http==1.36.0',
  'fluent-logger==0.11.1',
]
const environment = pythonWith(packages)
const skip = 'missing' in environment ? environment.missing : false
const source = join(import.meta.dirname, '../../helpers/python/src')

let clew: ServedClew
before(async () => {
  clew = await serveClew()
})
after(() => clew.stop())

/** Runs a program with our package on its path; answers what it printed. */
async function python(program: string, env: Record<string, string> = {}): Promise<string> {
  assert.ok('python' in environment)
  const child = spawn(environment.python, ['-c', program], {
    env: {
      PATH: process.env.PATH,
      PYTHONPATH: source,
      OTLP: clew.otlpUrl,
      FORWARD: `tcp://127.0.0.1:${clew.port('forward')}`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.deepEqual([code, output.stderr], [0, ''])
  return output.stdout.trim()
}

const spans = `
import logging, os
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer('test')
`

test('our handler over OTLP: every field, in the current trace', { skip }, async () => {
  const traceId = await python(`${spans}
from clew_logging import ClewHandler
logging.basicConfig(level=logging.DEBUG, handlers=[ClewHandler(os.environ['OTLP'], service_name='py-otlp')])
with tracer.start_as_current_span('work') as span:
    logging.getLogger('shop.cart').warning('sold %d', 3, extra={'count': 42, 'price': 2.5, 'vip': True, 'tags': ['a', 1], 'nested': {'k': None}})
    try:
        int('x')
    except ValueError:
        logging.getLogger('shop.db').exception('failed')
    context = span.get_span_context()
    print(f'{context.trace_id:032x} {context.span_id:016x}')
`)
  const [trace, span] = traceId.split(' ')
  const [sold, failed] = await awaitEvents(clew.url, { service: 'py-otlp', traceId: trace! }, 2)
  assert.deepEqual(
    [sold!.body, sold!.source.scope, sold!.severityNumber, sold!.severityText, sold!.spanId],
    ['sold 3', 'shop.cart', 13, 'WARNING', span],
  )
  const { attributes } = sold!
  assert.deepEqual(attributes.count, { intValue: '42' })
  assert.deepEqual(attributes.price, { doubleValue: 2.5 })
  assert.deepEqual(attributes.vip, { boolValue: true })
  assert.deepEqual(attributes.tags, { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } })
  assert.deepEqual(attributes.nested, { kvlistValue: { values: [{ key: 'k', value: {} }] } })
  assert.deepEqual(attributes['code.function.name'], { stringValue: '<module>' })
  assert.deepEqual(failed!.attributes['exception.type'], { stringValue: 'ValueError' })
  assert.match(JSON.stringify(failed!.attributes['exception.stacktrace']), /int\('x'\)|ValueError/)
})

test('our handler over Forward: acknowledged, with its trace', { skip }, async () => {
  const traceId = await python(`${spans}
from clew_logging import ClewHandler
handler = ClewHandler(os.environ['FORWARD'], protocol='forward', service_name='py-forward', tag='app.py')
logging.basicConfig(level=logging.INFO, handlers=[handler])
with tracer.start_as_current_span('work') as span:
    for n in range(1000):
        logging.getLogger('shop').error('number %d', n, extra={'n': n})
    print(f'{span.get_span_context().trace_id:032x}')
assert handler.flush(10)
assert handler.stats().sent == 1000, handler.stats()
`)
  const events = await awaitEvents(clew.url, { service: 'py-forward', traceId }, 1000)
  assert.deepEqual(events.map(({ body }) => body).sort(), Array.from({ length: 1000 }, (_, n) => `number ${n}`).sort())
  const [first] = events
  assert.deepEqual(
    [first!.severityNumber, first!.severityText, first!.source.protocol, first!.source.scope],
    [17, 'ERROR', 'forward', 'shop'],
  )
  assert.ok('intValue' in (first!.attributes.n as object))
})

test('a dict given as the message is the body, over both protocols', { skip }, async () => {
  const traceId = await python(`${spans}
from clew_logging import ClewHandler
otlp = ClewHandler(os.environ['OTLP'], service_name='py-dict')
forward = ClewHandler(os.environ['FORWARD'], protocol='forward', service_name='py-dict', tag='app.py')
logging.basicConfig(level=logging.INFO, handlers=[otlp, forward])
with tracer.start_as_current_span('work') as span:
    logging.getLogger('shop').info({'order': 7, 'items': ['tea']})
    print(f'{span.get_span_context().trace_id:032x}')
assert otlp.flush(10) and forward.flush(10)
`)
  const events = await awaitEvents(clew.url, { service: 'py-dict', traceId }, 2)
  assert.deepEqual(events.map(({ source }) => source.protocol).sort(), ['forward', 'otlp'])
  assert.notEqual(events[0]!.body, '')
  assert.deepEqual(events[0]!.body, events[1]!.body)
})

test("the OpenTelemetry SDK's own handler, without our package", { skip }, async () => {
  const traceId = await python(
    `${spans}
import sys
assert not any('clew' in name for name in sys.modules)
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
provider = LoggerProvider()
provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=os.environ['OTLP'] + '/v1/logs')))
# Not by basicConfig, which would give the handler a formatter, and the body its prefix.
logging.getLogger().setLevel(logging.INFO)
logging.getLogger().addHandler(LoggingHandler(logger_provider=provider))
with tracer.start_as_current_span('work') as span:
    logging.getLogger('shop').info('from the SDK', extra={'n': 7})
    print(f'{span.get_span_context().trace_id:032x}')
provider.shutdown()
`,
    { OTEL_SERVICE_NAME: 'py-sdk', PYTHONPATH: '' },
  )
  const [event] = await awaitEvents(clew.url, { service: 'py-sdk', traceId }, 1)
  assert.deepEqual([event!.body, event!.source.scope, event!.severityNumber], ['from the SDK', 'shop', 9])
  assert.deepEqual(event!.attributes.n, { intValue: '7' })
})

test('plain fluent-logger, without our package', { skip }, async () => {
  await python(
    `
import logging, os
from urllib.parse import urlsplit
from fluent import handler
url = urlsplit(os.environ['FORWARD'])
fluent = handler.FluentHandler('legacy.app', host=url.hostname, port=url.port, nanosecond_precision=True)
fluent.setFormatter(handler.FluentRecordFormatter({'level': '%(levelname)s', 'logger': '%(name)s', 'where': '%(module)s'}))
logging.basicConfig(level=logging.INFO, handlers=[fluent])
logging.getLogger('old').warning({'message': 'from fluent', 'service': 'py-fluent', 'n': 7})
fluent.close()
`,
    { PYTHONPATH: '' },
  )
  const [event] = await awaitEvents(clew.url, { service: 'py-fluent' }, 1)
  assert.deepEqual([event!.body, event!.source.scope, event!.severityNumber], ['from fluent', 'old', 13])
  assert.deepEqual(event!.attributes.n, { intValue: '7' })
  assert.deepEqual(event!.attributes['fluent.tag'], { stringValue: 'legacy.app' })
})

test('clew is killed and comes back: the handler loses and doubles nothing', { skip }, async () => {
  const dataDir = temporaryFolder()
  const first = await serveClew(dataDir)
  const port = new URL(first.otlpUrl).port
  const running = python(
    `
import logging, os, time
from clew_logging import ClewHandler
handler = ClewHandler(os.environ['OTLP'], service_name='py-kill', batch_wait_seconds=0.05, report=lambda text: None)
logging.basicConfig(level=logging.INFO, handlers=[handler])
for n in range(600):
    logging.info('record %04d', n)
    time.sleep(0.01)
assert handler.flush(30), handler.stats()
assert handler.stats().dropped == {}, handler.stats()
`,
    { OTLP: first.otlpUrl },
  )
  await sleep(2000)
  await first.stop('SIGKILL')
  await sleep(500)
  const second = await serveClew(dataDir, ['--otlp-http-port', port])
  try {
    await running
    await awaitEvents(second.url, { service: 'py-kill' }, 600)
    const bodies = (await storedEvents(second.url, { service: 'py-kill' })).map(({ body }) => body).sort()
    assert.deepEqual(
      bodies,
      Array.from({ length: 600 }, (_, n) => `record ${String(n).padStart(4, '0')}`),
    )
  } finally {
    await second.stop()
  }
})
