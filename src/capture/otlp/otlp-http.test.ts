import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import zlib from 'node:zlib'
import { oneSpan } from '../../../test/support/otlp-sample.ts'
import { Receiving } from '../../../test/support/receiving.ts'
import { UnavailableError } from '../../base/errors.ts'
import { startOtlpHttp } from './otlp-http.ts'

const protobuf = 'application/x-protobuf'
const json = 'application/json'
const bodyBytesMax = 1 << 20

let receiving: Receiving
let base: string

before(async () => {
  receiving = await Receiving.open({ bodyBytesMax, corsOrigins: ['https://shop.example'] })
  base = `http://${await receiving.start(startOtlpHttp)}`
})
after(() => receiving.close())

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  readonly body: Buffer
}

async function post(path: string, body: Uint8Array | string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(base + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : Buffer.from(body),
    headers,
  })
  const { status } = response
  const type = response.headers.get('content-type')
  return { status, type, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
}

test('full success is 200 with an empty answer in the encoding of the request', async () => {
  const batches = receiving.batches.length
  const { status, type, body } = await post('/v1/traces', oneSpan(), { 'content-type': protobuf })
  assert.deepEqual([status, type, body.length], [200, protobuf, 0])
  const inJson = await post('/v1/traces', '{"resourceSpans":[]}', { 'content-type': 'application/json; charset=utf-8' })
  assert.deepEqual([inJson.status, inJson.type, inJson.body.toString()], [200, json, '{}'])
  assert.equal(receiving.batches.length, batches + 1)
})

test('the data is in the log before the answer is sent', async () => {
  const next = receiving.log.stats().nextPosition
  await post('/v1/traces', oneSpan(), { 'content-type': protobuf })
  assert.equal(receiving.log.stats().nextPosition, next + 1)
})

test('the same body again is acknowledged and not stored again', async () => {
  const body = oneSpan()
  const batches = receiving.batches.length
  for (let i = 0; i < 3; i++) assert.equal((await post('/v1/traces', body, { 'content-type': protobuf })).status, 200)
  assert.equal(receiving.batches.length, batches + 1)
})

test('every content encoding is accepted', async () => {
  const pack: Record<string, (body: Uint8Array) => Uint8Array> = {
    gzip: zlib.gzipSync,
    deflate: zlib.deflateSync,
    zstd: zlib.zstdCompressSync,
    identity: (body) => body,
  }
  for (const [encoding, compress] of Object.entries(pack)) {
    const batches = receiving.batches.length
    const headers = { 'content-type': protobuf, 'content-encoding': encoding }
    assert.equal((await post('/v1/traces', compress(oneSpan()), headers)).status, 200, encoding)
    assert.equal(receiving.batches.at(-1)!.rows, 1)
    assert.equal(receiving.batches.length, batches + 1)
  }
})

test('a bad span is answered with a partial success and the others are stored', async () => {
  const span = '{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"x"}'
  const body = `{"resourceSpans":[{"scopeSpans":[{"spans":[${span},{"spanId":"eee19b7ec3c1b174"},${span}]}]}]}`
  const answer = await post('/v1/traces', body, { 'content-type': json })
  assert.equal(answer.status, 200)
  assert.deepEqual(JSON.parse(answer.body.toString()), {
    partialSuccess: { rejectedSpans: '1', errorMessage: 'resourceSpans[0].scopeSpans[0].spans[1] has no traceId' },
  })
  assert.equal(receiving.batches.at(-1)!.rows, 2)
})

test('errors are a Status in the encoding of the request', async () => {
  const inJson = await post('/v1/traces', '{"resourceSpans":', { 'content-type': json })
  assert.deepEqual([inJson.status, inJson.type], [400, json])
  const status = JSON.parse(inJson.body.toString())
  assert.equal(status.code, 3)
  assert.match(status.message, /cannot decode JSON: the text ends .* at byte 17/)
  const inProtobuf = await post('/v1/logs', Buffer.from([0x0a, 0x05]), { 'content-type': protobuf })
  assert.deepEqual([inProtobuf.status, inProtobuf.type], [400, protobuf])
  assert.deepEqual([...inProtobuf.body.subarray(0, 2)], [0x08, 3])
  assert.match(inProtobuf.body.toString(), /cannot decode protobuf: length 5 runs past the end/)
})

