/** A search by user finds a trace the moment it was acknowledged, while the store stores nothing; the same once it does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeTraces } from '../support/otlp-encode.ts'
import { otlpRequest, otlpSpan, textAttribute } from '../support/otlp-span.ts'
import { serveClew, temporaryFolder, type ServedClew } from './clew-process.ts'

/** A root in `shop` and, in a request of its own, a call to `bank` that fails. */
function requestsOf(trace: number): Buffer[] {
  const start = BigInt(Date.now()) * 1_000_000n
  const traceId = Buffer.alloc(16, trace)
  const attributes = [textAttribute('user.id', `u-${trace}`), textAttribute('url.path', '/pay')]
  const root = otlpSpan({ traceId, name: 'pay', start, end: start + 50_000_000n, attributes })
  const status = { code: 2, message: 'refused' }
  const call = otlpSpan({
    traceId,
    name: 'charge',
    parentSpanId: root.spanId,
    start: start + 1n,
    end: start + 9n,
    status,
  })
  return [root, call].map((span, i) =>
    encodeTraces(otlpRequest({ resource: [textAttribute('service.name', i === 0 ? 'shop' : 'bank')], spans: [span] })),
  )
}

async function search(clew: ServedClew, query: string): Promise<unknown> {
  const answer = await fetch(`${clew.url}/api/v1/traces?${query}`)
  assert.equal(answer.status, 200)
  return await answer.json()
}

const ofUser = (user: string): string => `service=shop&attribute=${encodeURIComponent(`user.id=${user}`)}&limit=20`
const questions = [
  ofUser('u-3'),
  ofUser('nobody'),
  'attribute=url.path%3D%2Fpay&limit=2',
  'attribute=url.path%3D%2Fpay&sort=spans',
]

test('a search by user finds a trace at once after it was acknowledged, and the same after a restart', async () => {
  const dataDir = temporaryFolder()
  // No block is inserted before a minute has passed.
  const clew = await serveClew(dataDir, ['--writer-block-wait', '1m'])
  const answers: unknown[] = []
  try {
    for (let trace = 1; trace <= 5; trace++) {
      for (const body of requestsOf(trace)) {
        const headers = { 'content-type': 'application/x-protobuf' }
        const sent = await fetch(`${clew.otlpUrl}/v1/traces`, { method: 'POST', headers, body })
        assert.equal(sent.status, 200)
      }
      const found = (await search(clew, ofUser(`u-${trace}`))) as { traces: { traceId: string; spanCount: number }[] }
      assert.deepEqual(
        found.traces.map(({ traceId, spanCount }) => [traceId, spanCount]),
        [[Buffer.alloc(16, trace).toString('hex'), 2]],
      )
    }
    for (const question of questions) answers.push(await search(clew, question))
    await sleep(1500) // figures of the store are read once a second
    const status = (await (await fetch(`${clew.url}/api/v1/status`)).json()) as { stored: { spans: number } }
    assert.equal(status.stored.spans, 0, 'the store has nothing yet')
  } finally {
    assert.equal((await clew.stop()).code, 0)
  }
  const again = await serveClew(dataDir)
  try {
    for (const [i, question] of questions.entries()) assert.deepEqual(await search(again, question), answers[i])
    const metrics = await (await fetch(`${again.url}/metrics`)).text()
    assert.match(metrics, /^clew_fresh_searches_total 0$/m, 'the store answered')
  } finally {
    await again.stop()
  }
})
