import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, test } from 'node:test'
import zlib from 'node:zlib'
import { structs, writeThriftList } from '../../../test/support/apache-thrift.ts'
import { Receiving } from '../../../test/support/receiving.ts'
import { spansOf } from '../../../test/support/span-decoding.ts'
import { codecNamed } from '../../codec/codecs.ts'
import type { Position } from '../../model/log.ts'
import { startZipkin } from './zipkin.ts'

const bodyBytesMax = 1 << 20
const json = 'application/json'

let receiving: Receiving
let base: string

before(async () => {
  receiving = await Receiving.open({
    bodyBytesMax,
    corsOrigins: ['https://shop.example'],
    limits: { requestTimeoutMs: 500 },
  })
  base = `http://${await receiving.start(startZipkin)}`
})
after(() => receiving.close())

let spanNumber = 0
/** A list with one span that no other list has. */
const listOfOne = (): string =>
  JSON.stringify([
    { traceId: '1', id: (++spanNumber).toString(16), name: `span ${spanNumber}`, timestamp: 1_700_000_000_000_000 },
  ])

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(base + path, { method: 'POST', body, headers })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

test('spans are in the log before 202 is answered, and read back from it', async () => {
  const { nextPosition } = receiving.log.stats()
  const { status, text } = await post('/api/v2/spans', listOfOne(), { 'content-type': json })
  assert.deepEqual([status, text], [202, ''])
  const [record] = await Array.fromAsync(receiving.log.read(nextPosition as Position))
  const { batch } = codecNamed(record!.codec)!.decode(record!.body, { receivedAtMs: record!.receivedAtMs })
  assert.deepEqual(spansOf(batch), spansOf(receiving.batches.at(-1)!))
})

test('every format has its path and content type', async () => {
  const v1 = JSON.stringify([{ traceId: '1', id: '2', annotations: [], binaryAnnotations: [{ key: 'v', value: '1' }] }])
  const thrift = writeThriftList(
    'binary',
    structs([
      [1, 'i64', 1n],
      [4, 'i64', 3n],
    ]),
  )
  const protobuf = Buffer.from([0x0a, 0x06, 0x0a, 0x01, 0x01, 0x1a, 0x01, 0x04])
  const requests: [string, string, string | Uint8Array][] = [
    ['/api/v2/spans', 'text/plain', listOfOne()],
    ['/api/v2/spans', 'application/x-protobuf', protobuf],
    ['/api/v1/spans', json, v1],
    ['/api/v1/spans', 'application/x-thrift; charset=utf-8', thrift],
  ]
  for (const [path, type, body] of requests) {
    const before = receiving.batches.length
    const answer = await post(path, typeof body === 'string' ? body : new Uint8Array(body), { 'content-type': type })
    assert.deepEqual([answer.status, answer.text], [202, ''], `${path} ${type}`)
    assert.equal(receiving.batches.length, before + 1)
  }
})

test('compressed bodies are accepted, empty ones are acknowledged and not stored', async () => {
  const pack: Record<string, (body: string) => Buffer> = {
    gzip: zlib.gzipSync,
    deflate: zlib.deflateSync,
    zstd: zlib.zstdCompressSync,
  }
  for (const [encoding, compress] of Object.entries(pack)) {
    const answer = await post('/api/v2/spans', new Uint8Array(compress(listOfOne())), { 'content-encoding': encoding })
    assert.equal(answer.status, 202, encoding)
  }
  // Zipkin treats any unknown type as JSON.
  for (const type of ['json', 'application/ json', ''])
    assert.equal((await post('/api/v2/spans', listOfOne(), { 'content-type': type })).status, 202, type)
  const before = receiving.batches.length
  assert.equal((await post('/api/v2/spans', '')).status, 202)
  assert.equal((await post('/api/v2/spans', '[]')).status, 202)
  for (const path of ['/api/v2/spans', '/api/v1/spans'])
    assert.equal((await post(path, new Uint8Array(zlib.gzipSync('')), { 'content-encoding': 'gzip' })).status, 202)
  assert.equal(receiving.batches.length, before)
})

