import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import zlib from 'node:zlib'
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  status as grpcStatus,
  type ServiceError,
} from '@grpc/grpc-js'
import { structs, writeThrift, type ThriftStruct } from '../../../test/support/apache-thrift.ts'
import { Receiving } from '../../../test/support/receiving.ts'
import { spansOf } from '../../../test/support/span-decoding.ts'
import { startJaegerGrpc } from './jaeger-grpc.ts'
import { startJaegerHttp } from './jaeger-http.ts'
import { startJaegerBinary, startJaegerCompact } from './jaeger-udp.ts'

const bodyBytesMax = 1 << 20
const thrift = 'application/x-thrift'

let receiving: Receiving
before(async () => (receiving = await Receiving.open({ bodyBytesMax })))
after(() => receiving.close())

let spanNumber = 0n
const span = (name: string, id = ++spanNumber): ThriftStruct => [
  [1, 'i64', 1n],
  [2, 'i64', 0n],
  [3, 'i64', id],
  [4, 'i64', 0n],
  [5, 'string', name],
  [7, 'i32', 1],
  [8, 'i64', 1_700_000_000_000_000n],
  [9, 'i64', 10n],
]
const batch = (...spans: ThriftStruct[]): ThriftStruct => [
  [1, 'struct', [[1, 'string', 'driver']]],
  [2, 'list', structs(...spans)],
]
const emit = (encoding: 'binary' | 'compact', ...spans: ThriftStruct[]): Buffer =>
  writeThrift(encoding, [[1, 'struct', batch(...spans)]], { name: 'emitBatch', type: 4 })

const namesIn = (from: Receiving): string[] => from.spans().flatMap((rows) => spansOf(rows).map((row) => row.name))

/** Waits until the condition holds, for at most two seconds. */
async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round++) await sleep(10)
  assert.ok(holds())
}

async function sendAll(address: string, datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4')
  const port = Number(address.split(':')[1])
  for (const datagram of datagrams) await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve))
  socket.close()
}

test('datagrams are gathered into few records, garbage among them affects no other', async () => {
  const address = await receiving.start(startJaegerCompact)
  const before = receiving.log.stats().nextPosition
  const datagrams = Array.from({ length: 50 }, (_, i) =>
    i % 5 === 4 ? Buffer.from(`garbage ${i}`) : emit('compact', span(`udp ${i}`)),
  )
  await sendAll(address, [...datagrams, Buffer.alloc(0), Buffer.alloc(60_000, 0xff)])
  await until(() => namesIn(receiving).filter((name) => name.startsWith('udp')).length === 40)
  const counts = receiving.counters.of('jaeger/compact', 'spans')
  await until(() => counts.rejected === 12)
  assert.equal(counts.accepted, 40)
  assert.ok(receiving.log.stats().nextPosition - before < 20)
})

test('either port accepts both protocols, and equal datagrams are two separate events', async () => {
  const address = await receiving.start(startJaegerBinary)
  const again = emit('compact', span('twice', 77n))
  await sendAll(address, [emit('binary', span('as binary')), again])
  await until(() => namesIn(receiving).includes('twice'))
  await sendAll(address, [again])
  await until(() => namesIn(receiving).filter((name) => name === 'twice').length === 2)
  assert.ok(namesIn(receiving).includes('as binary'))
})

test('datagrams that clew cannot keep are counted as dropped', async () => {
  const full = await Receiving.open({ concurrentMax: 0 })
  try {
    const address = await full.start(startJaegerCompact)
    await sendAll(address, [emit('compact', span('a')), emit('compact', span('b'))])
    const counts = full.counters.of('jaeger/compact', 'spans')
    await until(() => counts.dropped === 2)
    assert.equal(full.batches.length, 0)
  } finally {
    await full.close()
  }
})

test('what was received is stored when the receiver is closed', async () => {
  const closing = await Receiving.open()
  try {
    let close: (() => Promise<void>) | undefined
    const address = await closing.start(async (context) => {
      const listener = await startJaegerCompact(context)
      close = () => listener.close()
      return { ...listener, close: async () => undefined }
    })
    await sendAll(address, [emit('compact', span('last'))])
    // Long enough to be received, too short to be stored by the timer.
    await sleep(15)
    await close!()
    assert.deepEqual(namesIn(closing), ['last'])
  } finally {
    await closing.close()
  }
})

