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
import { percentile, readBodies, readManifest, sendAll } from '../support/load.ts'
import { questionsOf, type Trace } from './questions.ts'

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

const manifest = readManifest(values.load)
const questions = questionsOf(manifest)
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
