import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otlpTracesJson } from '../codec/otlp/traces-json.ts'
import { IntakeCounters } from '../capture/counters.ts'
import { FarTimes } from '../capture/far-times.ts'
import { unseenLines } from '../cli/doctor/unseen.ts'
import { senderProblems, type SenderSources } from './sender-problems.ts'

const nowMs = Date.UTC(2026, 0, 10)
const retention = { spansMs: 7 * 86_400_000, eventsMs: 7 * 86_400_000, maxBytes: 0 }

function sources(): SenderSources & { readonly farTimes: FarTimes; readonly counters: IntakeCounters } {
  return { config: { retention }, farTimes: new FarTimes(retention), counters: new IntakeCounters() }
}

function look({ farTimes }: SenderSources, service: string, timeMs: number): void {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] }
  const spans = [{ traceId: 'a1', spanId: 'b1', startTimeUnixNano: `${BigInt(timeMs) * 1_000_000n}` }]
  const body = Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }))
  farTimes.look('otlp/http', otlpTracesJson.decode(body, { receivedAtMs: nowMs }).batch, nowMs, false)
}

test('clocks far off are reported with service, protocol, count and newest time, for an hour', () => {
  const all = sources()
  for (const service of ['a', 'a', 'b', 'c', 'd']) look(all, service, 1000)
  look(all, 'e', nowMs + 3_600_000)
  const [old, ahead, ...others] = senderProblems(all, nowMs + 1000)
  assert.equal(old!.code, 'times_before_retention')
  assert.match(
    old!.message,
    /^5 spans have times before the retention of 7d and are removed within minutes \(2 of service a by otlp\/http, newest 1970-01-01T00:00:01/,
  )
  assert.match(old!.message, /; and of 1 more\)$/)
  assert.equal(ahead!.code, 'times_ahead')
  assert.match(ahead!.message, /^1 spans have times in the future.*service e.*newest 2026-01-10T01:00:00/)
  assert.deepEqual(others, [])
  assert.deepEqual(senderProblems(all, nowMs + 3_600_001), [])
})

test('clients at the wrong port are reported with the answer that they got', () => {
  const all = sources()
  all.counters.countWrongClient('otlp/grpc', new Error('send OTLP over HTTP to port 4318'))
  all.counters.countWrongClient('otlp/grpc', new Error('send OTLP over HTTP to port 4318'))
  const message = 'otlp/grpc got 2 connections that speak something else: send OTLP over HTTP to port 4318'
  assert.deepEqual(senderProblems(all), [{ code: 'wrong_port', message }])
})

test('the doctor has a section on data that was sent but cannot be seen', () => {
  const all = sources()
  look(all, 'plc', 5)
  all.counters.countWrongClient('otlp/grpc', new Error('HTTP/1 came'))
  const counts = all.counters.of('zipkin', 'spans')
  counts.rejected = 3
  counts.lastError = 'id is missing'
  const farOff = all.farTimes.all().map((far) => ({ ...far, newest: '1970-01-01T00:00:00.005Z' }))
  const text = unseenLines({ farOff, received: all.counters.all() }).join('\n')
  assert.match(text, /sent but not to be seen/)
  assert.match(text, /plc +otlp\/http spans +1 +times before the retention, removed within minutes/)
  assert.match(text, /- +otlp\/grpc spans +1 +requests or connections that could not be read; last error: HTTP\/1 came/)
  assert.match(text, /- +zipkin spans +3 +rejected as wrong; last error: id is missing/)
  assert.deepEqual(unseenLines({ farOff: [], received: [] }), [])
})
