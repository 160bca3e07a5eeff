/** A part of the store is damaged while clew is not running: the next start says what is missing, and the rest is answered. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { StatusAnswer, TraceSearchAnswer } from '../../src/api/native/contract.ts'
import { runClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { spansPerRequest, traceRequest } from '../support/numbered-requests.ts'
import { serveFor } from '../support/served.ts'

const requests = 50
async function send(clew: ServedClew, n: number): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' }
  const body = new Uint8Array(traceRequest(n))
  assert.equal((await fetch(`${clew.otlpUrl}/v1/traces`, { method: 'POST', headers, body })).status, 200)
}

async function statusOf(clew: ServedClew): Promise<StatusAnswer> {
  return (await (await fetch(`${clew.url}/api/v1/status`)).json()) as StatusAnswer
}

/** The folder of the part with the most rows, which is one of spans, and made of no others. */
function largestPart(dataDir: string): string {
  const names = readdirSync(join(dataDir, 'store'), { recursive: true, encoding: 'utf8' })
  const counts = names
    .filter((name) => /\d+_\d+_\d+_0\/count\.txt$/.test(name))
    .map((name) => join(dataDir, 'store', name))
  const rows = (file: string): number => Number(readFileSync(file, 'utf8'))
  return dirname(counts.sort((a, b) => rows(b) - rows(a))[0]!)
}

test('a part that cannot be read is left out, told and kept', async (t) => {
  const dataDir = temporaryFolder()
  const before = await serveFor(t, dataDir)
  for (let n = 0; n < requests; n++) await send(before, n)
  await before.stop()
  const part = largestPart(dataDir)
  const rows = Number(readFileSync(join(part, 'count.txt'), 'utf8'))
  truncateSync(join(part, 'checksums.txt'), 10)

  const after = await serveFor(t, dataDir)
  const { problems, stored: left } = await statusOf(after)
  const told = problems.find(({ code }) => code === 'parts_damaged')
  assert.match(
    told?.message ?? '',
    new RegExp(`left out 1 damaged part of spans with ${rows} rows, kept in \\S+/detached/`),
  )
  assert.equal(left.spans, requests * spansPerRequest - rows)
  assert.match(after.stderr(), /the store left out 1 damaged part/)
  const { traces } = (await (await fetch(`${after.url}/api/v1/traces?start=0&limit=5`)).json()) as TraceSearchAnswer
  assert.ok(traces.length > 0)
  const doctor = await runClew(['doctor', '--url', after.url, '--data', dataDir])
  assert.match(doctor.stdout, /the store left out 1 damaged part/)

  const kept = /kept in (\S+?);/.exec(told!.message)![1]!
  assert.ok(existsSync(kept))
  rmSync(kept, { recursive: true })
  assert.deepEqual((await statusOf(after)).problems, [])
  assert.deepEqual(await after.stop(), { code: 0, signal: null })
})