test('a batch over HTTP is durable at 202', async () => {
  const address = await receiving.start(startJaegerHttp)
  const post = (body: Uint8Array, headers: Record<string, string>, query = ''): Promise<Response> =>
    fetch(`http://${address}/api/traces${query}`, { method: 'POST', body: new Uint8Array(body), headers })
  const { nextPosition } = receiving.log.stats()
  const ok = await post(writeThrift('binary', batch(span('http'))), { 'content-type': thrift }, '?format=jaeger.thrift')
  assert.deepEqual([ok.status, await ok.text()], [202, ''])
  assert.equal(receiving.log.stats().nextPosition, nextPosition + 1)
  const packed = zlib.gzipSync(writeThrift('binary', batch(span('packed'))))
  const types = { 'content-type': 'application/vnd.apache.thrift.binary', 'content-encoding': 'gzip' }
  assert.equal((await post(packed, types)).status, 202)
  assert.deepEqual(namesIn(receiving).slice(-2), ['http', 'packed'])
  const refused: [Uint8Array, Record<string, string>, number, RegExp][] = [
    [Buffer.from('garbage'), { 'content-type': thrift }, 400, /cannot decode thrift/],
    [
      writeThrift('binary', batch(span('zero', 0n))),
      { 'content-type': thrift },
      400,
      /cannot take any of 1 spans: span id/,
    ],
    [Buffer.from('{}'), { 'content-type': 'application/json' }, 400, /Unsupported content type: application\/json/],
    [Buffer.from('{}'), {}, 400, /Unsupported content type/],
    [Buffer.alloc(bodyBytesMax + 1), { 'content-type': thrift }, 413, /larger than/],
  ]
  for (const [body, headers, status, message] of refused) {
    const answer = await post(body, headers)
    assert.equal(answer.status, status)
    assert.match(await answer.text(), message)
  }
  assert.equal((await fetch(`http://${address}/api/traces`)).status, 405)
})

test('a full clew answers thrift over HTTP with 503 and a time', async () => {
  const full = await Receiving.open({ concurrentMax: 0 })
  try {
    const address = await full.start(startJaegerHttp)
    const body = new Uint8Array(writeThrift('binary', batch(span('x'))))
    const answer = await fetch(`http://${address}/api/traces`, {
      method: 'POST',
      body,
      headers: { 'content-type': thrift },
    })
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1'])
  } finally {
    await full.close()
  }
})

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes
const Collector = makeGenericClientConstructor(
  {
    postSpans: {
      path: '/jaeger.api_v2.CollectorService/PostSpans',
      requestStream: false,
      responseStream: false,
      requestSerialize: bytesAsTheyAre,
      requestDeserialize: bytesAsTheyAre,
      responseSerialize: bytesAsTheyAre,
      responseDeserialize: bytesAsTheyAre,
    },
  },
  'CollectorService',
)

/** Calls PostSpans with the real gRPC client; resolves with the answer's bytes or the error. */
async function postSpans(address: string, body: Buffer): Promise<Buffer | ServiceError> {
  const client = new Collector(address, credentials.createInsecure())
  try {
    return await new Promise((resolve) =>
      client['postSpans']!(body, new Metadata(), (error: ServiceError | null, answer: Buffer) =>
        resolve(error ?? answer),
      ),
    )
  } finally {
    client.close()
  }
}

/** PostSpansRequest { batch { spans { trace_id, span_id, operation_name } process { service_name } } } */
function postSpansRequest(spanId: number): Buffer {
  const field = (number: number, bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
  const id = Buffer.from([0, 0, 0, 0, 0, 0, 0, spanId])
  const row = Buffer.concat([field(1, Buffer.alloc(16, 1)), field(2, id), field(3, Buffer.from('grpc'))])
  return field(1, Buffer.concat([field(1, row), field(2, field(1, Buffer.from('driver')))]))
}

test('PostSpans over gRPC is durable at OK, and reports what is wrong', async () => {
  const address = await receiving.start((context) => startJaegerGrpc(context, ''))
  const answer = await postSpans(address, postSpansRequest(9))
  assert.ok(Buffer.isBuffer(answer) && answer.length === 0, String(answer))
  const [row] = spansOf(receiving.spans().at(-1)!)
  assert.deepEqual([row!.name, row!.resource], ['grpc', '{"attributes":{"service.name":"driver"}}'])
  const none = (await postSpans(address, postSpansRequest(0))) as ServiceError
  assert.equal(none.code, grpcStatus.INVALID_ARGUMENT)
  assert.match(none.details, /span id is missing or all zero/)
  const broken = (await postSpans(address, Buffer.from([0x0a, 0xff]))) as ServiceError
  assert.equal(broken.code, grpcStatus.INVALID_ARGUMENT)
})

test('a full clew answers gRPC with RESOURCE_EXHAUSTED and RetryInfo', async () => {
  const full = await Receiving.open({ concurrentMax: 0 })
  try {
    const error = (await postSpans(
      await full.start((context) => startJaegerGrpc(context, '')),
      postSpansRequest(9),
    )) as ServiceError
    assert.equal(error.code, grpcStatus.RESOURCE_EXHAUSTED)
    assert.match(String(error.metadata.get('grpc-status-details-bin')[0]), /google.rpc.RetryInfo/)
  } finally {
    await full.close()
  }
})
