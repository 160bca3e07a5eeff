import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinSummaries, printSummary, servicesOf } from './trace-summary.ts'

const id = '0123456789abcdef0123456789abcdef'

test('a trace in one row is returned as it was', () => {
  const text = printSummary(1795000200000000001n, 1795000200000005003n, ['web', 'GET "/"', 2], [['web', 3, 1]])
  assert.deepEqual(joinSummaries(id, [text]), {
    traceId: id,
    rootService: 'web',
    rootName: 'GET "/"',
    rootStatus: 2,
    startNs: 1795000200000000001n,
    durationNs: 5002n,
    spanCount: 3,
    errorCount: 1,
    services: [{ name: 'web', spanCount: 3, errorCount: 1 }],
  })
})

test('rows in any order add up: first start, last end, spans and errors by service', () => {
  const early = printSummary(100n, 900n, null, [
    ['cart', 2, 0],
    ['web', 1, 1],
  ])
  const late = printSummary(300n, 500n, ['web', 'pay', 0], [['cart', 1, 2]])
  for (const texts of [
    [early, late],
    [late, early],
  ]) {
    const joined = joinSummaries(id, texts)
    assert.deepEqual([joined.startNs, joined.durationNs, joined.rootName], [100n, 800n, 'pay'])
    assert.deepEqual([joined.spanCount, joined.errorCount], [4, 3])
    assert.deepEqual(joined.services, [
      { name: 'cart', spanCount: 3, errorCount: 2 },
      { name: 'web', spanCount: 1, errorCount: 1 },
    ])
  }
  assert.deepEqual(servicesOf([early, late]).sort(), ['cart', 'web'])
})

test('of several roots the one of the earlier row counts, also before 1970', () => {
  const first = printSummary(-50n, -40n, ['web', 'first', 1], [['web', 1, 0]])
  const second = printSummary(-20n, -10n, ['web', 'second', 2], [['web', 1, 1]])
  assert.equal(joinSummaries(id, [second, first]).rootName, 'first')
})

test('of the halves of one call the client half is the root, though it starts later and in another row', () => {
  const server = printSummary(10n, 20n, ['shop', 'get /cart', 0, 's1f'], [['shop', 2, 0]])
  const client = printSummary(15n, 30n, ['edge', 'route', 0, 'c1f'], [['edge', 1, 0]])
  assert.equal(joinSummaries(id, [server, client]).rootService, 'edge')
  const other = printSummary(15n, 30n, ['edge', 'route', 0, 'c2f'], [['edge', 1, 0]])
  assert.equal(joinSummaries(id, [server, other]).rootService, 'shop')
})