test('what is not OTLP/HTTP is 415, 405 or 404', async () => {
  for (const type of ['text/plain', 'application/xml', 'application/x-protobuf-not', 'json', '', 'a/b, a/b']) {
    assert.deepEqual(await statusOf('/v1/traces', { method: 'POST', body: 'x', headers: { 'content-type': type } }), [
      415,
      json,
    ])
  }
  assert.deepEqual(await statusOf('/v1/traces', { method: 'POST' }), [415, json])
  const encoding = { 'content-type': protobuf, 'content-encoding': 'br' }
  assert.deepEqual(await statusOf('/v1/traces', { method: 'POST', body: 'x', headers: encoding }), [415, protobuf])
  for (const method of ['GET', 'PUT', 'DELETE']) {
    assert.deepEqual(await statusOf('/v1/traces', { method }), [405, json])
  }
  assert.equal((await fetch(`${base}/v1/traces`)).headers.get('allow'), 'POST')
  assert.deepEqual(await statusOf('/v2/traces', { method: 'POST' }), [404, json])
})

async function statusOf(path: string, init: RequestInit): Promise<[number, string | null]> {
  const response = await fetch(base + path, init)
  await response.arrayBuffer()
  return [response.status, response.headers.get('content-type')]
}

test('a body over the limit is 413, whether declared, streamed or unpacked', async () => {
  const large = Buffer.alloc(bodyBytesMax + 1)
  const headers = { 'content-type': protobuf }
  assert.equal((await post('/v1/traces', large, headers)).status, 413)
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(large.subarray(0, 65_536))
      if ((this as { sent?: number }).sent === 40) controller.close()
      ;(this as { sent?: number }).sent = ((this as { sent?: number }).sent ?? 0) + 1
    },
  })
  const streamed = await fetch(`${base}/v1/traces`, {
    method: 'POST',
    body: stream,
    headers,
    duplex: 'half',
  } as RequestInit)
  assert.deepEqual([streamed.status, streamed.headers.get('content-type')], [413, protobuf])
  const bomb = { ...headers, 'content-encoding': 'gzip' }
  const answer = await post('/v1/traces', zlib.gzipSync(Buffer.alloc(100 << 20)), bomb)
  assert.equal(answer.status, 413)
  assert.match(answer.body.toString(), /larger than 1048576 bytes after decompression/)
})

test('metrics are refused permanently, with their number', async () => {
  const body = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{},{}]}}]}]}]}'
  const { status, body: answer } = await post('/v1/metrics', body, { 'content-type': json })
  assert.equal(status, 200)
  const { partialSuccess } = JSON.parse(answer.toString())
  assert.equal(partialSuccess.rejectedDataPoints, '2')
  assert.match(partialSuccess.errorMessage, /clew does not store metrics/)
  assert.equal((await post('/v1/metrics', '{}', { 'content-type': json })).body.toString(), '{}')
  assert.equal((await post('/v1/metrics', '{"resourceMetrics":1}', { 'content-type': json })).status, 400)
})

test('a listed web origin may send from a browser, others may not', async () => {
  const preflight = (origin: string) =>
    fetch(`${base}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })
  const allowed = await preflight('https://shop.example')
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://shop.example')
  assert.equal(allowed.headers.get('access-control-allow-headers'), 'content-type')
  // A beacon has credentials.
  assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true')
  assert.match(allowed.headers.get('vary') ?? '', /origin/i)
  const headers = { origin: 'https://shop.example', 'content-type': 'application/json' }
  const answer = await fetch(`${base}/v1/traces`, { method: 'POST', body: '{}', headers })
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://shop.example')
  assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
  assert.match(answer.headers.get('vary') ?? '', /origin/i)
  assert.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null)
})

test('when any origin is allowed, the answer names the origin, as credentials require', async () => {
  const open = await Receiving.open({ corsOrigins: ['*'] })
  try {
    const url = `http://${await open.start(startOtlpHttp)}/v1/traces`
    const headers = { origin: 'https://any.example', 'content-type': 'application/json' }
    const answer = await fetch(url, { method: 'POST', body: '{}', headers })
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://any.example')
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true')
    assert.match(answer.headers.get('vary') ?? '', /origin/i)
  } finally {
    await open.close()
  }
})