test('an unreadable body is 400 with a text, and only valid spans are stored', async () => {
  const refused: [string, string, RegExp][] = [
    ['/api/v2/spans', '{', /^Expected a JSON_V2 encoded list: it does not begin/],
    [
      '/api/v2/spans',
      '[{"traceId":"1","id":"1","binaryAnnotations":[]}]',
      /^Expected a JSON_V2 encoded list, but received: JSON_V1/,
    ],
    [
      '/api/v1/spans',
      '[{"traceId":"1","id":"1","tags":{}}]',
      /^Expected a JSON_V1 encoded list, but received: JSON_V2/,
    ],
    ['/api/v2/spans', '[{"traceId":"0","id":"1"}]', /cannot take any of 1 spans: traceId is missing or all zero/],
  ]
  const before = receiving.batches.length
  for (const [path, body, message] of refused) {
    const { status, text, headers } = await post(path, body)
    assert.equal(status, 400)
    assert.match(text, message)
    assert.match(headers.get('content-type')!, /^text\/plain/)
  }
  assert.equal((await post('/api/v2/spans', 'no gzip', { 'content-encoding': 'gzip' })).status, 400)
  assert.equal(receiving.batches.length, before)
  const counts = receiving.counters.of('zipkin', 'spans')
  const rejected = counts.rejected
  assert.equal((await post('/api/v2/spans', `${listOfOne().slice(0, -1)},{}]`)).status, 202)
  assert.equal(counts.rejected, rejected + 1)
  assert.match(counts.lastError!, /traceId is missing/)
})

test('too large a body is 413, compressed or not', async () => {
  const large = new Uint8Array(bodyBytesMax + 1)
  assert.equal((await post('/api/v2/spans', large)).status, 413)
  assert.equal(
    (await post('/api/v2/spans', new Uint8Array(zlib.gzipSync(large)), { 'content-encoding': 'gzip' })).status,
    413,
  )
})

test('other methods and paths are refused, /health works, browsers of known origins may send', async () => {
  const get = await fetch(`${base}/api/v2/spans`)
  assert.deepEqual([get.status, get.headers.get('allow')], [405, 'POST'])
  assert.equal((await post('/api/v3/spans', '[]')).status, 404)
  assert.deepEqual(await (await fetch(`${base}/health`)).json(), { status: 'UP' })
  const preflight = { origin: 'https://shop.example', 'access-control-request-method': 'POST' }
  const options = await fetch(`${base}/api/v2/spans`, { method: 'OPTIONS', headers: preflight })
  assert.equal(options.headers.get('access-control-allow-origin'), 'https://shop.example')
  const answer = await post('/api/v2/spans', listOfOne(), { origin: 'https://shop.example' })
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://shop.example')
})

test('while clew cannot keep more the client is told when to retry', async () => {
  const full = await Receiving.open({ concurrentMax: 0 })
  try {
    const address = await full.start(startZipkin)
    const response = await fetch(`http://${address}/api/v2/spans`, { method: 'POST', body: listOfOne() })
    assert.equal(response.status, 429)
    assert.equal(response.headers.get('retry-after'), '1')
    assert.equal(full.counters.of('zipkin', 'spans').refused, 1)
  } finally {
    await full.close()
  }
})

test('when a client stops in the middle of its body, nothing of it is kept', async () => {
  const before = receiving.batches.length
  const socket = net.connect(Number(new URL(base).port), '127.0.0.1')
  socket.write('POST /api/v2/spans HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n[{"traceId"')
  await new Promise((resolve) =>
    socket
      .on('close', resolve)
      .on('error', () => undefined)
      .resume(),
  )
  assert.equal(receiving.batches.length, before)
  assert.equal((await post('/api/v2/spans', listOfOne())).status, 202)
})
