/** The same spans by requests of other bytes, across a kill, and by files that are imported again: counted once everywhere. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runClew, serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { shopTrace } from '../scenarios/shop-trace.ts'
import { spansPerRequest, straddlingRequest, traceRequest } from '../support/numbered-requests.ts'
import { serveFor } from '../support/served.ts'

const ever = 'start=1970-01-01T00:00:00Z'

async function send({ otlpUrl }: ServedClew, body: Buffer): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' }
  const { status } = await fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body: new Uint8Array(body) })
  assert.equal(status, 200)
}

interface Figures {
  readonly spanCounts: number
  readonly calls: number
  readonly repeatedSpans: number
}

async function figuresOf({ url }: ServedClew): Promise<Figures> {
  const json = async (path: string) => (await (await fetch(`${url}/api/v1/${path}`)).json()) as Record<string, unknown>
  const { traces } = (await json(`traces?${ever}&limit=1000`)) as { traces: { spanCount: number }[] }
  const { services } = (await json(`services?${ever}`)) as { services: { spans: number }[] }
  const { repeatedSpans } = (await json('status')) as { repeatedSpans: number }
  const spanCounts = traces.reduce((sum, { spanCount }) => sum + spanCount, 0)
  return { spanCounts, calls: services.reduce((sum, { spans }) => sum + spans, 0), repeatedSpans }
}

/** Once the figures are so, or after a while. */
async function assertFigures(clew: ServedClew, expected: Figures): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(100)) {
    const figures = await figuresOf(clew)
    if (Date.now() < deadline && JSON.stringify(figures) !== JSON.stringify(expected)) continue
    assert.deepEqual(figures, expected)
    return
  }
}

test('after a kill, clients send their spans again in other requests: each counts once', async (t) => {
  const dir = temporaryFolder()
  const before = await serveClew(dir)
  for (let n = 0; n < 4; n++) await send(before, traceRequest(n))
  await send(before, straddlingRequest(2))
  await assertFigures(before, {
    spanCounts: 4 * spansPerRequest,
    calls: 4 * spansPerRequest,
    repeatedSpans: spansPerRequest,
  })
  // These are acknowledged and may not be stored when the kill comes.
  for (let n = 4; n < 6; n++) await send(before, traceRequest(n))
  const ended = new Promise((resolve) => before.child.once('exit', resolve))
  before.child.kill('SIGKILL')
  await ended

  const clew = await serveFor(t, dir)
  for (let n = 0; n < 5; n++) await send(clew, straddlingRequest(n))
  const repeated = 4 * spansPerRequest
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
    if ((await figuresOf(clew)).repeatedSpans >= repeated) break
  }
  const { spanCounts, calls } = await figuresOf(clew)
  assert.deepEqual([spanCounts, calls], [6 * spansPerRequest, 6 * spansPerRequest])
})

test('a file that is imported twice is there once, and doctor says what came again', async (t) => {
  const clew = await serveFor(t, temporaryFolder())
  const folder = temporaryFolder()
  const lines = Array.from({ length: 5 }, () => JSON.stringify(shopTrace().traces))
  const file = join(folder, 'hour.jsonl')
  writeFileSync(file, lines.join('\n'))
  assert.equal((await runClew(['import', file, '--url', clew.url])).code, 0)
  // In other requests, as those of the same bytes are known by the log.
  writeFileSync(file, lines.toReversed().join('\n'))
  const { spanCounts: spans } = await untilStored(clew)
  assert.equal((await runClew(['import', file, '--url', clew.url])).code, 0)
  await assertFigures(clew, { spanCounts: spans, calls: spans, repeatedSpans: spans })
  const doctor = await runClew(['doctor', '--url', clew.url])
  assert.match(
    doctor.stdout,
    new RegExp(`^repeats   ${spans} spans came again since the start and were stored once$`, 'm'),
  )
  assert.equal(doctor.code, 0, doctor.stdout)
  const metrics = await (await fetch(`${clew.url}/metrics`)).text()
  assert.match(metrics, new RegExp(`^clew_repeated_spans_total ${spans}$`, 'm'))
})

async function untilStored(clew: ServedClew): Promise<Figures> {
  for (const deadline = Date.now() + 20_000; ; await sleep(100)) {
    const figures = await figuresOf(clew)
    if ((figures.calls > 0 && figures.calls === figures.spanCounts) || Date.now() > deadline) return figures
  }
}
