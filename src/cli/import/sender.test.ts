import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterMs } from './sender.ts'

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-11-23T06:25:04Z')
  assert.equal(retryAfterMs('3', now), 3000)
  assert.equal(retryAfterMs('0', now), 0)
  assert.equal(retryAfterMs('Mon, 23 Nov 2026 06:25:14 GMT', now), 10_000)
  assert.equal(retryAfterMs('Mon, 23 Nov 2026 06:24:00 GMT', now), 0)
  assert.equal(retryAfterMs('soon', now), undefined)
  assert.equal(retryAfterMs(null, now), undefined)
})
