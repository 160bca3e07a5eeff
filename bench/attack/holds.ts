/**
 * How long one request holds the event loop of a real server, over HTTP, from its arrival until its rows are in the store:
 * the worst content of each format at the largest size that is taken or refused, beside usual requests, in one run.
 *
 *   node bench/attack/holds.ts [NAME…]
 *
 * A new way to attack is a row of `attacks`. docs/performance.md has the figures.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startClew, type MeasuredClew } from '../support/clew.ts'
import { bodies, type AttackBody } from './bodies.ts'

/** The log of rows that wait, and the engine's inserts, are empty when nothing has been pending for this long. */
const settledMs = 300

async function post(clew: MeasuredClew, { port, path, type, body }: AttackBody): Promise<string> {
  const url = `http://127.0.0.1:${clew.ports[port]}${path}`
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(body()) })
  await response.arrayBuffer()
  return String(response.status)
}

async function untilStored(clew: MeasuredClew): Promise<void> {
  for (let quietMs = 0; quietMs < settledMs; quietMs += 100) {
    await sleep(100)
    const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { log: { pendingRecords: number } }
    if (status.log.pendingRecords > 0) quietMs = 0
  }
}

const chosen = process.argv.slice(2)
console.log('request'.padEnd(44), 'status', ' answered', ' held', ' peak memory')
for (const attack of bodies) {
  if (chosen.length > 0 && !chosen.some((part) => attack.name.includes(part))) continue
  const clew = await startClew()
  try {
    await sleep(500)
    await clew.longestHoldMs()
    const startedMs = performance.now()
    const status = await post(clew, attack)
    const answeredMs = performance.now() - startedMs
    await untilStored(clew)
    const heldMs = await clew.longestHoldMs()
    const { peak } = clew.memory()
    const figures = [`${answeredMs.toFixed(0)} ms`.padStart(9), `${heldMs.toFixed(0)} ms`.padStart(7)]
    console.log(attack.name.padEnd(44), status.padEnd(6), ...figures, `${(peak / 2 ** 20).toFixed(0)} MiB`.padStart(9))
  } finally {
    await clew.stop()
  }
}
