/**
 * Mixed abuse beside ordinary load: the same load once alone (a tenth of the time, a minute at least) and then beside attacks
 * that follow each other without a pause. What matters: everything acknowledged is stored, the 99th percentile of the load's
 * answers is at most twice that of the quiet phase, and memory stays bounded.
 *
 *   node bench/abuse/run.ts [--minutes 60] [--rate 20000]
 *
 * Prints a JSON line every half minute, a line an attack, and a summary; ends with 1 when something acknowledged is not stored.
 */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { encodeTraces } from '../../test/support/otlp-encode.ts'
import { resourceOf, TraceMaker, type MadeSpan } from '../load/traces.ts'
import { startClew } from '../support/clew.ts'
import { percentile } from '../support/load.ts'
import { attacks, type Answers } from './attacks.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, rate: { type: 'string', default: '20000' } },
})
const totalMs = Number(values.minutes) * 60_000
const quietMs = Math.min(totalMs / 3, Math.max(60_000, totalMs / 10))
const spansPerRequest = 1000
const everyMs = (spansPerRequest / Number(values.rate)) * 1000

const clew = await startClew()
const url = `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 })

/** Encoded once; before each sending the trace ids are made new in place, so that the load costs the machine little. */
interface Body {
  readonly bytes: Buffer
  readonly idPlaces: readonly number[][]
}

function makeBody(seed: number): Body {
  const maker = new TraceMaker(seed)
  const made: MadeSpan[] = []
  const now = BigInt(Date.now()) * 1_000_000n
  while (made.length < spansPerRequest) made.push(...maker.trace(now, spansPerRequest - made.length).spans)
  const scope = { name: 'bench', version: '1.0', attributes: [], dropped: 0, schemaUrl: '' }
  const bytes = encodeTraces({
    resources: made.map(({ span, service, instance }) => ({
      resource: { attributes: resourceOf(service, instance), dropped: 0, schemaUrl: '' },
      scopes: [{ scope, rows: [span] }],
    })),
  })
  const ids = new Map(made.map(({ span }) => [Buffer.from(span.traceId).toString('latin1'), Buffer.from(span.traceId)]))
  return { bytes, idPlaces: [...ids.values()].map((id) => placesOf(bytes, id)) }
}

function placesOf(bytes: Buffer, id: Buffer): number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 16)) places.push(at)
  return places
}

const bodies = Array.from({ length: 20 }, (_, seed) => makeBody(seed + 1))

function nextBody(n: number): Buffer {
  const { bytes, idPlaces } = bodies[n % bodies.length]!
  const copy = Buffer.from(bytes)
  for (const places of idPlaces) {
    const id = randomBytes(16)
    for (const at of places) id.copy(copy, at)
  }
  return copy
}

function post(body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
    const request = http.request(url, { method: 'POST', agent, headers, timeout: 60_000 }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!))
    })
    request.on('timeout', () => request.destroy()).on('error', () => resolve(0))
    request.end(body)
  })
}

const count = { acknowledged: 0, refused: 0, failed: 0, sent: 0 }
let latencies: number[] = []
let isLoading = true

/** At a steady pace whatever the answers are, so that slowness shows as waiting. */
async function load(): Promise<void> {
  const underWay = new Set<Promise<void>>()
  for (let dueMs = performance.now(); isLoading; dueMs += everyMs) {
    await sleep(Math.max(0, dueMs - performance.now()))
    const send = async (): Promise<void> => {
      const startedMs = performance.now()
      const status = await post(nextBody(count.sent++))
      latencies.push(performance.now() - startedMs)
      if (status === 200) count.acknowledged += spansPerRequest
      else if (status === 429 || status === 503) count.refused += spansPerRequest
      else count.failed += spansPerRequest
    }
    const sending = send().finally(() => underWay.delete(sending))
    underWay.add(sending)
    if (underWay.size >= 64) await Promise.race(underWay)
  }
  await Promise.all(underWay)
}

function takeLatencies(): { p50: number; p99: number; max: number } {
  const sorted = latencies.sort((a, b) => a - b)
  latencies = []
  const round = (value: number): number => +value.toFixed(1)
  return {
    p50: round(percentile(sorted, 0.5)),
    p99: round(percentile(sorted, 0.99)),
    max: round(sorted.at(-1) ?? NaN),
  }
}

const memorySeen: number[] = []
const timer = setInterval(() => {
  const { rss, peak } = clew.memory()
  memorySeen.push(rss)
  console.log(JSON.stringify({ ...count, rssMb: Math.round(rss / 1e6), peakMb: Math.round(peak / 1e6) }))
}, 30_000)

async function attackUntil(endMs: number): Promise<void> {
  const seen = new Map<string, { runs: number; seconds: number; answers: Answers }>()
  for (let n = 0; performance.now() < endMs; n++) {
    const attack = attacks[n % attacks.length]!
    const entry = seen.get(attack.name) ?? { runs: 0, seconds: 0, answers: new Map() }
    seen.set(attack.name, entry)
    const startedMs = performance.now()
    await attack.run(clew, entry.answers)
    entry.runs++
    entry.seconds += (performance.now() - startedMs) / 1000
  }
  for (const [name, { runs, seconds, answers }] of seen) {
    console.log(
      JSON.stringify({ attack: name, runs, seconds: +seconds.toFixed(1), answers: Object.fromEntries(answers) }),
    )
  }
}

interface Counted {
  readonly stored: { readonly spans: number }
  readonly log: { readonly pendingRecords: number }
}

/** Spans in the store once nothing waits in the log. */
async function storedSpans(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as Counted
    if (status.log.pendingRecords === 0 || tries > 300) return status.stored.spans
    await sleep(1000)
  }
}

/** Mean of the last quarter against that of the second: 1 when memory does not grow. */
function memoryTrend(): number {
  const quarter = Math.floor(memorySeen.length / 4)
  const mean = (part: readonly number[]): number => part.reduce((sum, each) => sum + each, 0) / part.length
  return +(mean(memorySeen.slice(-quarter)) / mean(memorySeen.slice(quarter, quarter * 2))).toFixed(2)
}

try {
  const loading = load()
  await sleep(Math.min(10_000, quietMs / 4))
  takeLatencies()
  await sleep(quietMs)
  const quiet = takeLatencies()
  console.log(JSON.stringify({ phase: 'quiet', ...quiet }))
  await attackUntil(performance.now() + totalMs - quietMs)
  const attacked = takeLatencies()
  isLoading = false
  await loading
  clearInterval(timer)
  const stored = await storedSpans()
  const { peak } = clew.memory()
  const summary = {
    ...count,
    stored,
    lost: Math.max(0, count.acknowledged - stored),
    quiet,
    attacked,
    p99Ratio: +(attacked.p99 / quiet.p99).toFixed(2),
    peakMb: Math.round(peak / 1e6),
    memoryTrend: memoryTrend(),
  }
  console.log(JSON.stringify(summary))
  if (summary.lost > 0) process.exitCode = 1
} finally {
  clearInterval(timer)
  agent.destroy()
  await clew.stop()
}
