import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Receiving, type ReceivingOptions } from '../../../test/support/receiving.ts'
import { eventRows } from '../../../test/support/event-rows.ts'
import { closed, connect, sendTcp, until } from '../../../test/support/sockets.ts'
import type { ProtocolCounts } from '../counters.ts'
import { startForward } from '../forward/forward.ts'
import { startGelfTcp } from '../gelf/gelf.ts'
import { startLinesTcp } from '../lines/lines.ts'
import type { StartReceiver } from '../receiver.ts'
import { startSyslogTcp } from '../syslog/syslog.ts'

interface Open {
  readonly receiving: Receiving
  readonly address: string
  readonly counts: ProtocolCounts
}

async function withReceiver(
  start: StartReceiver,
  options: ReceivingOptions,
  run: (open: Open) => Promise<void>,
): Promise<void> {
  const receiving = await Receiving.open(options)
  try {
    let name = ''
    const address = await receiving.start(async (context) => {
      const listener = await start(context)
      name = listener.name
      return listener
    })
    await run({ receiving, address, counts: receiving.counters.of(name, 'events') })
  } finally {
    await receiving.close()
  }
}

const forward: StartReceiver = (context) =>
  startForward(context, { security: { sharedKey: '', users: new Map() }, tls: undefined })
const guarded: StartReceiver = (context) =>
  startForward(context, { security: { sharedKey: 'k', users: new Map() }, tls: undefined })

const bodies = (receiving: Receiving): unknown[] =>
  receiving.events().flatMap((batch) => eventRows(batch).map((row) => row.body))

const protocols: readonly (readonly [name: string, start: StartReceiver, unfinished: string | Uint8Array])[] = [
  ['lines', startLinesTcp, 'a line without an end'],
  ['syslog', (context) => startSyslogTcp(context), '500 <14>Nov 23 09:00:00 h a: counted but not all here'],
  ['GELF', startGelfTcp, '{"version":"1.1",'],
  ['Forward', forward, Uint8Array.of(0x93, 0xa1, 0x74)],
  ['Forward before its handshake', guarded, ''],
]

for (const [name, start, unfinished] of protocols) {
  test(`${name}: a frame that is never finished closes the connection, however slowly it continues`, () =>
    withReceiver(start, { limits: { requestTimeoutMs: 300 } }, async ({ address, counts, receiving }) => {
      const socket = await connect(address)
      socket.write(unfinished)
      // Spaces end neither a line nor a frame; a timer that restarted with each would never expire.
      const drip = setInterval(() => socket.write(name.startsWith('Forward') ? '' : ' '), 50)
      const started = performance.now()
      await closed(socket).finally(() => clearInterval(drip))
      const took = performance.now() - started
      assert.ok(took > 200 && took < 3000, `closed after ${took} ms`)
      assert.match(counts.lastError ?? '', /not complete/)
      // What arrived of a line is kept, because it is text.
      const kept = bodies(receiving).map((body) => String(body).trim())
      assert.deepEqual([counts.failed, kept], [1, name === 'lines' ? [unfinished] : []])
    }))

  if (unfinished !== '') {
    test(`${name}: when a client disconnects in the middle of a frame, nothing of the frame is kept`, () =>
      withReceiver(start, {}, async ({ address, receiving }) => {
        const socket = await connect(address)
        socket.write(unfinished)
        await new Promise((resolve) => setTimeout(resolve, 50))
        socket.resetAndDestroy()
        await new Promise((resolve) => setTimeout(resolve, 50))
        assert.equal(receiving.log.stats().appendedRecords, 0)
      }))
  }
}

test('a silent connection is closed after the idle time, and not before', () =>
  withReceiver(
    startLinesTcp,
    { limits: { idleTimeoutMs: 300, requestTimeoutMs: 100 } },
    async ({ address, counts }) => {
      const socket = await connect(address)
      const started = performance.now()
      await closed(socket)
      assert.ok(performance.now() - started > 250)
      assert.equal(counts.failed, 0)
    },
  ))

test('a frame over its bound closes the connection and keeps what came before it', () =>
  withReceiver(startLinesTcp, {}, async ({ address, counts, receiving }) => {
    const socket = await connect(address)
    socket.resume()
    socket.write('short\n')
    await until('the short line', () => bodies(receiving).length === 1)
    socket.write(Buffer.alloc(1_100_000, 0x78))
    await closed(socket)
    assert.deepEqual(bodies(receiving), ['short'])
    assert.match(counts.lastError ?? '', /more than 1048576 bytes/)
  }))

test('a connection over the limit is closed at once and counted; the others continue', () =>
  withReceiver(startLinesTcp, { limits: { connectionsMax: 2 } }, async ({ address, counts, receiving }) => {
    const first = await connect(address)
    const second = await connect(address)
    const third = await connect(address)
    await closed(third)
    assert.equal(counts.refused, 1)
    first.end('first\n')
    second.end('second\n')
    await until('both lines', () => bodies(receiving).length === 2)
    first.destroy()
    second.destroy()
  }))

test('while the log is full a sender of lines has to wait, and nothing it sent is lost', () =>
  withReceiver(startLinesTcp, { logBytesMax: 1 << 20 }, async ({ address, counts, receiving }) => {
    await receiving.log.consumer('writer')
    const socket = await connect(address)
    const lines = Array.from({ length: 120 }, (_, i) => `${i} ${'x'.repeat(20_000)}\n`)
    socket.write(lines.join(''))
    socket.end()
    socket.resume()
    const commit = setInterval(() => {
      const { nextPosition } = receiving.log.stats()
      void receiving.log.commit('writer', { next: nextPosition, cutEnd: undefined })
    }, 300)
    await until('all lines', () => bodies(receiving).length === lines.length, 20_000)
    clearInterval(commit)
    assert.ok(counts.refused > 0, 'the log was full at least once')
    assert.ok(
      bodies(receiving).every((body, i) => String(body).startsWith(`${i} `)),
      'the lines are in order',
    )
  }))

test('closing stores what was read and does not wait for clients that stay', () =>
  withReceiver(startLinesTcp, {}, async ({ address, receiving }) => {
    const socket = await connect(address)
    socket.resume()
    socket.write('one\ntwo\nunfin')
    await until('the lines', () => bodies(receiving).length === 2)
    const started = performance.now()
    await receiving.close()
    assert.ok(performance.now() - started < 1500)
    assert.deepEqual(bodies(receiving), ['one', 'two'])
  }))

test('a last line without its line end is a line when the client closed properly', () =>
  withReceiver(startLinesTcp, {}, async ({ address, receiving }) => {
    await sendTcp(address, 'one\ntw', 'o')
    assert.deepEqual(bodies(receiving), ['one', 'two'])
  }))
