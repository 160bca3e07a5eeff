import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { Receiving, type ReceivingOptions } from '../../../test/support/receiving.ts'
import { eventRows, type EventRow } from '../../../test/support/event-rows.ts'
import { startOtlpHttp } from '../otlp/otlp-http.ts'

interface Answer {
  readonly status: number
  readonly body: { accepted?: number; rejected?: number; error?: unknown }
  readonly retryAfter: string | null
}

async function withEvents(
  run: (
    post: (body: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>) => Promise<Answer>,
    receiving: Receiving,
  ) => Promise<void>,
  options: ReceivingOptions = {},
): Promise<void> {
  const receiving = await Receiving.open(options)
  const address = await receiving.start(startOtlpHttp)
  try {
    await run(async (body, headers = {}) => {
      const response = await fetch(`http://${address}/events`, { method: 'POST', body, headers })
      const answer = (await response.json()) as Answer['body']
      return { status: response.status, body: answer, retryAfter: response.headers.get('retry-after') }
    }, receiving)
  } finally {
    await receiving.close()
  }
}

const rows = (receiving: Receiving): EventRow[] => receiving.events().flatMap(eventRows)

for (const [name, type, body] of [
  ['an array', 'application/json', '[{"message":"a"},{"message":"b"}]'],
  ['NDJSON', 'application/x-ndjson', '{"message":"a"}\n{"message":"b"}'],
  ["curl's form type with JSON", 'application/x-www-form-urlencoded', '[{"message":"a"},{"message":"b"}]'],
  ['text', 'text/plain; charset=utf-8', 'a\nb\n'],
] as const) {
  test(`${name} is accepted`, () =>
    withEvents(async (post, receiving) => {
      assert.deepEqual(await post(body, { 'content-type': type }), {
        status: 200,
        body: { accepted: 2, rejected: 0 },
        retryAfter: null,
      })
      assert.deepEqual(
        rows(receiving).map((row) => row.body),
        ['a', 'b'],
      )
    }))
}

test('compressed bodies are unpacked', () =>
  withEvents(async (post, receiving) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    assert.equal((await post(Uint8Array.from(zlib.gzipSync('{"message":"zip"}')), headers)).status, 200)
    assert.equal(rows(receiving)[0]!.body, 'zip')
  }))

test('the same body twice is two events', () =>
  withEvents(async (post, receiving) => {
    for (let i = 0; i < 2; i++) await post('{"message":"tick"}', { 'content-type': 'application/json' })
    assert.equal(rows(receiving).length, 2)
  }))

test('the answer says what was wrong', () =>
  withEvents(async (post, receiving) => {
    const json = { 'content-type': 'application/json' }
    const mixed = await post('[{"message":"a"},7]', json)
    assert.deepEqual([mixed.status, mixed.body.accepted, mixed.body.rejected], [200, 1, 1])
    assert.match(String(mixed.body.error), /neither an object nor a string/)
    assert.equal((await post('{"message":', json)).status, 400)
    assert.equal((await post('x', { 'content-type': 'application/x-protobuf' })).status, 415)
    assert.equal((await post('x', { 'content-type': 'json' })).status, 415)
    assert.equal((await post('x', { 'content-type': 'text/plain', 'content-encoding': 'br' })).status, 415)
    assert.deepEqual(
      rows(receiving).map((row) => row.body),
      ['a'],
    )
    assert.equal(receiving.counters.of('events/http', 'events').failed, 3)
  }))

test('too large a body is 413, a full log 429 with a time to retry', () =>
  withEvents(
    async (post, receiving) => {
      const text = { 'content-type': 'text/plain' }
      assert.equal((await post('x'.repeat(2_000_000), text)).status, 413)
      await receiving.log.consumer('writer')
      const statuses: number[] = []
      let last: Answer | undefined
      for (let i = 0; i < 4; i++) {
        last = await post('x'.repeat(400_000), text)
        statuses.push(last.status)
      }
      assert.deepEqual(statuses, [200, 200, 429, 429])
      assert.equal(last?.retryAfter, '1')
    },
    { bodyBytesMax: 1 << 20, logBytesMax: 1 << 20 },
  ))
