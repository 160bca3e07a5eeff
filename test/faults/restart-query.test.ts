/**
 * clew is killed under load and asked as soon as it is ready again: all that was acknowledged is found by its id, in
 * searches, in events and in counts, or the answer is an error that says to come back; never "not found".
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { eventsPerRequest, logRequest, spansOf, spansPerRequest, traceIdOf } from '../support/numbered-requests.ts'
import { serveFor } from '../support/served.ts'

/** A block is not inserted for a while, so that much is only in the log when the kill comes. */
const slowWriter = ['--writer-block-wait', '20s', '--writer-block-rows', '1000000']
/** All that the numbered requests have, whatever its time. */
const ever = 'start=1970-01-01T00:00:00Z'

async function json(clew: ServedClew, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${clew.url}/api/v1/${path}`)
  const text = await response.text()
  assert.equal(response.status, 200, `${path}: ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}

test('200 acknowledged traces are found right after a restart that followed a kill', async (t) => {
  const dir = temporaryFolder()
  const before = await serveClew(dir, slowWriter)
  const load = new NumberedLoad(t, { clients: 8, retries: false })
  load.sendTo(before.otlpUrl)
  while (load.acknowledged.size < 200) await sleep(10)
  const logs = 20
  for (let n = 0; n < logs; n++) {
    const body = new Uint8Array(logRequest(n))
    const headers = { 'content-type': 'application/x-protobuf' }
    assert.equal((await fetch(`${before.otlpUrl}/v1/logs`, { method: 'POST', headers, body })).status, 200)
  }
  const ended = new Promise((resolve) => before.child.once('exit', resolve))
  before.child.kill('SIGKILL')
  await ended
  load.pause()
  await load.finish()
  const requests = [...load.acknowledged]

  const clew = await serveFor(t, dir, slowWriter)
  const ids = requests.slice(0, 200).map((n) => traceIdOf(spansOf(n)[0]!))
  const statuses = await Promise.all(ids.map(async (id) => (await fetch(`${clew.url}/api/v1/traces/${id}`)).status))
  assert.deepEqual([...new Set(statuses)], [200], 'every trace is found by its id')
  const distinct = new Set(requests.flatMap(spansOf).map(traceIdOf)).size
  const paths = [
    `traces?${ever}&limit=1000`,
    `traces/overview?${ever}`,
    `events?${ever}&limit=1000`,
    `services?${ever}`,
  ]
  const [traces, overview, events, services] = await Promise.all(paths.map((path) => json(clew, path)))
  const spans = (services!['services'] as { spans: number }[]).reduce((sum, each) => sum + each.spans, 0)
  // A request that was written and not answered any more may be there as well.
  assert.ok((traces!['total'] as number) >= distinct, `${String(traces!['total'])} of ${distinct} traces`)
  assert.ok((overview!['total'] as number) >= distinct, `${String(overview!['total'])} of ${distinct} traces counted`)
  assert.equal((events!['events'] as unknown[]).length, logs * eventsPerRequest)
  assert.ok(
    spans >= requests.length * spansPerRequest,
    `${spans} of ${requests.length * spansPerRequest} spans counted`,
  )
})
