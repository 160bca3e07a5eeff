/** Clients that leave before their answer came: the queries of everybody else go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveFor } from '../support/served.ts'
import type { StatusAnswer } from '../../src/api/native/contract.ts'
import { traceRequest } from '../support/numbered-requests.ts'

/** The three questions that the pages ask for each key typed. */
const questions = ['/events?query=time', '/traces/overview?service=cart', '/traces/facets?service=cart']
const typed = 8
const leaveAfterMs = 15

/** Asks and leaves, as a browser does whose user typed one more key. */
async function askAndLeave(url: string): Promise<void> {
  await fetch(url, { signal: AbortSignal.timeout(leaveAfterMs) }).then(
    (answer) => answer.text(),
    () => {},
  )
}

async function typeInSearchBox(api: string): Promise<void> {
  for (let key = 0; key < typed; key++) {
    for (const question of questions) void askAndLeave(api + question)
    await sleep(leaveAfterMs)
  }
}

test('somebody types in the search box: questions asked afterwards are answered', async (t) => {
  const clew = await serveFor(t)
  const headers = { 'content-type': 'application/x-protobuf' }
  for (let n = 0; n < 200; n++) {
    await fetch(`${clew.otlpUrl}/v1/traces`, { method: 'POST', headers, body: new Uint8Array(traceRequest(n)) })
  }
  const api = `${clew.url}/api/v1`
  for (let round = 0; round < 5; round++) {
    await typeInSearchBox(api)
    const answer = await fetch(`${api}/events?limit=5`, { signal: AbortSignal.timeout(10_000) })
    assert.equal(answer.status, 200)
    await answer.text()
  }
  const { queries, problems } = (await (await fetch(`${api}/status`)).json()) as StatusAnswer
  assert.deepEqual([queries.waiting, queries.longestWaitMs, queries.refused, problems], [0, 0, 0, []])
  const metrics = await (await fetch(`${clew.url}/metrics`)).text()
  assert.match(metrics, /^clew_queries_waiting 0$/m)
  assert.match(metrics, /^clew_query_sessions 2$/m)
  assert.deepEqual(await clew.stop(), { code: 0, signal: null })
})

test('more queries than may wait: the rest is told to come back, nobody waits for nothing', async (t) => {
  const clew = await serveFor(t, undefined, ['--store-readers', '1', '--query-waiting', '3'])
  const asked = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const answer = await fetch(`${clew.url}/api/v1/events?limit=5`)
      return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() }
    }),
  )
  const refused = asked.filter(({ status }) => status === 429)
  assert.ok(refused.length > 0 && refused.length < asked.length, `${refused.length} were refused`)
  assert.equal(asked.filter(({ status }) => status === 200).length, asked.length - refused.length)
  for (const { retryAfter, text } of refused) {
    assert.equal(retryAfter, '1')
    assert.match(text, /too_many_requests.*cannot run query: 3 others wait already/)
  }
  const { queries } = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as StatusAnswer
  assert.ok(queries.refused >= refused.length)
})
