/** A request that takes seconds to decode: everybody else is answered meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { serveFor } from '../support/served.ts'

/** Refused once a million rows were read, and packed to a few KiB: nearly all of its time is decoding. */
const worst = [
  {
    what: 'OTLP JSON of a million wrong spans',
    path: '/v1/traces',
    type: 'application/json',
    body: () => `{"resourceSpans":[{"scopeSpans":[{"spans":[{}${',{}'.repeat(1 << 21)}]}]}]}`,
  },
  {
    what: 'text of millions of lines',
    path: '/events',
    type: 'text/plain',
    body: () => 'a\n'.repeat(6 << 20),
  },
] as const

/** Decoded on the event loop, at most the pings of the upload are answered: three or four. */
const pingsMin = 25

for (const { what, path, type, body } of worst) {
  test(`nobody waits for ${what}`, async (t) => {
    const clew = await serveFor(t)
    const packed = gzipSync(body())
    let isAnswered = false
    let pings = 0
    const headers = { 'content-type': type, 'content-encoding': 'gzip' }
    const answering = fetch(clew.otlpUrl + path, { method: 'POST', headers, body: packed }).finally(
      () => (isAnswered = true),
    )
    while (!isAnswered) {
      const ping = await fetch(`${clew.url}/ready`)
      await ping.arrayBuffer()
      if (!isAnswered) pings++
    }
    const answer = await answering
    assert.equal(answer.status, 413, await answer.text())
    assert.ok(pings >= pingsMin, `${pings} pings were answered before the request was`)
  })
}
