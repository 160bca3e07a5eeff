/**
 * CPU of an export of everything through a running clew, beside what the engine alone needs to read the same rows: without
 * writing them anywhere (FORMAT Null), and as the Native blocks that an export gets. All in one run and in rounds, as
 * machines differ.
 *
 *   node bench/export/run.ts --load DIR [--rounds 3]
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openChildEngine } from '../../src/storage/clickhouse/engine/child-engine.ts'
import { cpuSecondsOf, startClew } from '../support/clew.ts'
import { readBodies, readManifest, sendAll } from '../support/load.ts'

const { values } = parseArgs({
  options: { load: { type: 'string' }, rounds: { type: 'string', default: '3' } },
})
if (values.load === undefined) throw new Error('--load DIR is needed')
const rounds = Number(values.rounds)
const { spans } = readManifest(values.load)
const perMillion = (seconds: number): number => +((seconds / spans) * 1e6).toFixed(2)

const clew = await startClew(['--retention-spans', '0'])
await sendAll(readBodies(values.load), `http://127.0.0.1:${clew.ports['otlp/http']}/v1/traces`)
await quiet()
for (let round = 0; round < rounds; round++) {
  const [cpu, server, started] = [clew.cpuSeconds(), cpuSecondsOf(clew.pid), performance.now()]
  const bytes = await readAll(`${clew.url}/api/v1/export`)
  const [all, own] = [clew.cpuSeconds() - cpu, cpuSecondsOf(clew.pid) - server]
  console.log(
    JSON.stringify({
      what: 'clew',
      cpu: perMillion(all),
      ofServer: perMillion(own),
      seconds: +((performance.now() - started) / 1000).toFixed(2),
      bytesPerSpan: Math.round(bytes / spans),
      peakMiB: clew.memory().peak >> 20,
    }),
  )
}
await clew.stop()

const engine = await openChildEngine({
  dir: path.join(clew.dataDir, 'store'),
  memoryBytesMax: 2 ** 30,
  queryMemoryBytesMax: 2 ** 29,
  queryTimeoutMs: 60_000,
  readers: 1,
  queriesWaitingMax: 1,
  onProblem: (message) => console.error(message),
})
const { pid } = engine.state().process!
const select = 'SELECT * FROM spans'
const bucket = 'intDiv(toUnixTimestamp64Nano(start_time), 300000000000)'
const buckets = await engine.query<[string]>(`SELECT DISTINCT ${bucket} FROM spans`)
const settings = { max_threads: 1 }
for (let round = 0; round < rounds; round++) {
  await measure('engine, FORMAT Null', () => engine.query(`${select} FORMAT Null`, { settings }))
  await measure('engine, FORMAT Native', async () => {
    for (const [number] of buckets) await engine.queryBlocks(`${select} WHERE ${bucket} = ${number}`, { settings })
  })
}
await engine.close()

async function measure(what: string, run: () => Promise<unknown>): Promise<void> {
  const cpu = cpuSecondsOf(pid!)
  await run()
  console.log(JSON.stringify({ what, cpu: perMillion(cpuSecondsOf(pid!) - cpu) }))
}

async function readAll(url: string): Promise<number> {
  let bytes = 0
  for await (const piece of (await fetch(url, { headers: { 'accept-encoding': 'identity' } })).body!) {
    bytes += piece.length
  }
  return bytes
}

/** Until everything is stored, and merged and rolled up if that ends within half a minute. */
async function quiet(): Promise<void> {
  const untilMs = performance.now() + 30_000
  for (let still = 0; still < 2;) {
    const before = clew.cpuSeconds()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const answer = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { stored: { spans: number } }
    const isQuiet = clew.cpuSeconds() - before < 0.1 || performance.now() > untilMs
    still = answer.stored.spans >= spans && isQuiet ? still + 1 : 0
  }
}
