import assert from 'node:assert/strict'
import http2 from 'node:http2'
import net from 'node:net'
import { after, before, test } from 'node:test'
import zlib from 'node:zlib'
import { Client, compressionAlgorithms, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { oneLogRecord, oneSpan, spans } from '../../../test/support/otlp-sample.ts'
import { Receiving } from '../../../test/support/receiving.ts'
import { bytesField, message } from '../../codec/otlp/wire-writer.ts'
import { UnavailableError } from '../../base/errors.ts'
import { frameMessage } from '../http/grpc-message.ts'
import { startOtlpGrpc } from './otlp-grpc.ts'

const tracePath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const logPath = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const metricPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const bodyBytesMax = 1 << 20

let receiving: Receiving
let address: string

before(async () => {
  receiving = await Receiving.open({ bodyBytesMax })
  address = await receiving.start(startOtlpGrpc)
})
after(() => receiving.close())

/** One call with the client that the JavaScript SDKs use. */
function call(to: string, path: string, body: Buffer, compression = compressionAlgorithms.identity): Promise<Buffer> {
  const client = new Client(to, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression,
    'grpc.max_send_message_length': -1,
  })
  return new Promise<Buffer>((resolve, reject) => {
    const asIs = (bytes: Buffer): Buffer => bytes
    const deadline = Date.now() + 10_000
    client.makeUnaryRequest(path, asIs, asIs, body, new Metadata(), { deadline }, (error, reply) =>
      error === null ? resolve(reply!) : reject(error),
    )
  }).finally(() => client.close())
}

async function failure(promise: Promise<Buffer>): Promise<ServiceError> {
  return promise.then(
    () => assert.fail('the call succeeded'),
    (error: ServiceError) => error,
  )
}

test('spans and log records are stored and answered with an empty message', async () => {
  assert.equal((await call(address, tracePath, oneSpan())).length, 0)
  assert.equal(receiving.spans().length, 1)
  assert.equal((await call(address, logPath, oneLogRecord())).length, 0)
  assert.equal(receiving.events().length, 1)
  assert.equal((await call(address, tracePath, Buffer.alloc(0))).length, 0)
})

test('large messages arrive whole', async () => {
  const ids = Array.from({ length: 5000 }, (_, i) => {
    const spanId = Buffer.alloc(8)
    spanId.writeUInt32BE(i + 1)
    return { traceId: Buffer.alloc(16, 7), spanId }
  })
  const body = spans(ids)
  assert.ok(body.length > 400_000)
  await call(address, tracePath, body)
  assert.equal(receiving.batches.at(-1)!.rows, 5000)
})

test('compressed messages are accepted, and stay compressed in the log', async () => {
  for (const algorithm of [compressionAlgorithms.gzip, compressionAlgorithms.deflate]) {
    await call(address, tracePath, oneSpan(), algorithm)
  }
  assert.equal(await rawStatus(zlib.zstdCompressSync(oneSpan()), 'zstd', 1), '0')
  const encodings: string[] = []
  for await (const record of receiving.log.read(0 as never)) {
    encodings.push(record.encoding)
    if (record.position === receiving.log.stats().nextPosition - 1) break
  }
  assert.deepEqual(encodings.slice(-3), ['gzip', 'deflate', 'zstd'])
  assert.equal(await rawStatus(oneSpan(), 'snappy', 1), String(status.UNIMPLEMENTED))
  assert.equal(await rawStatus(oneSpan(), '', 1), String(status.INVALID_ARGUMENT))
  assert.equal(await rawStatus(oneSpan(), 'gzip', 0), '0')
})

/** A call written by hand, for what no client library sends. */
async function rawStatus(body: Buffer, encoding: string, flag: number): Promise<string> {
  const frame = frameMessage(body)
  frame[0] = flag
  return rawCall(frame, encoding === '' ? {} : { 'grpc-encoding': encoding })
}

function rawCall(bytes: Buffer, headers: Record<string, string> = {}): Promise<string> {
  const session = http2.connect(`http://${address}`)
  return new Promise<string>((resolve, reject) => {
    session.on('error', reject)
    const stream = session.request({
      ':method': 'POST',
      ':path': tracePath,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const settle = (each: http2.IncomingHttpHeaders): void => {
      if (each['grpc-status'] !== undefined) resolve(String(each['grpc-status']))
      else if (String(each[':status']) !== '200') resolve(`HTTP ${String(each[':status'])}`)
    }
    stream.on('response', settle).on('trailers', settle).on('error', reject).resume()
    stream.on('close', () => reject(new Error('closed without a status')))
    stream.end(bytes)
  }).finally(() => session.close())
}

test('a bad span is answered with a partial success', async () => {
  const good = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1) }
  const reply = await call(address, tracePath, spans([good, { ...good, spanId: Buffer.alloc(8) }]))
  const text = 'resource_spans[0].scope_spans[0].spans[1]: span_id is all zero'
  const partial = Buffer.concat([Buffer.from([0x08, 1]), bytesField(2, Buffer.from(text))])
  assert.deepEqual(reply, message(bytesField(1, partial)))
})

test('bad bytes are INVALID_ARGUMENT with the place', async () => {
  const error = await failure(call(address, tracePath, Buffer.from([0x0a, 0x05])))
  assert.equal(error.code, status.INVALID_ARGUMENT)
  assert.match(error.details, /cannot decode protobuf: length 5 runs past the end of the message at byte 2/)
  assert.match(detailsOf(error), /google\.rpc\.BadRequest/)
})

