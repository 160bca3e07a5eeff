import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otlpLogsJson } from '../codec/otlp/logs-json.ts'
import { otlpTracesJson } from '../codec/otlp/traces-json.ts'
import type { Batch } from '../codec/codec.ts'
import { FarTimes, otherServices } from './far-times.ts'

const nowMs = Date.UTC(2026, 0, 10)
const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Spans of a service, at times in milliseconds. */
function spansOf(service: string, ...timesMs: number[]): Batch {
  const spans = timesMs.map((ms, i) => ({
    traceId: 'a1',
    spanId: `b${i}`,
    startTimeUnixNano: `${BigInt(ms) * 1_000_000n}`,
  }))
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] }
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
  return otlpTracesJson.decode(Buffer.from(body), { receivedAtMs: nowMs }).batch
}

test('rows before the retention and in the future are counted by service, with the newest time', () => {
  const far = new FarTimes({ spansMs: 7 * dayMs, eventsMs: dayMs })
  const old = spansOf('clock', 0, nowMs / 1000, nowMs - 8 * dayMs, nowMs - 6 * dayMs, nowMs + hourMs)
  assert.deepEqual(far.look('otlp/http', old, nowMs, false), { beforeRetention: 3, ahead: 1 })
  assert.deepEqual(far.look('otlp/http', spansOf('good', nowMs, nowMs + 60_000), nowMs, false), {
    beforeRetention: 0,
    ahead: 0,
  })
  // A client's retry gets the same answer and is counted once.
  assert.deepEqual(far.look('otlp/http', old, nowMs + 1, true), { beforeRetention: 3, ahead: 1 })
  assert.deepEqual(
    far.all().map(({ service, kind, count, newestNs, lastAtMs }) => [service, kind, count, newestNs, lastAtMs]),
    [
      ['clock', 'before_retention', 3, BigInt(nowMs - 8 * dayMs) * 1_000_000n, nowMs],
      ['clock', 'ahead', 1, BigInt(nowMs + hourMs) * 1_000_000n, nowMs],
    ],
  )
})

test('events have their own retention, and without retention no row is too old', () => {
  const record = { timeUnixNano: `${BigInt(nowMs - 2 * dayMs) * 1_000_000n}` }
  const body = Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }))
  const { batch } = otlpLogsJson.decode(body, { receivedAtMs: nowMs })
  const look = (eventsMs: number): number =>
    new FarTimes({ spansMs: 0, eventsMs }).look('otlp/http', batch, nowMs, false).beforeRetention
  assert.deepEqual([look(dayMs), look(7 * dayMs), look(0)], [1, 0, 0])
})

test('services past the limit are counted together', () => {
  const far = new FarTimes({ spansMs: dayMs, eventsMs: dayMs })
  for (let i = 0; i < 300; i++) far.look('zipkin', spansOf(`s${i}`, 5), nowMs, false)
  assert.equal(far.all().length, 201)
  assert.deepEqual([far.all()[0]!.service, far.all()[0]!.count], [otherServices, 100])
})
