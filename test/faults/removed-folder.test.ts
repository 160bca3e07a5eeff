/** Somebody removes the data folder, or a part of it, under a running clew: it says so, and stops in order. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusAnswer } from '../../src/api/native/contract.ts'
import { temporaryFolder } from '../scenarios/clew-process.ts'
import { traceRequest } from '../support/numbered-requests.ts'
import { serveFor } from '../support/served.ts'

const headers = { 'content-type': 'application/x-protobuf' }

for (const part of ['', 'log', 'store']) {
  test(`removed while clew runs: ${part === '' ? 'the whole folder' : part}`, async (t) => {
    const dataDir = join(temporaryFolder(), 'data')
    mkdirSync(dataDir)
    const clew = await serveFor(t, dataDir)
    const send = (n: number): Promise<Response> =>
      fetch(`${clew.otlpUrl}/v1/traces`, { method: 'POST', headers, body: new Uint8Array(traceRequest(n)) })
    assert.equal((await send(0)).status, 200)
    rmSync(join(dataDir, part), { recursive: true, force: true, maxRetries: 5 })
    // Without its log nothing is acknowledged, once that is noticed: the log asks for room twice a second.
    await sleep(600)
    if (part !== 'store') assert.equal((await send(1)).status, 503)
    const answer = await fetch(`${clew.url}/api/v1/status`)
    assert.equal(answer.status, 200)
    const { problems } = (await answer.json()) as StatusAnswer
    const told = problems.find(({ code }) => code === 'data_removed')
    assert.match(told?.message ?? '', new RegExp(`the data folder \\S+ was removed, or a part of it: .*${part}`))
    assert.equal((await fetch(`${clew.url}/health`)).status, 503)
    assert.deepEqual(await clew.stop(), { code: 0, signal: null })
  })
}
