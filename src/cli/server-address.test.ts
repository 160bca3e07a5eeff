import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseServerUrl } from './server-address.ts'

test('an address may have or lack scheme, port, path and trailing slash', () => {
  assert.equal(parseServerUrl('http://127.0.0.1:7070/'), 'http://127.0.0.1:7070')
  assert.equal(parseServerUrl('traces.internal:7070'), 'http://traces.internal:7070')
  assert.equal(parseServerUrl('https://example.org/clew/'), 'https://example.org/clew')
  assert.equal(parseServerUrl('[::1]:7070'), 'http://[::1]:7070')
  // An environment variable set to nothing.
  assert.equal(parseServerUrl(''), 'http://127.0.0.1:7070')
  for (const text of ['http://', 'http://a b']) assert.throws(() => parseServerUrl(text), { code: 'bad_usage' }, text)
})
