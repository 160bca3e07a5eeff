import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { Receiving } from '../../../test/support/receiving.ts'
import { eventRows } from '../../../test/support/event-rows.ts'
import { sendUdp, until } from '../../../test/support/sockets.ts'
import { GelfChunks } from '../gelf/gelf-chunks.ts'
import { startGelfUdp } from '../gelf/gelf.ts'
import { dropsOf, hexAddress, KernelDrops } from './kernel-drops.ts'
import { startLinesUdp } from '../lines/lines.ts'
import type { StartReceiver } from '../receiver.ts'
import { startSyslogUdp } from '../syslog/syslog.ts'

async function withUdp(
  start: StartReceiver,
  run: (receiving: Receiving, address: string) => Promise<void>,
  logBytesMax?: number,
): Promise<void> {
  const receiving = await Receiving.open(logBytesMax === undefined ? {} : { logBytesMax })
  try {
    await run(receiving, await receiving.start(start))
  } finally {
    await receiving.close()
  }
}

const bodies = (receiving: Receiving): unknown[] =>
  receiving.events().flatMap((batch) => eventRows(batch).map((row) => row.body))

test('syslog datagrams that arrive together are one record, each a message of its sender', () =>
  withUdp(startSyslogUdp, async (receiving, address) => {
    await sendUdp(address, '<14>Nov 23 09:00:00 web app[7]: one', '<14>1 - web app 7 - - two', '<14>three')
    await until('the messages', () => bodies(receiving).length === 3)
    assert.deepEqual(bodies(receiving), ['one', 'two', 'three'])
    assert.equal(receiving.log.stats().appendedRecords, 1)
    assert.deepEqual(eventRows(receiving.events()[0]!)[2]!.resource, { 'host.name': '127.0.0.1' })
  }))

test('a datagram may hold several lines', () =>
  withUdp(startLinesUdp, async (receiving, address) => {
    await sendUdp(address, 'one\n{"message":"two"}\nthree')
    await until('the lines', () => bodies(receiving).length === 3)
    assert.deepEqual(bodies(receiving), ['one', 'two', 'three'])
  }))

test('the same datagram twice is two events', () =>
  withUdp(startLinesUdp, async (receiving, address) => {
    await sendUdp(address, 'tick')
    await until('the first', () => bodies(receiving).length === 1)
    await sendUdp(address, 'tick')
    await until('the second', () => bodies(receiving).length === 2)
  }))

function gelfChunks(message: Uint8Array, count: number, id = 'abcdefgh'): Buffer[] {
  const size = Math.ceil(message.length / count)
  return Array.from({ length: count }, (_, i) =>
    Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      Buffer.from(id),
      Buffer.from([i, count]),
      message.subarray(i * size, (i + 1) * size),
    ]),
  )
}

test('a GELF message in chunks is assembled, in whatever order they arrive', () =>
  withUdp(startGelfUdp, async (receiving, address) => {
    const message = zlib.gzipSync(JSON.stringify({ version: '1.1', host: 'h', short_message: 'chunked', _n: 7 }))
    const chunks = gelfChunks(message, 4)
    await sendUdp(address, chunks[2]!, chunks[0]!, chunks[0]!, chunks[3]!, chunks[1]!)
    await sendUdp(address, zlib.deflateSync('{"host":"h","short_message":"whole"}'))
    await until('the messages', () => bodies(receiving).length === 2)
    assert.deepEqual(
      bodies(receiving).sort((a, b) => (String(a) < String(b) ? -1 : 1)),
      ['chunked', 'whole'],
    )
  }))

test('chunks that never become a message are dropped after five seconds and counted', () => {
  const drops: string[] = []
  const chunks = new GelfChunks((count, cause) => drops.push(`${count}: ${cause}`))
  const [first, second] = gelfChunks(Buffer.from('0123456789'), 2)
  assert.equal(chunks.add(first!, '::1', 0), undefined)
  assert.equal(chunks.add(second!, '::2', 0), undefined, 'the same id of another peer is another message')
  assert.equal(chunks.unfinished, 2)
  chunks.expire(5000)
  assert.equal(chunks.unfinished, 0)
  assert.equal(drops.length, 2)
  assert.equal(chunks.add(second!, '::1', 5001), undefined, 'the first half is gone')
  assert.equal(Buffer.from(chunks.add(first!, '::1', 5002)!).toString(), '0123456789')
  assert.equal(chunks.add(first!, '::1', 5003), undefined, 'the network brought it twice')
  chunks.expire(60_000)
  assert.equal(drops.length, 2)
})

test('chunks with an impossible number or count are counted as dropped', () => {
  const drops: number[] = []
  const chunks = new GelfChunks((count) => drops.push(count))
  for (const [number, count] of [
    [2, 2],
    [0, 0],
    [0, 129],
  ]) {
    const chunk = Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      Buffer.alloc(8),
      Buffer.from([number!, count!]),
      Buffer.from('x'),
    ])
    assert.equal(chunks.add(chunk, '::1', 0), undefined)
  }
  assert.equal(chunks.add(Buffer.from([0x1e, 0x0f, 1]), '::1', 0), undefined)
  assert.deepEqual([drops, chunks.unfinished], [[1, 1, 1, 1], 0])
})

test('a flood of unfinished messages keeps only the newest thousand', () => {
  let dropped = 0
  const chunks = new GelfChunks((count) => (dropped += count))
  for (let i = 0; i < 1500; i++) chunks.add(gelfChunks(Buffer.from('xy'), 2, String(i).padStart(8, '0'))[0]!, '::1', 0)
  assert.deepEqual([chunks.unfinished, dropped], [1000, 500])
})

test('datagrams that find the log full are counted as dropped', () =>
  withUdp(
    startLinesUdp,
    async (receiving, address) => {
      await receiving.log.consumer('writer')
      const counts = receiving.counters.of('lines/udp', 'events')
      const datagram = Buffer.alloc(60_000, 0x78)
      for (let i = 0; i < 40; i++) await sendUdp(address, datagram)
      await until('all datagrams', () => counts.accepted + counts.dropped === 40)
      assert.ok(counts.dropped > 0, 'some did not fit')
      assert.equal(bodies(receiving).length, counts.accepted)
    },
    1 << 20,
  ))

test('addresses are written as the kernel writes them, and a socket is found by its address', () => {
  assert.equal(hexAddress('127.0.0.1'), '0100007F')
  assert.equal(hexAddress('::1'), '00000000000000000000000001000000')
  assert.equal(hexAddress('2001:db8::ff00:42'), 'B80D01200000000000000000420000FF')
  const table = [
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    ' 1234: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 7',
    ' 1235: 0100007F:158B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12346 2 0000000000000000 9',
  ].join('\n')
  assert.equal(dropsOf(table, '0100007F:158A'), 7)
})

test('what the kernel drops while nobody reads is counted', async () => {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4096 })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  const drops = new KernelDrops('127.0.0.1', port)
  assert.equal(drops.more(), 0)
  const sender = dgram.createSocket('udp4')
  await new Promise<void>((resolve) => sender.connect(port, '127.0.0.1', resolve))
  // Sends everything in one turn, so that the receiving socket of this same process cannot read.
  const pending = Array.from({ length: 500 }, () => new Promise((resolve) => sender.send(Buffer.alloc(2000), resolve)))
  const deadline = performance.now() + 200
  while (performance.now() < deadline);
  assert.ok(drops.more() > 0)
  await Promise.all(pending)
  sender.close()
  socket.close()
})
