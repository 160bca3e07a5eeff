/** The Forward clients of JavaScript and Python, in every mode they have, into the running program and back out. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { EventTime, FluentClient } from '@fluent-org/logger'
import { serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { makeCertificate } from '../support/certificate.ts'
import { flatEvent, type FlatEvent } from '../support/event-item.ts'
import { pythonWith } from '../support/python.ts'
import { awaitEvents } from '../support/stored-events.ts'

/** Recent, as what is older than the retention is dropped. */
const recentSeconds = Math.floor(Date.now() / 1000) - 60

let clew: ServedClew

before(async () => {
  clew = await serveClew()
})
after(() => clew?.stop())

const byTag = async (served: ServedClew, tag: string, count: number): Promise<FlatEvent[]> =>
  (await awaitEvents(served.url, { attribute: `fluent.tag=${tag}` }, count)).map(flatEvent)

for (const eventMode of ['Message', 'Forward', 'PackedForward', 'CompressedPackedForward'] as const) {
  test(`@fluent-org/logger, ${eventMode}: what was acknowledged is found, field for field`, async () => {
    const client = new FluentClient('js', {
      eventMode,
      ack: { ackTimeout: 10_000 },
      socket: { host: '127.0.0.1', port: clew.port('forward') },
    } as never)
    const time = new EventTime(recentSeconds, 123_456_789)
    const records = [
      { message: 'first', service: 'shop', level: 'error', amount: 12.5, items: 3, paid: true, cart: { ids: [1, 2] } },
      { message: 'second', service: 'shop', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' },
    ]
    await Promise.all(records.map((record) => client.emit(eventMode, record, time)))
    await client.disconnect()
    const found = await byTag(clew, `js.${eventMode}`, 2)
    const source = { service: 'shop', node: '', protocol: 'forward', type: '' }
    assert.deepEqual(
      found.sort((a, b) => (String(a.body) < String(b.body) ? -1 : 1)),
      [
        {
          ...source,
          body: 'first',
          severity: '17 error',
          traceId: '',
          spanId: '',
          attributes: { 'fluent.tag': `js.${eventMode}`, amount: 12.5, items: 3n, paid: true, cart: { ids: [1n, 2n] } },
        },
        {
          ...source,
          body: 'second',
          severity: '',
          traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
          spanId: '00f067aa0ba902b7',
          attributes: { 'fluent.tag': `js.${eventMode}` },
        },
      ],
    )
    const [item] = await awaitEvents(clew.url, { attribute: `fluent.tag=js.${eventMode}` }, 2)
    assert.equal(item!.timeUnixNano, `${recentSeconds}123456789`)
  })
}

const folder = temporaryFolder()
const certificate = makeCertificate(folder)

test(
  '@fluent-org/logger with TLS, shared key and user is let in, and without them is not',
  { skip: 'missing' in certificate && certificate.missing },
  async () => {
    if ('missing' in certificate) return
    const withTls = ['--tls-cert', certificate.certPath, '--tls-key', certificate.keyPath, '--forward-tls', 'true']
    const guarded = await serveClew(undefined, [
      ...withTls,
      '--forward-shared-key',
      'secret',
      '--forward-users',
      'ada:pw',
    ])
    try {
      const connect = (security?: object) =>
        new FluentClient('tls', {
          eventMode: 'PackedForward',
          ack: { ackTimeout: 5000 },
          flushInterval: 10,
          socket: {
            host: '127.0.0.1',
            port: guarded.port('forward'),
            tls: { ca: certificate.cert, servername: 'localhost' },
            reconnect: { backoff: 10_000 },
          },
          ...(security === undefined ? {} : { security }),
        } as never)
      const client = connect({ clientHostname: 'me', sharedKey: 'secret', username: 'ada', password: 'pw' })
      await client.emit('in', { message: 'let in' })
      await client.disconnect()
      assert.deepEqual(
        (await byTag(guarded, 'tls.in', 1)).map(({ body }) => body),
        ['let in'],
      )
      for (const security of [
        { clientHostname: 'me', sharedKey: 'wrong', username: 'ada', password: 'pw' },
        { clientHostname: 'me', sharedKey: 'secret', username: 'ada', password: 'wrong' },
        { clientHostname: 'me', sharedKey: 'secret', username: 'eve', password: 'pw' },
        undefined,
      ]) {
        const refused = connect(security)
        const sent = refused.emit('out', { message: 'not let in' }).then(
          () => 'acknowledged',
          () => 'refused',
        )
        await refused.disconnect().catch(() => {})
        const outcome = await Promise.race([sent, new Promise((resolve) => setTimeout(() => resolve('waiting'), 500))])
        assert.notEqual(outcome, 'acknowledged')
      }
      assert.equal((await awaitEvents(guarded.url, {}, 1)).length, 1)
    } finally {
      await guarded.stop()
    }
  },
)

const python = pythonWith(['fluent-logger==0.11.1'])

test(
  'fluent-logger of Python: plain, asynchronous, and as a handler of logging',
  { skip: 'missing' in python && python.missing },
  async () => {
    const interpreter = 'python' in python ? python.python : ''
    const script = join(import.meta.dirname, 'forward-client.py')
    await promisify(execFile)(interpreter, [script, String(clew.port('forward')), 'py', String(recentSeconds)], {
      timeout: 60_000,
    })
    const [, plainSender] = await byTag(clew, 'py.sync', 2)
    assert.deepEqual(plainSender!.attributes, {
      'fluent.tag': 'py.sync',
      count: 3n,
      ratio: 0.5,
      ok: true,
      nested: { a: [1n, null] },
    })
    const [timed] = await awaitEvents(clew.url, { attribute: 'fluent.tag=py.sync' }, 2)
    assert.deepEqual([timed!.timeUnixNano, timed!.body], [`${recentSeconds}000000000`, 'at a time of its own'])
    assert.deepEqual(timed!.attributes['text'], { stringValue: 'hällo' })

    const later = await byTag(clew, 'py.async', 100)
    assert.deepEqual(
      later.map(({ attributes }) => Number(attributes['i'])).sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    )

    const handled = await byTag(clew, 'py.handler', 2)
    const warning = handled.find(({ severity }) => severity === '13 WARNING')
    assert.equal(warning?.body, 'shelf 4 is empty')
    assert.equal(warning?.node, hostname())
    assert.deepEqual(warning?.attributes, { 'fluent.tag': 'py.handler', where: 'forward-client.<module>' })
    const structured = handled.find(({ body }) => body === 'structured')
    assert.equal(structured?.traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
    assert.equal(structured?.spanId, '00f067aa0ba902b7')
    assert.equal(structured?.attributes['order'], 17n)
    const byTrace = await awaitEvents(
      clew.url,
      { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', service: 'py.handler' },
      1,
    )
    assert.deepEqual(
      byTrace.map(({ body }) => body),
      ['structured'],
    )
  },
)
