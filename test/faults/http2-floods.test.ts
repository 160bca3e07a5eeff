/** Frames that cost a client little and a server much, on every port that takes HTTP/2 and on those that do not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { answered, endlessHead, flood, grpcHead, rapidResets } from '../support/raw-http2.ts'
import { oneSpan } from '../support/otlp-sample.ts'
import { serveFor } from '../support/served.ts'

const floodSeconds = 10
const growthBytesMax = 200e6
/** Far above what was seen (half a second), far below what a client waits. */
const answerMsMax = 10_000

const head = grpcHead('/opentelemetry.proto.collector.trace.v1.TraceService/Export')
const floods: Readonly<Record<string, () => Iterable<Uint8Array>>> = {
  'rapid reset': () => rapidResets(head, 50_000),
  'endless CONTINUATION': () => endlessHead(head, 10_000),
  PING: () => answered('ping', 200_000),
  SETTINGS: () => answered('settings', 200_000),
}

function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

test('floods of HTTP/2 frames end with their connection, and others are answered meanwhile', async (t) => {
  const clew = await serveFor(t)
  const ports = {
    'otlp/grpc': clew.port('otlp/grpc'),
    'otlp/http': clew.port('otlp/http'),
    'jaeger/grpc': clew.port('jaeger/grpc'),
    zipkin: clew.port('zipkin'),
    ui: Number(new URL(clew.url).port),
  }
  const headers = { 'content-type': 'application/x-protobuf' }
  const send = (): Promise<Response> =>
    fetch(`${clew.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers,
      body: new Uint8Array(oneSpan()),
      signal: AbortSignal.timeout(answerMsMax),
    })
  await send()
  const before = memoryOf(clew.child.pid!)
  for (const [name, port] of Object.entries(ports)) {
    for (const [kind, pieces] of Object.entries(floods)) {
      const [, answer] = await Promise.all([flood(port, pieces(), floodSeconds), send()])
      assert.equal(answer.status, 200, `${kind} to ${name}`)
    }
  }
  const grown = memoryOf(clew.child.pid!) - before
  assert.ok(grown < growthBytesMax, `memory grew by ${Math.round(grown / 1e6)} MB`)
  assert.deepEqual(await clew.stop(), { code: 0, signal: null })
})