test('a warning says what was repaired and rejects nothing', async () => {
  const span = '{"traceId":"a1","spanId":"b1","name":"n?","startTimeUnixNano":"1"}'
  const body = Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}`)
  body[body.indexOf('?')] = 0xc3
  const answer = await fetch(`${base}/v1/traces`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  const text =
    '1 values are not stored as they were sent: a text of the JSON is not valid UTF-8: U+FFFD stands for the bad bytes'
  assert.deepEqual(await answer.json(), { partialSuccess: { errorMessage: text } })
  assert.equal(receiving.counters.of('otlp/http', 'spans').repaired, 1)
})

test('a full log is 429, a stopping program 503, both with a time to retry', async () => {
  const full = await Receiving.open({ logBytesMax: 4096 })
  try {
    const url = `http://${await full.start(startOtlpHttp)}/v1/traces`
    const send = () => fetch(url, { method: 'POST', body: oneSpan(), headers: { 'content-type': protobuf } })
    let response = await send()
    for (let i = 0; i < 100 && response.status === 200; i++) response = await send()
    assert.equal(response.status, 429)
    assert.equal(response.headers.get('retry-after'), '1')
    assert.equal(Buffer.from(await response.arrayBuffer()).readUInt16BE(), 0x0808)
    await full.intake.close()
    response = await send()
    assert.equal(response.status, 503)
    assert.ok(Number(response.headers.get('retry-after')) >= 1)
  } finally {
    await full.close()
  }
})

test('a client that sends too slowly is cut off, and an idle connection closed', async () => {
  const limits = { requestTimeoutMs: 300, idleTimeoutMs: 300 }
  const slow = await Receiving.open({ limits })
  try {
    const [host, port] = (await slow.start(startOtlpHttp)).split(':')
    const started = performance.now()
    const [silent, trickling] = await Promise.all([
      untilClosed(host!, Number(port), ''),
      untilClosed(
        host!,
        Number(port),
        `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${protobuf}\r\nContent-Length: 9\r\n\r\nx`,
      ),
    ])
    assert.ok(performance.now() - started < 5000)
    assert.match(trickling, /^HTTP\/1\.1 408/)
    assert.match(silent, /^(HTTP\/1\.1 408|$)/)
  } finally {
    await slow.close()
  }
})

function untilClosed(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect(port, host, () => socket.write(text))
    socket.setEncoding('utf8').on('data', (part) => (answer += part))
    socket.on('close', () => resolve(answer)).on('error', reject)
    socket.setTimeout(8000, () => socket.destroy(new Error('still open')))
  })
}

test('connections over the limit are closed', async () => {
  const few = await Receiving.open({ limits: { connectionsMax: 2 } })
  try {
    const [host, port] = (await few.start(startOtlpHttp)).split(':')
    const open = [0, 1].map(() => net.connect(Number(port), host!))
    await Promise.all(open.map((socket) => new Promise((resolve) => socket.on('connect', resolve))))
    assert.equal(await untilClosed(host!, Number(port), ''), '')
    open.forEach((socket) => socket.destroy())
  } finally {
    await few.close()
  }
})

test('unfinished requests of many clients are bounded together', async () => {
  const bounded = await Receiving.open({ bodyBytesMax: 64 << 10 })
  try {
    const [host, port] = (await bounded.start(startOtlpHttp)).split(':')
    const half = (): http.ClientRequest => {
      const headers = { 'content-type': protobuf, 'content-length': 64 << 10 }
      const request = http.request({ host, port, path: '/v1/traces', method: 'POST', headers })
      request.write(Buffer.alloc(60 << 10))
      request.on('error', () => undefined)
      return request
    }
    const held = Array.from({ length: 4 }, half)
    await sleep(200)
    const answer = await new Promise<http.IncomingMessage>((resolve) => half().on('response', resolve))
    assert.equal(answer.statusCode, 429)
    held.forEach((request) => request.destroy())
    await sleep(100)
    const body = oneSpan()
    const after = await fetch(`http://${host}:${port}/v1/traces`, {
      method: 'POST',
      body,
      headers: { 'content-type': protobuf },
    })
    assert.equal(after.status, 200)
  } finally {
    await bounded.close()
  }
})

test('close waits for unfinished requests, and idle connections do not delay it', async () => {
  const closing = await Receiving.open()
  const url = `http://${await closing.start(startOtlpHttp)}/v1/traces`
  const agent = new http.Agent({ keepAlive: true })
  await new Promise<void>((resolve) => {
    const request = http.request(url, { agent, method: 'POST', headers: { 'content-type': protobuf } }, (response) => {
      response.resume().on('end', resolve)
    })
    request.end(oneSpan())
  })
  const started = performance.now()
  await closing.close()
  assert.ok(performance.now() - started < 1500)
  agent.destroy()
})

test('a port in use has a clear error message', async () => {
  const port = Number(new URL(base).port)
  await assert.rejects(receiving.start(startOtlpHttp, port), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.equal(error.code, 'port_in_use')
    assert.match(error.message, /cannot listen on 127\.0\.0\.1:\d+: another process uses this port/)
    return true
  })
})
