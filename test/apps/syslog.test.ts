/** Real senders of syslog into the running program and back out: logger(1), rsyslog, and Python's logging. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { serveClew, temporaryFolder, type ServedClew } from '../scenarios/clew-process.ts'
import { makeCertificate } from '../support/certificate.ts'
import { flatEvent, type FlatEvent } from '../support/event-item.ts'
import { until } from '../support/sockets.ts'
import { awaitEvents } from '../support/stored-events.ts'

const folder = temporaryFolder()
const certificate = makeCertificate(folder)
const has = (command: string): boolean => spawnSync('which', [command]).status === 0
const rsyslogd = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((path) => existsSync(path))

let clew: ServedClew

before(async () => {
  const withTls =
    'missing' in certificate
      ? []
      : ['--syslog-tls', 'true', '--tls-cert', certificate.certPath, '--tls-key', certificate.keyPath]
  clew = await serveClew(undefined, withTls)
})
after(() => clew?.stop())

const byQuery = async (query: string, count = 1): Promise<FlatEvent[]> =>
  (await awaitEvents(clew.url, { query }, count)).map(flatEvent)

const peer = { 'network.peer.address': '127.0.0.1' }

for (const [name, transport, port, form] of [
  ['RFC 5424 over UDP', '--udp', 'syslog/udp', '--rfc5424=notq'],
  ['RFC 5424 over TCP, octet counting', '--tcp', 'syslog/tcp', '--rfc5424=notq'],
  ['RFC 5424 over TCP, a message a line', '--tcp', 'syslog/tcp', '--rfc5424=notq'],
  ['RFC 3164 over UDP', '--udp', 'syslog/udp', '--rfc3164'],
  ['RFC 3164 over TCP, octet counting', '--tcp', 'syslog/tcp', '--rfc3164'],
] as const) {
  test(`logger(1), ${name}`, { skip: !has('logger') && 'no logger(1)' }, async () => {
    const word = name.replaceAll(/\W+/g, '').toLowerCase()
    const counting = name.includes('octet') ? ['--octet-count'] : []
    const structured =
      form === '--rfc3164' ? [] : ['--msgid', 'PAID', '--sd-id', 'shop@32473', '--sd-param', 'order="17"']
    const target = ['--server', '127.0.0.1', '--port', String(clew.port(port)), transport, form, ...counting]
    execFileSync('logger', [
      ...target,
      ...structured,
      '--id=99',
      '-t',
      'shopd',
      '-p',
      'local3.err',
      `${word} refused "card"`,
    ])
    const [event] = await byQuery(word)
    const { node, ...rest } = event!
    assert.deepEqual(rest, {
      body: `${word} refused "card"`,
      service: 'shopd',
      protocol: 'syslog',
      type: form === '--rfc3164' ? '' : 'PAID',
      severity: '17 err',
      traceId: '',
      spanId: '',
      attributes: {
        'syslog.facility': 'local3',
        ...(form === '--rfc3164' ? {} : { 'syslog.shop@32473.order': '17' }),
        ...peer,
      },
    })
    assert.notEqual(node, '')
  })
}

test('logger(1): the same message twice is two events', { skip: !has('logger') && 'no logger(1)' }, async () => {
  const target = [
    '--server',
    '127.0.0.1',
    '--port',
    String(clew.port('syslog/udp')),
    '--udp',
    '--rfc3164',
    '-t',
    'shopd',
  ]
  for (let i = 0; i < 3; i++) execFileSync('logger', [...target, 'thrice said'])
  assert.equal((await byQuery('thrice', 3)).length, 3)
})

for (const [name, action] of [
  ['TCP, octet counting', 'protocol="tcp" TCP_Framing="octet-counted" port="TCP"'],
  ['TCP, a message a line', 'protocol="tcp" port="TCP"'],
  ['UDP', 'protocol="udp" port="UDP"'],
] as const) {
  test(
    `rsyslog over ${name}: every message arrives once`,
    { skip: rsyslogd === undefined && 'no rsyslogd' },
    async () => {
      const word = `rsyslog${name.replaceAll(/\W+/g, '').toLowerCase()}`
      const work = temporaryFolder()
      const socket = join(work, 'log.sock')
      const target = action
        .replace('TCP"', `${clew.port('syslog/tcp')}"`)
        .replace('UDP"', `${clew.port('syslog/udp')}"`)
      writeFileSync(
        join(work, 'rsyslog.conf'),
        [
          `global(workDirectory="${work}")`,
          'module(load="imuxsock" SysSock.Use="off")',
          `input(type="imuxsock" Socket="${socket}")`,
          `action(type="omfwd" target="127.0.0.1" ${target} template="RSYSLOG_SyslogProtocol23Format")`,
        ].join('\n') + '\n',
      )
      const daemon = spawn(rsyslogd!, ['-n', '-f', join(work, 'rsyslog.conf'), '-i', join(work, 'pid')], {
        stdio: 'ignore',
      })
      try {
        await until('the socket of rsyslog', () => existsSync(socket))
        for (let i = 0; i < 20; i++)
          execFileSync('logger', ['-u', socket, '-t', 'worker', '-p', 'daemon.warning', `${word} ${i}`])
        const events = await byQuery(word, 20)
        assert.deepEqual(
          events.map(({ body }) => String(body).trim()).sort(),
          Array.from({ length: 20 }, (_, i) => `${word} ${i}`).sort(),
        )
        const [first] = events
        assert.deepEqual(
          [first!.service, first!.severity, first!.attributes['syslog.facility']],
          ['worker', '13 warning', 'daemon'],
        )
      } finally {
        daemon.kill()
        await once(daemon, 'exit')
      }
    },
  )
}

test(
  "Python's SysLogHandler over UDP and TCP, linked to the trace its text names",
  { skip: !has('python3') && 'no python3' },
  async () => {
    const ports = [clew.port('syslog/udp'), clew.port('syslog/tcp')].map(String)
    await promisify(execFile)('python3', [join(import.meta.dirname, 'syslog-client.py'), ...ports], { timeout: 30_000 })
    const events = (await awaitEvents(clew.url, { traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }, 2)).map(flatEvent)
    assert.deepEqual(events.map(({ body }) => String(body).split(' ')[1]!).sort(), ['SOCK_DGRAM', 'SOCK_STREAM'])
    for (const event of events) {
      assert.deepEqual([event.service, event.severity, event.spanId], ['pyshop', '17 err', '00f067aa0ba902b7'])
      assert.equal(event.attributes['syslog.facility'], 'local3')
    }
    // Sent as the handler does when nothing is said: each message ends with NUL, a traceback's lines with LF.
    const [traceback] = await byQuery('KeyError')
    assert.deepEqual([traceback!.service, traceback!.severity], ['worker', '17 err'])
    assert.match(String(traceback!.body), /^no rows\nTraceback \(most recent call last\):\n[^]*\nKeyError: 'rows'$/)
    assert.deepEqual(
      (await byQuery('next')).map(({ body, severity }) => [body, severity]),
      [['next', '13 warning']],
    )
  },
)

test('syslog over TLS', { skip: 'missing' in certificate && certificate.missing }, async () => {
  if ('missing' in certificate) return
  const socket = tls.connect({
    port: clew.port('syslog/tls'),
    host: '127.0.0.1',
    ca: certificate.cert,
    servername: 'localhost',
  })
  await once(socket, 'secureConnect')
  const message = `<34>1 ${new Date().toISOString()} web-1 su 230 ID47 - overtls`
  socket.end(`${message.length} ${message}`)
  const [event] = await byQuery('overtls')
  assert.deepEqual([event!.service, event!.node, event!.type, event!.severity], ['su', 'web-1', 'ID47', '18 crit'])
})
