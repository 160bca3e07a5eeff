/** The OpenTelemetry SDK for Go, over gRPC and HTTP, plain and compressed, into the running program and back out. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'
import { goProgram } from '../support/go.ts'
import { storedSpans, type FlatSpan } from './otlp-stored.ts'

const client = goProgram(join(import.meta.dirname, 'otlp-go'))
const skip = 'missing' in client && client.missing

let clew: ServedClew

before(async () => {
  clew = await serveClew()
})
after(() => clew?.stop())

/** Runs the client; answers its spans in order of span id. */
async function sendSpans(transport: 'grpc' | 'http', compression: string): Promise<FlatSpan[]> {
  const endpoint = transport === 'http' ? clew.otlpUrl : `http://127.0.0.1:${clew.port('otlp/grpc')}`
  const program = 'program' in client ? client.program : ''
  const { stdout } = await promisify(execFile)(program, [transport, endpoint, compression], { timeout: 60_000 })
  return (JSON.parse(stdout) as FlatSpan[]).sort((a, b) => (a.spanId < b.spanId ? -1 : 1))
}

for (const transport of ['grpc', 'http'] as const) {
  for (const compression of ['none', 'gzip']) {
    test(`spans of Go over ${transport}, ${compression}, come back field for field`, { skip }, async () => {
      const sent = await sendSpans(transport, compression)
      assert.deepEqual(sent.map(({ name }) => name).sort(), ['board', 'stow'])
      assert.deepEqual(await storedSpans(clew.url, sent[0]!.traceId, 2), sent)
    })
  }
}
