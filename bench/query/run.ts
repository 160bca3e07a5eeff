/**
 * How long the usual questions take through a running clew that holds a million spans: medians and 90th percentiles of
 * whole HTTP requests, each with another service, user or trace of the sample. All questions are asked in several rounds,
 * and the round with the lowest median of a question counts, as other programs of a shared machine only ever add time.
 *
 *   node bench/query/run.ts --load DIR [--runs 60] [--rounds 3] [--join] [--url http://… of a clew that holds the load already]
 *
 * `--join` waits a minute longer, until the store has joined its parts, as it does when nothing comes.
 */
import http from 'node:http'
import { parseArgs } from 'node:util'
import { startClew } from '../support/clew.ts'
import { percentile, readBodies, readManifest, sendAll, type Manifest } from '../support/load.ts'

const { values } = parseArgs({
  options: {
    load: { type: 'string' },
    runs: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
    join: { type: 'boolean', default: false },
    url: { type: 'string' },
  },
})
if (values.load === undefined) throw new Error('--load DIR is needed')

type Trace = Manifest['sample'][number]

const questions: readonly (readonly [name: string, path: (trace: Trace) => string])[] = [
  ['ready (the floor)', () => '/ready'],
  ['trace by id', ({ id }) => `/api/v1/traces/${id}`],
  ['service, limit 20', ({ rootService }) => `/api/v1/traces?service=${rootService}&limit=20`],
  [
    'service + operation',
    ({ rootService, rootOp }) =>
      `/api/v1/traces?service=${rootService}&operation=${encodeURIComponent(rootOp)}&limit=20`,
  ],
  [
    'service + status 500',
    ({ rootService }) => `/api/v1/traces?service=${rootService}&attribute=http.response.status_code%3D500&limit=20`,
  ],
  [
    'service + user.id',
    ({ rootService, user }) => `/api/v1/traces?service=${rootService}&attribute=user.id%3D${user}&limit=20`,
  ],
  ['user.id alone', ({ user }) => `/api/v1/traces?attribute=user.id%3D${user}&limit=20`],
  [
    'service + thread.name (map)',
    ({ rootService, startMs }) =>
      `/api/v1/traces?service=${rootService}&attribute=thread.name%3Dworker-${startMs % 64}&limit=20`,
  ],
  [
    'service + duration > 500 ms',
    ({ rootService }) => `/api/v1/traces?service=${rootService}&minDuration=500ms&limit=20`,
  ],
  ['newest 20', () => '/api/v1/traces?limit=20'],
  ['services', () => '/api/v1/services'],
  ['operations', ({ rootService }) => `/api/v1/services/${rootService}/operations`],
  ['attribute keys', () => '/api/v1/attributes'],
  ['dependencies', () => '/api/v1/dependencies'],
  ['services, half an hour', () => `/api/v1/services?${halfHour}`],
  ['operations, half an hour', ({ rootService }) => `/api/v1/services/${rootService}/operations?${halfHour}`],
  ['attribute keys, half an hour', () => `/api/v1/attributes?${halfHour}`],
  ['dependencies, half an hour', () => `/api/v1/dependencies?${halfHour}`],
  ['services, another range each time', ({ startMs }) => `/api/v1/services?${rangeAt(startMs)}`],
  ['dependencies, another range each time', ({ startMs }) => `/api/v1/dependencies?${rangeAt(startMs)}`],
]

const manifest = readManifest(values.load)
/** Ends within buckets of five minutes. */
const middleMs = (manifest.startMs + manifest.endMs) / 2
const halfHour = rangeAt(middleMs)
const clew = values.url === undefined ? await startClew() : undefined
const url = values.url ?? clew!.url
try {
  if (clew !== undefined) {
    await sendAll(readBodies(values.load), `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`)
    await quiet()
  }
  if (values.join) await new Promise((resolve) => setTimeout(resolve, 60_000))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  for (const [name, pathOf] of questions) {
    const started = performance.now()
    await get(agent, url + pathOf(manifest.sample[0]!))
    console.log(JSON.stringify({ name, firstMs: +(performance.now() - started).toFixed(1) }))
  }
  const best = new Map<string, Figures>()
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, pathOf] of questions) {
      const figures = await ask(agent, pathOf)
      if (figures.p50 < (best.get(name)?.p50 ?? Infinity)) best.set(name, figures)
    }
  }
  for (const [name, figures] of best) console.log(JSON.stringify({ name, ...figures }))
  agent.destroy()
} finally {
  await clew?.stop()
}

/** Half an hour around the time. */
function rangeAt(timeMs: number): string {
  return `start=${timeMs - 900_000}&end=${timeMs + 900_000}`
}

/** Milliseconds of one round, and the answer's size. */
interface Figures {
  readonly p50: number
  readonly p90: number
  readonly bytes: number
}

async function ask(agent: http.Agent, pathOf: (trace: Trace) => string): Promise<Figures> {
  const times: number[] = []
  let bytes = 0
  for (let i = 0; i < Number(values.runs); i++) {
    const started = performance.now()
    bytes += await get(agent, url + pathOf(manifest.sample[i % manifest.sample.length]!))
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  const figure = (share: number): number => +percentile(times, share).toFixed(2)
  return { p50: figure(0.5), p90: figure(0.9), bytes: Math.round(bytes / times.length) }
}

/** Until everything is stored, merged and rolled up: the process uses next to no CPU for four seconds. */
async function quiet(): Promise<void> {
  for (let still = 0; still < 2;) {
    const before = clew!.cpuSeconds()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const answer = (await (await fetch(`${url}/api/v1/status`)).json()) as { stored: { spans: number } }
    still = answer.stored.spans >= manifest.spans && clew!.cpuSeconds() - before < 0.1 ? still + 1 : 0
  }
}

function get(agent: http.Agent, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get(address, { agent, headers: { accept: 'application/json' } }, (response) => {
        let bytes = 0
        response.on('data', (chunk: Buffer) => (bytes += chunk.length))
        response.on('end', () =>
          response.statusCode === 200 ? resolve(bytes) : reject(new Error(`${address}: ${response.statusCode}`)),
        )
      })
      .on('error', reject)
  })
}
