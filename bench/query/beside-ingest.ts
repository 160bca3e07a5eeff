/**
 * How long lists take while spans of now come in: medians and 90th percentiles of whole HTTP requests beside a search, asked
 * in turn with pauses, so that new rows were stored before most of them.
 *
 *   node bench/query/beside-ingest.ts [--rate 20000] [--seconds 60]
 *
 * Making the spans takes about as much of the machine as storing them: look at the rate that was reached.
 */
import http from 'node:http'
import { parseArgs } from 'node:util'
import { encodeTraces } from '../../test/support/otlp-encode.ts'
import { resourceOf, TraceMaker, type MadeSpan } from '../load/traces.ts'
import { startClew } from '../support/clew.ts'
import { percentile } from '../support/load.ts'

const { values } = parseArgs({
  options: { rate: { type: 'string', default: '20000' }, seconds: { type: 'string', default: '60' } },
})
const rate = Number(values.rate)
const seconds = Number(values.seconds)
const perBody = 1000

const questions = [
  ['ready (the floor)', () => '/ready'],
  ['service, limit 20', () => `/api/v1/traces?service=edge-cart&limit=20`],
  ['services', () => `/api/v1/services?start=${Date.now() - 3_600_000}`],
  ['operations', () => `/api/v1/services/edge-cart/operations?start=${Date.now() - 3_600_000}`],
  ['attribute keys', () => `/api/v1/attributes?start=${Date.now() - 3_600_000}`],
  ['dependencies', () => `/api/v1/dependencies?start=${Date.now() - 3_600_000}`],
] as const

const clew = await startClew()
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
const times = new Map<string, number[]>(questions.map(([name]) => [name, []]))
let sent = 0
try {
  const endMs = Date.now() + seconds * 1000
  await Promise.all([send(endMs), ask(endMs)])
  for (const [name, list] of times) {
    const sorted = list.sort((a, b) => a - b)
    const figure = (share: number): number => +percentile(sorted, share).toFixed(1)
    console.log(JSON.stringify({ name, p50: figure(0.5), p90: figure(0.9), asked: sorted.length }))
  }
  console.log(JSON.stringify({ spansPerSecond: Math.round(sent / seconds), cpuSeconds: clew.cpuSeconds() }))
} finally {
  agent.destroy()
  await clew.stop()
}

async function send(endMs: number): Promise<void> {
  const maker = new TraceMaker(1)
  const startedMs = Date.now()
  while (Date.now() < endMs) {
    const spans: MadeSpan[] = []
    while (spans.length < perBody) spans.push(...maker.trace(BigInt(Date.now() - 500) * 1_000_000n, perBody).spans)
    await request('POST', `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`, bodyOf(spans))
    sent += spans.length
    const aheadMs = startedMs + (sent / rate) * 1000 - Date.now()
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs))
  }
}

function bodyOf(spans: readonly MadeSpan[]): Buffer {
  const scope = { name: 'bench', version: '', attributes: [], dropped: 0, schemaUrl: '' }
  const resources = [...Map.groupBy(spans, ({ service, instance }) => `${service}/${instance}`).values()].map(
    (group) => ({
      resource: { attributes: resourceOf(group[0]!.service, group[0]!.instance), dropped: 0, schemaUrl: '' },
      scopes: [{ scope, rows: group.map(({ span }) => span) }],
    }),
  )
  return Buffer.from(encodeTraces({ resources }))
}

async function ask(endMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5000))
  while (Date.now() < endMs) {
    for (const [name, pathOf] of questions) {
      const started = performance.now()
      await request('GET', clew.url + pathOf())
      times.get(name)!.push(performance.now() - started)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
}

function request(method: string, address: string, body?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/x-protobuf' }
    http
      .request(address, { method, agent, headers }, (response) => {
        response.resume().on('end', () => {
          if (response.statusCode === 200) resolve()
          else reject(new Error(`${address}: ${response.statusCode}`))
        })
      })
      .on('error', reject)
      .end(body)
  })
}
