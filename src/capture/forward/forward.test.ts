import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeMulti, Encoder } from '@msgpack/msgpack'
import { Receiving, type ReceivingOptions } from '../../../test/support/receiving.ts'
import { eventRows } from '../../../test/support/event-rows.ts'
import { connect, portOf, received, sendTcp, until } from '../../../test/support/sockets.ts'
import { codecNamed } from '../../codec/codecs.ts'
import type { EventBatch } from '../../model/event-batch.ts'
import type { Position } from '../../model/log.ts'
import type { ForwardSecurity } from './forward-handshake.ts'
import { startForward, startForwardHeartbeat } from './forward.ts'

const open: ForwardSecurity = { sharedKey: '', users: new Map() }
const closed: ForwardSecurity = { sharedKey: 'secret', users: new Map([['ada', 'pw']]) }

const pack = (value: unknown): Buffer => Buffer.from(new Encoder().encode(value))
const message = (text: string, option?: object): Buffer =>
  pack(['app', 1_763_890_000, { message: text }, ...(option === undefined ? [] : [option])])

async function withForward(
  run: (receiving: Receiving, address: string) => Promise<void>,
  security = open,
  options: ReceivingOptions = {},
): Promise<void> {
  const receiving = await Receiving.open(options)
  try {
    await run(receiving, await receiving.start((context) => startForward(context, { security, tls: undefined })))
  } finally {
    await receiving.close()
  }
}

const bodies = (receiving: Receiving): unknown[] =>
  receiving.events().flatMap((batch) => eventRows(batch).map((row) => row.body))

test('messages without a chunk id that arrive together are one record, and replay to the same events', () =>
  withForward(async (receiving, address) => {
    assert.equal((await sendTcp(address, Buffer.concat([message('a'), Buffer.from([0xc0]), message('b')]))).length, 0)
    assert.deepEqual(bodies(receiving), ['a', 'b'])
    assert.equal(receiving.log.stats().appendedRecords, 1)
    for await (const { codec, body, receivedAtMs } of receiving.log.read(0 as Position)) {
      const { batch } = codecNamed(codec)!.decode(body, { receivedAtMs })
      assert.deepEqual(eventRows(batch as EventBatch), eventRows(receiving.events()[0]!))
    }
  }))

const piece = (log: string, ordinal: number, last = false): Buffer =>
  pack([
    'docker',
    1_763_890_000,
    { log, partial_message: 'true', partial_id: 'l1', partial_ordinal: `${ordinal}`, partial_last: `${last}` },
  ])

test('pieces of a long line that arrive one by one are one event', () =>
  withForward(async (receiving, address) => {
    const socket = await connect(address)
    for (const bytes of [piece('a', 1), message('between'), piece('b', 2), piece('c', 3, true)]) {
      socket.write(bytes)
      await sleep(30)
    }
    await until('the events', () => bodies(receiving).length === 2)
    assert.deepEqual(bodies(receiving), ['between', 'abc'])
    socket.destroy()
  }))

test('a line without its last piece is stored after a while, or at the end of the connection', () =>
  withForward(async (receiving, address) => {
    const socket = await connect(address)
    socket.write(Buffer.concat([piece('a', 1), piece('b', 2)]))
    await until('the events', () => bodies(receiving).length === 1)
    socket.end(piece('c', 1))
    await until('the events', () => bodies(receiving).length === 2)
    assert.deepEqual(bodies(receiving), ['ab', 'c'])
  }))

test('a message that arrives in pieces is one message', () =>
  withForward(async (receiving, address) => {
    const bytes = message('in pieces')
    await sendTcp(address, bytes.subarray(0, 3), bytes.subarray(3, 11), bytes.subarray(11))
    assert.deepEqual(bodies(receiving), ['in pieces'])
  }))

test('each chunk id is acknowledged once its events are in the log', () =>
  withForward(async (receiving, address) => {
    const answer = await sendTcp(
      address,
      Buffer.concat([message('a', { chunk: 'one' }), message('b', { chunk: 'two' })]),
    )
    assert.deepEqual([...decodeMulti(answer)], [{ ack: 'one' }, { ack: 'two' }])
    assert.deepEqual(
      bodies(receiving).sort((a, b) => (String(a) < String(b) ? -1 : 1)),
      ['a', 'b'],
    )
  }))

test('a chunk that is sent again is acknowledged again and stored once', () =>
  withForward(async (receiving, address) => {
    for (let i = 0; i < 3; i++) {
      const answer = await sendTcp(address, message('a', { chunk: 'one' }))
      assert.deepEqual([...decodeMulti(answer)], [{ ack: 'one' }])
    }
    assert.deepEqual(bodies(receiving), ['a'])
    assert.equal(receiving.counters.of('forward', 'events').duplicates, 2)
  }))

test('the same message without a chunk id is stored each time', () =>
  withForward(async (receiving, address) => {
    await sendTcp(address, message('tick'))
    await sendTcp(address, message('tick'))
    assert.deepEqual(bodies(receiving), ['tick', 'tick'])
  }))

