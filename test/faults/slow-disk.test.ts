/**
 * A slow disk: every sync of the running program takes longer, held up by strace's fault injection in the kernel's
 * interface. Receivers answer later and lose nothing, many requests share a sync, and past the bound on requests under way
 * clients are told to come back.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { spanIdOf, spansPerRequest, traceRequest } from '../support/numbered-requests.ts'
import { awaitStored, exportedSpans } from '../support/stored-spans.ts'
import { serveFor, type Ending } from '../support/served.ts'

const strace = '/usr/bin/strace'
const options = { skip: !existsSync(strace) && 'no strace' }
const delayMs = 300
const mebibyte = 1 << 20

/** From its answer on every sync of the process takes `delayMs` longer, until what it answers is called. */
async function slowDown(t: Ending, clew: ServedClew): Promise<() => Promise<void>> {
  const inject = `inject=fdatasync,fsync:delay_enter=${delayMs * 1000}`
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync', '-e', inject]
  const tracer = spawn(strace, [...args, '-p', String(clew.child.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(tracer, 'close')
  // Killed, not asked: it lets go of threads that are held up, where in an orderly end it waits for them.
  const release = async (): Promise<void> => {
    tracer.kill('SIGKILL')
    await ended
  }
  t.after(release)
  for (let n = 0; n < 50; n++) {
    if (tracer.exitCode !== null) assert.fail(`strace ended: ${said}`)
    if ((await answerMs(clew, 900_000 + n)) >= delayMs) return release
    await sleep(100)
  }
  assert.fail(`syncs did not become slow: ${said}`)
}

async function answerMs({ otlpUrl }: ServedClew, request: number): Promise<number> {
  const startedMs = performance.now()
  const headers = { 'content-type': 'application/x-protobuf' }
  const body = new Uint8Array(traceRequest(request))
  const { status } = await fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body })
  assert.equal(status, 200)
  return performance.now() - startedMs
}

async function rssOf({ url }: ServedClew): Promise<number> {
  const { memory } = (await (await fetch(`${url}/api/v1/status`)).json()) as { memory: { rssBytes: number } }
  return memory.rssBytes
}

test(`each sync takes ${delayMs} ms: all are answered, share syncs, and survive a kill`, options, async (t) => {
  const dataDir = temporaryFolder()
  const clew = await serveFor(t, dataDir)
  await slowDown(t, clew)
  const load = new NumberedLoad(t, { clients: 24, retries: false })
  const rssBefore = await rssOf(clew)
  load.sendTo(clew.otlpUrl)
  const seconds = 6
  await sleep(seconds * 1000)
  const rssMore = (await rssOf(clew)) - rssBefore
  const answered = load.acknowledged.size
  const { signal } = await clew.stop('SIGKILL')
  load.pause()
  assert.equal(signal, 'SIGKILL')
  await load.finish()
  t.diagnostic(`${answered} requests answered in ${seconds} s, memory grew by ${Math.round(rssMore / mebibyte)} MiB`)
  // With a sync for each request there would be three in a second.
  assert.ok(answered > (seconds * 1000 * 4) / delayMs, `${answered} answered`)
  assert.equal(load.refusals.size, 0)
  assert.ok(rssMore < 300 * mebibyte)

  const again = await serveFor(t, dataDir)
  await awaitStored(again.url)
  const found = await exportedSpans(again.url)
  const missing = load.acknowledgedSpans().filter((span) => !found.has(spanIdOf(span)))
  assert.deepEqual(missing, [], 'spans that were acknowledged and are not there')
  assert.deepEqual(
    [...found].filter(([, count]) => count > 1),
    [],
    'spans that are there twice',
  )
})

test('past the bound on requests under way clients are told to come back, and get through', options, async (t) => {
  const clew = await serveFor(t, temporaryFolder(), ['--limits-concurrent-requests', '4'])
  const release = await slowDown(t, clew)
  const load = new NumberedLoad(t, { clients: 12, retries: true })
  load.sendTo(clew.otlpUrl)
  await sleep(4000)
  await load.finish()
  t.diagnostic(`${load.sent} requests, ${load.refusals.get(429)} times told to come back`)
  assert.deepEqual([...load.refusals.keys()], [429])
  assert.equal(load.acknowledged.size, load.sent)
  await release()
  const { stored } = await awaitStored(clew.url)
  assert.ok(stored.spans >= load.sent * spansPerRequest)
  assert.equal((await clew.stop()).code, 0)
})
