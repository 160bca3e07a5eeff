import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestNames } from './nearest.ts'
import {
  addFilter,
  emptyExplore,
  explainTyped,
  exploreProblems,
  filterParameters,
  parseExplore,
  parseTyped,
  printExplore,
  printFilter,
} from './search-filters.ts'

test('the URL holds the whole search', () => {
  const text =
    'service=cart&status=error&min=500ms&attribute=http.route%3D%2Fpay&attribute=a%3Db%3Dc&from=-6h&sort=duration&box=1_2_3_4'
  const state = parseExplore(new URLSearchParams(text))
  assert.deepEqual(parseExplore(printExplore(state)), state)
  assert.equal(state.filters.length, 5)
  assert.deepEqual(state.filters.at(-1), { field: 'attribute', key: 'a', value: 'b=c' })
  assert.equal(printExplore(emptyExplore).toString(), '')
})

test('faulty parts of a URL are left out and reported', () => {
  const problems = (text: string): string[] => exploreProblems(new URLSearchParams(text))
  assert.equal(problems('status=purple&min=soon&max=2x&sort=name&attribute=novalue&box=9_1_2_3').length, 6)
  assert.deepEqual(problems('status=purple'), ['status=purple is none of error, ok, unset'])
  assert.match(problems('from=junk')[0]!, /^from=junk is not a time/)
  assert.match(problems('to=junk')[0]!, /^to=junk is not a time/)
  const inverted = 'from=2026-11-23T06:00:00Z&to=2026-11-23T05:00:00Z'
  assert.match(problems(inverted)[0]!, /is not before/)
  assert.deepEqual(parseExplore(new URLSearchParams(inverted)), emptyExplore)
  assert.deepEqual(problems('service=a&status=ok&min=5ms&attribute=a%3Db&from=-6h&sort=spans&box=1_2_3_4'), [])
  assert.deepEqual(problems('from=-1h&to=2026-11-23T05:00:00Z'), [])
  assert.deepEqual(problems('from=1700000000000&to=1700000001000'), [])
  const state = parseExplore(new URLSearchParams('status=purple&min=soon&sort=name&attribute=novalue&box=9_1_2_3'))
  assert.deepEqual(state, emptyExplore)
})

test('one service, any number of attributes, and no filter twice', () => {
  const cart = { field: 'service', key: '', value: 'cart' } as const
  const route = { field: 'attribute', key: 'r', value: '1' } as const
  let filters = addFilter(addFilter([], cart), { ...cart, value: 'pay' })
  assert.equal(filters.length, 1)
  filters = addFilter(addFilter(addFilter(filters, route), route), { ...route, value: '2' })
  assert.equal(filters.length, 3)
  assert.equal(filterParameters(filters).toString(), 'service=pay&attribute=r%3D1&attribute=r%3D2')
})

test('typed filters are understood', () => {
  const typed = (text: string): string => {
    const filter = parseTyped(text)
    if (!filter) return 'no'
    const { name, sign, value } = printFilter(filter)
    return `${name} ${sign} ${value}`
  }
  assert.equal(typed('service=cart'), 'service = cart')
  assert.equal(typed('duration > 500ms'), 'duration ≥ 500 ms')
  assert.equal(typed('duration<=2s'), 'duration ≤ 2.00 s')
  assert.equal(typed('name="GET /pay now"'), 'operation = GET /pay now')
  assert.equal(typed('user.id=u=1'), 'user.id = u=1')
  for (const text of [
    'service',
    'service=',
    'status=bad',
    'duration>soon',
    'user.id>3',
    '',
    'service!=shop',
    '{status=error}',
    '{ status=error',
  ])
    assert.equal(typed(text), 'no', text)
})

test('a text that cannot be parsed gets a message with the right form', () => {
  assert.match(explainTyped('service!=shop'), /^“Not” is not there yet.* service=…/)
  assert.match(explainTyped('service !~ "a"'), /^“Not”/)
  assert.match(explainTyped('{status=error}'), /without braces/)
  assert.match(explainTyped('status=bad'), /error, ok, unset/)
  assert.match(explainTyped('duration>soon'), /a number and a unit/)
  assert.match(explainTyped('user.id>3'), /^Only durations/)
  assert.match(explainTyped('nonsense'), /^Write a field/)
  assert.match(explainTyped('service='), /^Write a field/)
})

test('nearest names', () => {
  assert.deepEqual(nearestNames('crat', ['cart', 'shop', 'chart']), ['cart', 'chart'])
  assert.deepEqual(nearestNames('pay', ['payment-gateway', 'mail']), ['payment-gateway'])
})
