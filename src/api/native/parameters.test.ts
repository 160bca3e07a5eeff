import assert from 'node:assert/strict'
import { test } from 'node:test'
import { and, attribute, compare, duration, everything, intrinsic, spelled, status, text } from '../../model/query.ts'
import { spanQueryOf } from './parameters.ts'

test('each parameter of a search is one condition, and a span must meet all of them', () => {
  const query = spanQueryOf({
    service: 'shop',
    operation: 'GET /cart',
    status: 'error',
    minDuration: '1.5ms',
    maxDuration: '2s',
    attribute: 'user.id=7',
    start: '1000',
    end: '1970-01-01T00:00:02Z',
  })
  const where = and(
    compare(intrinsic('service'), '=', text('shop')),
    compare(intrinsic('name'), '=', text('GET /cart')),
    compare(intrinsic('status'), '=', status(2)),
    compare(intrinsic('duration'), '>=', duration(1_500_000n)),
    compare(intrinsic('duration'), '<=', duration(2_000_000_000n)),
    compare(attribute('any', 'user.id'), '=', spelled('7')),
  )
  assert.deepEqual(query, { where, startNs: 1_000_000_000n, endNs: 2_000_000_000n })
})

test('without parameters everything matches', () => {
  assert.deepEqual(spanQueryOf({}), { where: everything, startNs: undefined, endNs: undefined })
})