test('a chunk of invalid events is acknowledged and counted, as sending it again would not help', () =>
  withForward(async (receiving, address) => {
    const answer = await sendTcp(
      address,
      pack([
        'app',
        [
          ['noon', {}],
          [1_763_890_000, 'text'],
        ],
        { chunk: 'bad' },
      ]),
    )
    assert.deepEqual([...decodeMulti(answer)], [{ ack: 'bad' }])
    const counts = receiving.counters.of('forward', 'events')
    assert.deepEqual([counts.accepted, counts.rejected], [0, 2])
  }))

test('a JSON client gets its answers in JSON', () =>
  withForward(async (receiving, address) => {
    const answer = await sendTcp(address, '["app",1763890000,{"message":"j"},{"chunk":"c1"}]\n')
    assert.equal(answer.toString(), '{"ack":"c1"}')
    assert.deepEqual(bodies(receiving), ['j'])
    // A field of the record is no option.
    const own = await sendTcp(address, '["app",1763890000,{"message":"k","chunk":"own"}]\n')
    assert.equal(own.length, 0)
    const batch = await sendTcp(address, '["app",[[1763890000,{"message":"l"}]],{"chunk":"c2"}]\n')
    assert.equal(batch.toString(), '{"ack":"c2"}')
    assert.deepEqual(bodies(receiving), ['j', 'k', 'l'])
  }))

test('what arrived before unreadable bytes is stored', () =>
  withForward(async (receiving, address) => {
    await sendTcp(address, Buffer.concat([message('a'), Buffer.from([0xc1])]))
    await sendTcp(address, Buffer.concat([message('b'), Buffer.from([0x05])]))
    await sendTcp(address, '["app",1763890000,{"message":"c"}] junk')
    assert.deepEqual(bodies(receiving), ['a', 'b', 'c'])
    assert.equal(receiving.counters.of('forward', 'events').failed, 3)
  }))

test('another protocol on the port ends the connection and is counted', () =>
  withForward(async (receiving, address) => {
    await sendTcp(address, 'GET / HTTP/1.1\r\n\r\n')
    const counts = receiving.counters.of('forward', 'events')
    assert.equal(counts.failed, 1)
    assert.match(counts.lastError ?? '', /not an array/)
  }))

test('while the log is full nothing is acknowledged; when there is room again everything is', () =>
  withForward(
    async (receiving, address) => {
      const filler = 'x'.repeat(300_000)
      const socket = await connect(address)
      const answers: unknown[] = []
      socket.on('data', (chunk) => answers.push(...decodeMulti(chunk)))
      await receiving.log.consumer('writer')
      for (let i = 0; i < 6; i++) socket.write(message(filler + i, { chunk: `c${i}` }))
      await until('the log to be full', () => receiving.counters.of('forward', 'events').refused > 0)
      const before = answers.length
      assert.ok(before < 6, `${before} acknowledged while full`)
      const { nextPosition } = receiving.log.stats()
      await receiving.log.commit('writer', { next: nextPosition, cutEnd: undefined })
      await until('more acknowledgements', () => answers.length > before)
      socket.destroy()
    },
    open,
    { logBytesMax: 1 << 20 },
  ))

async function ping(
  address: string,
  fields: (helo: { nonce: Uint8Array; auth: Uint8Array }) => unknown[],
): Promise<unknown[]> {
  const socket = await connect(address)
  const [first] = (await once(socket, 'data')) as [Buffer]
  const [[kind, helo]] = [...decodeMulti(first)] as [[string, { nonce: Uint8Array; auth: Uint8Array }]]
  assert.equal(kind, 'HELO')
  assert.equal(helo.nonce.length, 16)
  socket.write(pack(fields(helo)))
  const rest = received(socket)
  socket.end(message('let in', { chunk: 'c' }))
  return [...decodeMulti(await rest)]
}

test('a client without the right key gets the reason and is disconnected', () =>
  withForward(async (receiving, address) => {
    const [pong] = await ping(address, () => ['PING', 'me', 'salt', 'f'.repeat(128), '', ''])
    assert.deepEqual(pong, ['PONG', false, 'shared_key mismatch', '', ''])
    const [other] = await ping(address, () => ['nonsense'])
    assert.deepEqual(other, ['PONG', false, 'the first message is not a PING', '', ''])
    assert.deepEqual(bodies(receiving), [])
    assert.equal(receiving.counters.of('forward', 'events').failed, 2)
  }, closed))

test('events before the handshake are not accepted', () =>
  withForward(async (receiving, address) => {
    const answer = await sendTcp(address, message('unasked'))
    assert.deepEqual(([...decodeMulti(answer)].at(-1) as unknown[])[1], false)
    assert.deepEqual(bodies(receiving), [])
  }, closed))

test('a heartbeat is answered with one byte, a longer datagram is not', async () => {
  const receiving = await Receiving.open()
  const address = await receiving.start(startForwardHeartbeat)
  const socket = dgram.createSocket('udp4')
  const answers: Buffer[] = []
  socket.on('message', (answer) => answers.push(answer))
  socket.send(Buffer.alloc(200), portOf(address), '127.0.0.1')
  socket.send(Buffer.from([0]), portOf(address), '127.0.0.1')
  await until('the answer', () => answers.length > 0)
  assert.deepEqual(answers, [Buffer.from([0])])
  socket.close()
  await receiving.close()
})
