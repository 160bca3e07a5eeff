/** A trace can be read the moment it was acknowledged, while the store stores nothing, and is the same once it does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { otlpTracesJson } from '../../src/codec/otlp/traces-json.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { spanRowsOf } from '../support/batch-rows.ts'
import { encodeTraces, type Request, type Span } from '../support/otlp-encode.ts'
import { serveClew, temporaryFolder } from './clew-process.ts'
import { spansById } from './shop-trace.ts'

const attributes = [
  { key: 'http.request.method', value: { type: 'string', value: 'GET' } },
  { key: 'try', value: { type: 'int', value: 3n } },
  { key: 'ratio', value: { type: 'double', value: 1 } },
  { key: 'tags', value: { type: 'array', value: [{ type: 'bool', value: true }] } },
] as const

function traceOf(trace: number, count: number): Request<Span>[] {
  const origin = {
    attributes: [{ key: 'service.name', value: { type: 'string', value: 'shop' } }],
    dropped: 0,
    schemaUrl: '',
  } as const
  const start = BigInt(Date.now()) * 1_000_000n
  return Array.from({ length: count }, (_, i): Request<Span> => {
    const span: Span = {
      traceId: Buffer.alloc(16, trace),
      spanId: Buffer.alloc(8, i + 1),
      parentSpanId: i === 0 ? Buffer.alloc(0) : Buffer.alloc(8, i),
      traceState: 'a=b',
      flags: 1,
      name: `call ${i}`,
      kind: 2,
      start: start + BigInt(i),
      end: start + 5_000_000n,
      attributes,
      droppedAttributes: i,
      events: [{ time: start, name: 'tried', attributes, dropped: 1 }],
      droppedEvents: 0,
      links: [
        { traceId: Buffer.alloc(16, 7), spanId: Buffer.alloc(8, 7), traceState: '', attributes, dropped: 0, flags: 0 },
      ],
      droppedLinks: 0,
      status: { code: 2, message: 'refused' },
    }
    return {
      resources: [{ resource: origin, scopes: [{ scope: { ...origin, name: 'lib', version: '1' }, rows: [span] }] }],
    }
  })
}

test('a trace is readable at once after it was acknowledged, and the same from the store after a restart', async () => {
  const dataDir = temporaryFolder()
  // No block is inserted before a minute has passed.
  const clew = await serveClew(dataDir, ['--writer-block-wait', '1m'])
  const documents = new Map<string, string>()
  try {
    for (let trace = 1; trace <= 5; trace++) {
      for (const request of traceOf(trace, 4)) {
        const headers = { 'content-type': 'application/x-protobuf' }
        const sent = await fetch(`${clew.otlpUrl}/v1/traces`, { method: 'POST', headers, body: encodeTraces(request) })
        assert.equal(sent.status, 200)
      }
      const acknowledgedAt = performance.now()
      const traceId = Buffer.alloc(16, trace).toString('hex')
      const answer = await fetch(`${clew.url}/api/v1/traces/${traceId}`)
      assert.equal(answer.status, 200)
      const document = await answer.text()
      const lastedMs = performance.now() - acknowledgedAt
      assert.ok(lastedMs < 100 || trace === 1, `${lastedMs} ms`)
      documents.set(traceId, document)
      const { batch } = otlpTracesJson.decode(Buffer.from(document), { receivedAtMs: 0 })
      assert.deepEqual(
        spanRowsOf(batch as SpanBatch).map(({ name, attributes: each }) => ({ name, each })),
        [0, 1, 2, 3].map((i) => ({ name: `call ${i}`, each: attributes })),
      )
    }
    await sleep(1500) // figures of the store are read once a second
    const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { stored: { spans: number } }
    assert.equal(status.stored.spans, 0, 'the store has nothing yet')
  } finally {
    assert.equal((await clew.stop()).code, 0)
  }
  const again = await serveClew(dataDir)
  try {
    for (const [traceId, document] of documents) {
      const stored = await (await fetch(`${again.url}/api/v1/traces/${traceId}`)).text()
      assert.deepEqual(sortedSpans(stored), sortedSpans(document))
    }
    const metrics = await (await fetch(`${again.url}/metrics`)).text()
    assert.match(metrics, /^clew_fresh_answers_total 0$/m, 'the store answered')
  } finally {
    await again.stop()
  }
})

/** Attributes in one order: the store gives dedicated ones first. */
function sortedSpans(document: string): unknown {
  return JSON.parse(
    JSON.stringify([...spansById(document)], (key, value: unknown) =>
      key === 'attributes' && Array.isArray(value)
        ? (value as { key: string }[]).toSorted((a, b) => (a.key < b.key ? -1 : 1))
        : value,
    ),
  )
}