function detailsOf(error: ServiceError): string {
  return Buffer.from(error.metadata.get('grpc-status-details-bin')[0] as Buffer).toString('latin1')
}

test('too large is RESOURCE_EXHAUSTED without a time to retry', async () => {
  const error = await failure(call(address, tracePath, Buffer.alloc(bodyBytesMax + 1)))
  assert.equal(error.code, status.RESOURCE_EXHAUSTED)
  assert.doesNotMatch(detailsOf(error), /RetryInfo/)
  const bomb = await failure(call(address, tracePath, Buffer.alloc(100 << 20), compressionAlgorithms.gzip))
  assert.equal(bomb.code, status.RESOURCE_EXHAUSTED)
  assert.match(bomb.details, /after decompression/)
})

test('metrics are refused permanently, with their number', async () => {
  const gauge = bytesField(5, message(bytesField(1, Buffer.alloc(0)), bytesField(1, Buffer.from([0x08, 1]))))
  const body = bytesField(1, message(bytesField(2, message(bytesField(2, message(gauge))))))
  const reply = await call(address, metricPath, Buffer.from(body))
  assert.deepEqual([...reply.subarray(2, 4)], [0x08, 2])
  assert.match(reply.toString(), /clew does not store metrics/)
})

test('an unknown method is UNIMPLEMENTED, another content type 415', async () => {
  assert.equal(
    (await failure(call(address, '/grpc.health.v1.Health/Check', Buffer.alloc(0)))).code,
    status.UNIMPLEMENTED,
  )
  assert.equal(await rawCall(Buffer.alloc(0), { 'content-type': 'application/json' }), 'HTTP 415')
})

test('broken frames are refused and do not affect the connections of others', async () => {
  const frame = frameMessage(oneSpan())
  assert.equal(await rawCall(frame.subarray(0, 3)), String(status.INVALID_ARGUMENT))
  assert.equal(await rawCall(frame.subarray(0, 20)), String(status.INVALID_ARGUMENT))
  assert.equal(await rawCall(Buffer.concat([frame, frame])), String(status.INVALID_ARGUMENT))
  assert.equal(await rawCall(Buffer.from([2, 0, 0, 0, 0])), String(status.INVALID_ARGUMENT))
  assert.equal(await rawCall(Buffer.from([0, 255, 255, 255, 255])), String(status.RESOURCE_EXHAUSTED))
  await call(address, tracePath, oneSpan())
})

test('a client that speaks HTTP/1 or noise is disconnected', async () => {
  const [host, port] = address.split(':')
  for (const text of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\0\xff\0\xff'.repeat(100),
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(5000)}`,
  ]) {
    await new Promise<void>((resolve, reject) => {
      const socket = net.connect(Number(port), host, () => socket.write(text))
      socket.on('close', () => resolve()).on('error', () => undefined)
      socket.resume().setTimeout(5000, () => reject(new Error('still open')))
    })
  }
  await call(address, tracePath, oneSpan())
})

test('a full log is RESOURCE_EXHAUSTED, a stopping program UNAVAILABLE, both with a time to retry', async () => {
  const full = await Receiving.open({ logBytesMax: 4096 })
  try {
    const to = await full.start(startOtlpGrpc)
    let error: ServiceError | undefined
    for (let i = 0; i < 100 && error === undefined; i++) {
      error = await call(to, tracePath, oneSpan()).then(
        () => undefined,
        (thrown: ServiceError) => thrown,
      )
    }
    assert.equal(error?.code, status.RESOURCE_EXHAUSTED)
    assert.match(detailsOf(error!), /RetryInfo/)
    await full.intake.close()
    const stopping = await failure(call(to, tracePath, oneSpan()))
    assert.equal(stopping.code, status.UNAVAILABLE)
    assert.match(detailsOf(stopping), /RetryInfo/)
  } finally {
    await full.close()
  }
})

test('a call that never ends is cut off, and an idle connection closed', async () => {
  const slow = await Receiving.open({ limits: { requestTimeoutMs: 200, idleTimeoutMs: 300 } })
  try {
    const session = http2.connect(`http://${await slow.start(startOtlpGrpc)}`)
    const closed = new Promise<void>((resolve) => session.on('close', resolve))
    const stream = session.request({ ':method': 'POST', ':path': tracePath, 'content-type': 'application/grpc' })
    stream.write(frameMessage(oneSpan()).subarray(0, 10))
    const headers = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on('response', resolve))
    assert.equal(headers['grpc-status'], String(status.UNAVAILABLE))
    stream.resume()
    await closed
  } finally {
    await slow.close()
  }
})

test('unfinished calls are answered while the listener closes', async () => {
  const closing = await Receiving.open()
  const to = await closing.start(startOtlpGrpc)
  const calls = Array.from({ length: 20 }, () => call(to, tracePath, oneSpan()))
  await Promise.all(calls)
  const started = performance.now()
  await closing.close()
  assert.ok(performance.now() - started < 1500)
})

test('a port in use has a clear error message', async () => {
  const port = Number(address.split(':')[1])
  await assert.rejects(receiving.start(startOtlpGrpc, port), (error) => {
    assert.ok(error instanceof UnavailableError && error.code === 'port_in_use')
    return true
  })
})
