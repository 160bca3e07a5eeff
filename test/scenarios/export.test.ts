/** An export of everything as a backup: what comes back from it, and what is there when it breaks off. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { awaitStored, statusOf } from '../support/stored-spans.ts'
import { runClew, serveClew, startClew, temporaryFolder, type ServedClew } from './clew-process.ts'
import { shopTrace, spansById } from './shop-trace.ts'

async function served(t: TestContext): Promise<ServedClew> {
  const clew = await serveClew()
  t.after(() => clew.stop())
  return clew
}

async function post(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  assert.equal(response.status, 200, await response.text())
}

/** Log records of an export, in one order. */
function records(text: string): string[] {
  interface Logs {
    resourceLogs?: { resource: unknown; scopeLogs: { logRecords: unknown[] }[] }[]
  }
  return text
    .trim()
    .split('\n')
    .flatMap((line) => (JSON.parse(line) as Logs).resourceLogs ?? [])
    .flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords.map((record) => JSON.stringify({ resource, record }))),
    )
    .sort()
}

test('what is exported and imported is the same, log records without a trace too', async (t) => {
  const [first, second] = await Promise.all([served(t), served(t)])
  const shop = shopTrace()
  await post(`${first.otlpUrl}/v1/traces`, shop.traces)
  await post(`${first.otlpUrl}/v1/logs`, shop.logs)
  await post(`${first.otlpUrl}/events`, [
    { service: 'cron', level: 'warn', message: 'disk is almost full', host: 'n1' },
    { service: 'cron', message: 'done', took: 1.5, parts: [1, 'two', null] },
  ])
  // Right after it was acknowledged: what is only in the log is waited for.
  const folder = temporaryFolder()
  const texts: string[] = []
  for (const name of ['all.jsonl', 'all.jsonl.gz', 'all.jsonl.zst']) {
    const file = join(folder, name)
    const { code, stderr } = await runClew(['export', '--output', file, '--url', first.url])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^exported 3 spans and 3 log records \(.*\) in .*\n$/)
    assert.ok(!existsSync(`${file}.part`))
  }
  texts.push(readFileSync(join(folder, 'all.jsonl'), 'utf8'))
  const imported = await runClew(['import', join(folder, 'all.jsonl.zst'), '--url', second.url])
  assert.match(imported.stdout, /^imported 6 records, rejected 0/)
  const { stored } = await awaitStored(second.url)
  assert.deepEqual([stored.spans, stored.events, stored.traces], [3, 3, 1])
  const again = await runClew(['export', '--url', second.url])
  texts.push(again.stdout)
  const [sent, back] = texts as [string, string]
  assert.deepEqual(spansById(...back.trim().split('\n')), spansById(...sent.trim().split('\n')))
  assert.equal(records(sent).length, 3)
  assert.deepEqual(records(back), records(sent))
  const spans = await runClew(['export', '--only', 'spans', '--url', first.url])
  assert.deepEqual([records(spans.stdout), spansById(...spans.stdout.trim().split('\n')).size], [[], 3])
  const later = await runClew(['export', '--start', '2100-01-01T00:00:00Z', '--url', first.url])
  assert.deepEqual([later.code, later.stdout], [0, ''])
})

test('a client that leaves ends the export on the server', async (t) => {
  const clew = await served(t)
  await post(`${clew.otlpUrl}/v1/traces`, shopTrace().traces)
  const left = new AbortController()
  const response = await fetch(`${clew.url}/api/v1/export`, { signal: left.signal })
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  await response.body!.getReader().read()
  left.abort()
  for (const deadline = Date.now() + 10_000; (await statusOf(clew.url)).queries.running > 0; await sleep(50)) {
    assert.ok(Date.now() < deadline, 'a query of the export still runs')
  }
  const wrong = await fetch(`${clew.url}/api/v1/export?minDuration=soon`)
  assert.equal(wrong.status, 400)
})

const line = `${JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ startTimeUnixNano: '1' }] }] }] })}\n`

/** Answers with two lines and half of a third; then it says nothing more, or breaks off. */
async function halfServer(t: TestContext, breaksOff: boolean): Promise<string> {
  const server: Server = createServer((request, response) => {
    if (request.url!.startsWith('/api/v1/status')) {
      response.end(JSON.stringify({ stored: { spans: 9, events: 0 } }))
      return
    }
    response.write(line + line + line.slice(0, 20))
    if (breaksOff) setTimeout(() => response.destroy(), 500)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('Ctrl-C keeps the whole lines in FILE.part, and leaves an older file of that name', async (t) => {
  const url = await halfServer(t, false)
  const file = join(temporaryFolder(), 'day.jsonl')
  writeFileSync(file, 'of yesterday\n')
  const child = startClew(['export', '--output', file, '--url', url])
  let stderr = ''
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  for (const deadline = Date.now() + 20_000; !existsSync(`${file}.part`); await sleep(50)) {
    assert.ok(Date.now() < deadline, `nothing is written: ${stderr}`)
  }
  await sleep(500)
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 130, stderr)
  assert.match(stderr, /^the export is not whole: .*day\.jsonl\.part has 2 spans and 0 log records/)
  assert.equal(readFileSync(`${file}.part`, 'utf8'), line + line)
  assert.equal(readFileSync(file, 'utf8'), 'of yesterday\n')
})

test('an answer that breaks off is an error', async (t) => {
  const url = await halfServer(t, true)
  const file = join(temporaryFolder(), 'day.jsonl')
  const { code, stderr } = await runClew(['export', '--output', file, '--url', url])
  assert.equal(code, 1, stderr)
  assert.match(stderr, /day\.jsonl\.part has 2 spans/)
  assert.ok(!existsSync(file))
})
