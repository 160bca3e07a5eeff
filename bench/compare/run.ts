/**
 * Two states of clew beside each other: another checkout (with its node_modules) and this one. Each takes the same load in
 * turn, for CPU and memory; then both are asked the usual questions one after the other, for the same trace, so that what
 * else runs on the machine meets both alike.
 *
 *   node bench/compare/run.ts --base DIR --load DIR [--rounds 2] [--runs 60]
 *
 * Prints one JSON line a round for the ingest, and one a question: medians in ms, and the median of the ratios of all pairs.
 */
import http from 'node:http'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { questionsOf } from '../query/questions.ts'
import { startClew, type MeasuredClew } from '../support/clew.ts'
import { percentile, readBodies, readManifest, sendAll } from '../support/load.ts'

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    load: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    runs: { type: 'string', default: '60' },
  },
})
if (values.base === undefined || values.load === undefined) throw new Error('--base DIR and --load DIR are needed')

/** Share of the load that is sent first and not counted. */
const warmShare = 0.1

const checkouts = [path.resolve(values.base), path.join(import.meta.dirname, '../..')]
const bodies = readBodies(values.load)
const manifest = readManifest(values.load)
const agent = new http.Agent({ keepAlive: true })
const times = new Map<string, [base: number, here: number][]>()

for (let round = 0; round < Number(values.rounds); round++) {
  const both: MeasuredClew[] = []
  try {
    const figures: Ingest[] = []
    for (const checkout of checkouts) {
      const clew = await startClew([], checkout)
      both.push(clew)
      figures.push(await ingest(clew))
    }
    const [base, here] = figures as [Ingest, Ingest]
    const ratio = (of: keyof Ingest): number => +(here[of] / base[of]).toFixed(3)
    console.log(JSON.stringify({ base, here, cpu: ratio('cpuPerMillion'), memory: ratio('peakMb') }))
    await askBoth(both as [MeasuredClew, MeasuredClew])
  } finally {
    for (const clew of both) await clew.stop()
  }
}
for (const [name, pairs] of times) {
  const median = (numbers: number[]): number =>
    percentile(
      numbers.sort((a, b) => a - b),
      0.5,
    )
  console.log(
    JSON.stringify({
      name,
      base: +median(pairs.map(([base]) => base)).toFixed(2),
      here: +median(pairs.map(([, here]) => here)).toFixed(2),
      ratio: +median(pairs.map(([base, here]) => here / base)).toFixed(3),
    }),
  )
}
agent.destroy()

interface Ingest {
  readonly cpuPerMillion: number
  readonly peakMb: number
  readonly restMb: number
}

async function ingest(clew: MeasuredClew): Promise<Ingest> {
  const url = `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`
  const warm = Math.ceil(bodies.length * warmShare)
  const warmSpans = Math.round((manifest.spans * warm) / bodies.length)
  await sendAll(bodies.slice(0, warm), url)
  await quiet(clew, Math.floor(warmSpans * 0.95))
  const before = clew.cpuSeconds()
  await sendAll(bodies.slice(warm), url)
  await quiet(clew, manifest.spans)
  const used = clew.cpuSeconds() - before
  return {
    cpuPerMillion: +((used / (manifest.spans - warmSpans)) * 1e6).toFixed(2),
    peakMb: Math.round(clew.memory().peak / 1e6),
    restMb: Math.round(clew.memory().rss / 1e6),
  }
}

/** Until this many spans are stored, and the processes have used next to no CPU for eight seconds: rolled up and merged. */
async function quiet(clew: MeasuredClew, spans: number): Promise<void> {
  for (let still = 0; still < 4;) {
    const before = clew.cpuSeconds()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const answer = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { stored: { spans: number } }
    still = answer.stored.spans >= spans && clew.cpuSeconds() - before < 0.1 ? still + 1 : 0
  }
}

async function askBoth([base, here]: [MeasuredClew, MeasuredClew]): Promise<void> {
  for (const [name, pathOf] of questionsOf(manifest)) {
    const pairs = times.get(name) ?? []
    times.set(name, pairs)
    for (let i = 0; i < Number(values.runs); i++) {
      const question = pathOf(manifest.sample[i % manifest.sample.length]!)
      const baseFirst = i % 2 === 0
      const first = await timed((baseFirst ? base : here).url + question)
      const second = await timed((baseFirst ? here : base).url + question)
      pairs.push(baseFirst ? [first, second] : [second, first])
    }
  }
}

async function timed(address: string): Promise<number> {
  const started = performance.now()
  await new Promise<void>((resolve, reject) => {
    http
      .get(address, { agent, headers: { accept: 'application/json' } }, (response) => {
        response.resume().on('end', resolve)
        if (response.statusCode !== 200) reject(new Error(`${address}: ${response.statusCode}`))
      })
      .on('error', reject)
  })
  return performance.now() - started
}
