/**
 * Many small requests: connections that each send one span at a time, as fast as they are told to, for some minutes.
 * What matters: the answer's median, and that the number of the store's parts stays bounded.
 *
 *   node bench/steady/run.ts [--minutes 10] [--connections 50] [--pause-ms 20]
 *
 * Prints a JSON line every half minute and a summary.
 */
import http from 'node:http'
import { parseArgs } from 'node:util'
import { encodeTraces } from '../../test/support/otlp-encode.ts'
import { resourceOf, TraceMaker } from '../load/traces.ts'
import { startClew } from '../support/clew.ts'
import { percentile } from '../support/load.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    connections: { type: 'string', default: '50' },
    'pause-ms': { type: 'string', default: '20' },
  },
})
const endMs = Date.now() + Number(values.minutes) * 60_000
const clew = await startClew()
const url = `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(values.connections) })
let latencies: number[] = []
const all: number[] = []
let failures = 0
const partsSeen: number[] = []

async function client(seed: number): Promise<void> {
  const maker = new TraceMaker(seed)
  while (Date.now() < endMs) {
    const { span, service, instance } = maker.trace(BigInt(Date.now()) * 1_000_000n, 1).spans[0]!
    const resource = { attributes: resourceOf(service, instance), dropped: 0, schemaUrl: '' }
    const scope = { name: 'bench', version: '', attributes: [], dropped: 0, schemaUrl: '' }
    const body = encodeTraces({ resources: [{ resource, scopes: [{ scope, rows: [span] }] }] })
    const started = performance.now()
    if ((await post(body)) !== 200) failures++
    latencies.push(performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, Number(values['pause-ms'])))
  }
}

function post(body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
    http
      .request(url, { method: 'POST', agent, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!))
      })
      .on('error', reject)
      .end(body)
  })
}

async function report(): Promise<void> {
  const sorted = latencies.sort((a, b) => a - b)
  latencies = []
  for (const value of sorted) all.push(value)
  const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as {
    stored: { parts: number; spans: number }
  }
  partsSeen.push(status.stored.parts)
  const figures = {
    requests: sorted.length,
    p50: +percentile(sorted, 0.5).toFixed(2),
    p99: +percentile(sorted, 0.99).toFixed(2),
  }
  console.log(
    JSON.stringify({
      ...figures,
      parts: status.stored.parts,
      spans: status.stored.spans,
      rssMb: Math.round(clew.memory().rss / 1e6),
    }),
  )
}

const timer = setInterval(() => void report(), 30_000)
try {
  await Promise.all(Array.from({ length: Number(values.connections) }, (_, i) => client(i + 1)))
  clearInterval(timer)
  await report()
  all.sort((a, b) => a - b)
  const cpu = +(clew.cpuSeconds() / Number(values.minutes) / 60).toFixed(3)
  console.log(
    JSON.stringify({
      requests: all.length,
      failures,
      p50: +percentile(all, 0.5).toFixed(2),
      p99: +percentile(all, 0.99).toFixed(2),
      partsMax: Math.max(...partsSeen),
      cores: cpu,
    }),
  )
} finally {
  clearInterval(timer)
  agent.destroy()
  await clew.stop()
}
