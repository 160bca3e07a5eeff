import assert from 'node:assert/strict'
import http2 from 'node:http2'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { Receiving } from '../../../test/support/receiving.ts'
import { oneSpan } from '../../../test/support/otlp-sample.ts'
import { startOtlpGrpc } from '../../capture/otlp/otlp-grpc.ts'
import { startOtlpHttp } from '../../capture/otlp/otlp-http.ts'
import { startZipkin } from '../../capture/zipkin/zipkin.ts'
import { frameMessage } from '../../capture/http/grpc-message.ts'

let receiving: Receiving
let grpc: string
let http: string
let zipkin: string
before(async () => {
  receiving = await Receiving.open({ limits: { requestTimeoutMs: 1000 } })
  grpc = await receiving.start((context) => startOtlpGrpc(context, 4318))
  http = await receiving.start((context) => startOtlpHttp(context, 4317))
  zipkin = await receiving.start(startZipkin)
})
after(() => receiving.close())

const post = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0'
/** The head of a TLS 1.2 record with a ClientHello. */
const hello = '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003'

/** Sends the pieces one after the other and returns everything received until the connection ends. */
async function ask(address: string, ...pieces: string[]): Promise<string> {
  const [host, port] = address.split(':')
  const socket = net.connect(Number(port), host!)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  for (const piece of pieces) {
    socket.write(Buffer.from(piece, 'latin1'))
    if (pieces.length > 1) await sleep(30)
  }
  const late = setTimeout(() => socket.destroy(), 4000)
  await closed
  clearTimeout(late)
  return Buffer.concat(chunks).toString('latin1')
}

function failed(protocol: string): number {
  return receiving.counters.of(protocol, 'spans').failed
}

const wrong: readonly [what: string, address: () => string, sent: string, protocol: string, said: RegExp][] = [
  ['HTTP/1 on the gRPC port', () => grpc, post, 'otlp/grpc', /^HTTP\/1\.1 400 [^]*send OTLP over HTTP to port 4318/],
  ['TLS on the gRPC port', () => grpc, hello, 'otlp/grpc', /speaks TLS came to port \d+, which is plain/],
  ['TLS on the HTTP port', () => http, hello, 'otlp/http', /^HTTP\/1\.1 400 [^]*which is plain: send to http:/],
  ['HTTP/2 without a call on the HTTP port', () => http, preface, 'otlp/http', /over gRPC as port 4317 does/],
  ['TLS on the Zipkin port', () => zipkin, hello, 'zipkin', /which is plain/],
  ['HTTP/2 on the Zipkin port', () => zipkin, preface, 'zipkin', /zipkin takes HTTP\/1\.1/],
]
for (const [what, address, sent, protocol, said] of wrong) {
  test(`${what} gets an explanation and is counted`, async () => {
    const before = failed(protocol)
    assert.match(await ask(address(), sent), said)
    assert.equal(failed(protocol), before + 1)
    assert.match(receiving.counters.of(protocol, 'spans').lastError!, /port/)
  })
}

test('the port of OTLP over HTTP accepts gRPC as well as HTTP/1', async () => {
  const session = http2.connect(`http://${http}`)
  try {
    const call = session.request({
      ':method': 'POST',
      ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const status = new Promise((resolve) => call.on('trailers', (trailers) => resolve(trailers['grpc-status'])))
    call.resume().end(frameMessage(oneSpan()))
    assert.equal(await status, '0')
    assert.equal(receiving.spans().at(-1)!.rows, 1)
    assert.equal(receiving.counters.of('otlp/grpc', 'spans').accepted, 1)
    // A session that has made its call stays open.
    await sleep(2200)
    assert.equal(session.closed, false)
  } finally {
    session.close()
  }
  const answer = await fetch(`http://${http}/v1/traces`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(answer.status, 200)
})

test('an HTTP/2 client that does not speak gRPC learns what the port accepts', async () => {
  const session = http2.connect(`http://${http}`)
  const before = failed('otlp/http')
  const call = session.request({ ':method': 'POST', ':path': '/v1/traces', 'content-type': 'application/json' })
  const chunks: Buffer[] = []
  call.on('data', (chunk: Buffer) => chunks.push(chunk)).end('{}')
  await new Promise((resolve) => call.on('end', resolve))
  assert.match(Buffer.concat(chunks).toString(), /takes OTLP over HTTP\/1\.1/)
  assert.equal(failed('otlp/http'), before + 1)
  session.close()
})

test('the first bytes may arrive one by one, and a client that sends none is disconnected in time', async () => {
  const byteByByte = ['P', 'O', 'S', 'T', ' /', post.slice(6).replace('Host: x', 'Connection: close\r\nHost: x')]
  assert.match(await ask(http, ...byteByByte), /^HTTP\/1\.1 200/)
  const started = performance.now()
  assert.equal(await ask(http), '')
  assert.equal(await ask(grpc, 'PR'), '')
  assert.ok(performance.now() - started < 3500)
})

test('a client that has sent nothing yet does not delay the close', async () => {
  const closing = await Receiving.open()
  const addresses = [await closing.start(startOtlpHttp), await closing.start(startOtlpGrpc)]
  const sockets = addresses.map((address) => net.connect(Number(address.split(':')[1]), '127.0.0.1'))
  for (const socket of sockets) socket.on('error', () => undefined)
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('connect', resolve))))
  await sleep(50)
  const started = performance.now()
  await closing.close()
  assert.ok(performance.now() - started < 1500)
})
