/** The OpenTelemetry SDK for Python, over gRPC and HTTP with each compression, into the running program and back out. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'
import { pythonWith } from '../support/python.ts'
import { storedEvents, storedSpans, type FlatSpan } from './otlp-stored.ts'

const python = pythonWith([
  'opentelemetry-sdk==1.45.1',
  'opentelemetry-exporter-otlp-proto-grpc==1.45.1',
  'opentelemetry-exporter-otlp-proto-http==1.45.1',
])
const script = join(import.meta.dirname, 'otlp-client.py')
const skip = 'missing' in python && python.missing

let clew: ServedClew

before(async () => {
  clew = await serveClew()
})
after(() => clew?.stop())

/** Runs the client; answers its spans in order of span id. */
async function sendSpans(transport: 'grpc' | 'http', compression: string): Promise<FlatSpan[]> {
  const endpoint = transport === 'http' ? clew.otlpUrl : `http://127.0.0.1:${clew.port('otlp/grpc')}`
  const interpreter = 'python' in python ? python.python : ''
  const { stdout } = await promisify(execFile)(interpreter, [script, transport, endpoint, compression], {
    timeout: 60_000,
  })
  return (JSON.parse(stdout) as FlatSpan[]).sort((a, b) => (a.spanId < b.spanId ? -1 : 1))
}

for (const transport of ['grpc', 'http'] as const) {
  for (const compression of ['none', 'gzip', 'deflate']) {
    test(`spans and a log record over ${transport}, ${compression}, come back field for field`, { skip }, async () => {
      const sent = await sendSpans(transport, compression)
      assert.equal(sent.length, 2)
      const stored = await storedSpans(clew.url, sent[0]!.traceId, 2)
      // Some releases of the SDK leave the sampled bit out of the flags they send.
      const withoutSampled = (span: FlatSpan): FlatSpan => ({ ...span, flags: span.flags & ~1 })
      assert.deepEqual(stored.map(withoutSampled), sent)
      const events = await storedEvents(clew.url, sent[0]!.traceId, 1)
      const record = events.find(({ body }) => body === 'shelf 4 is empty')
      assert.ok(record !== undefined, `no such record among ${JSON.stringify(events)}`)
      assert.equal(record['severityNumber'], 13)
      assert.equal(record['spanId'], sent.find(({ name }) => name === 'receive')!.spanId)
    })
  }
}
