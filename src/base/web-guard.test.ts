import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { InputError } from './errors.ts'
import { webGuard, type WebHeaders } from './web-guard.ts'

function verdict(headers: WebHeaders, options: Partial<Parameters<typeof webGuard>[0]> = {}): string {
  const guard = webGuard({ host: '127.0.0.1', allowedHosts: [], allowedOrigins: [], ...options })
  try {
    guard(headers)
    return 'taken'
  } catch (error) {
    assert.ok(error instanceof InputError && error.code === 'forbidden')
    return error.at!
  }
}

test('on loopback a host is a name of loopback, one that nobody can register, or a listed one', () => {
  const taken = [
    'localhost:7070',
    'LOCALHOST',
    'app.localhost:1',
    '127.0.0.1:4318',
    '127.8.9.1',
    '[::1]:7070',
    'clew',
    'clew.internal',
    'localhost.',
  ]
  for (const host of taken) assert.equal(verdict({ host }), 'taken', host)
  const foreign = [
    'evil.example',
    'evil.example:7070',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[2001:db8::1]:80',
    'xlocalhost.example',
  ]
  for (const host of foreign) assert.equal(verdict({ host }), 'Host', host)
  const allowedHosts = ['Clew.example', '.corp.example']
  for (const host of ['clew.example:80', 'a.b.corp.example', 'corp.example']) {
    assert.equal(verdict({ host }, { allowedHosts }), 'taken', host)
  }
  assert.equal(verdict({ host: 'xcorp.example' }, { allowedHosts }), 'Host')
  assert.equal(verdict({ host: 'anything.example' }, { allowedHosts: ['*'] }), 'taken')
  assert.equal(verdict({}), 'taken')
})

test('bound elsewhere, any address and the name of the machine are hosts too', () => {
  const options = { host: '0.0.0.0' }
  const taken = [
    '10.0.0.1:4318',
    '[2001:db8::1]:4318',
    'clew:4318',
    'clew.monitoring.svc.cluster.local',
    'clew.ns.svc',
    hostname(),
  ]
  for (const host of taken) assert.equal(verdict({ host }, options), 'taken', host)
  for (const host of ['evil.example:4318', 'svc.evil.example']) assert.equal(verdict({ host }, options), 'Host', host)
})

test('a foreign origin is refused unless it is listed; one of the same port is not foreign', () => {
  const host = 'localhost:7070'
  const own = ['http://localhost:7070', 'https://localhost:7070']
  for (const origin of own) assert.equal(verdict({ host, origin }), 'taken', origin)
  assert.equal(verdict({ host: 'localhost', origin: 'http://localhost' }), 'taken')
  assert.equal(verdict({ host: 'localhost:80', origin: 'http://localhost' }), 'taken')
  const foreign = ['http://evil.example', 'http://localhost:3000', 'null', 'file://', '']
  for (const origin of foreign) assert.equal(verdict({ host, origin }), 'Origin', origin)
  const allowedOrigins = ['https://Shop.example']
  assert.equal(verdict({ host, origin: 'https://shop.example' }, { allowedOrigins }), 'taken')
  assert.equal(verdict({ host, origin: 'http://shop.example' }, { allowedOrigins }), 'Origin')
  assert.equal(verdict({ host, origin: 'http://evil.example' }, { allowedOrigins: ['*'] }), 'taken')
  // Rebinding: to the browser the page and the port are one origin, but the name of the page is not ours.
  assert.equal(verdict({ host: 'evil.example:7070', origin: 'http://evil.example:7070' }), 'Host')
})

test('a request from a foreign page without Origin is refused, a followed link is not', () => {
  const host = 'localhost:7070'
  assert.equal(verdict({ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 'Sec-Fetch-Site')
  assert.equal(verdict({ host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }), 'taken')
  assert.equal(verdict({ host, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }), 'taken')
})
