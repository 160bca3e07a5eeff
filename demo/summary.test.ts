import assert from 'node:assert/strict'
import { test } from 'node:test'
import { services } from './services.ts'
import { printCounts, printWelcome } from './summary.ts'

test('the welcome links to every fault that can be found', () => {
  const text = printWelcome('http://127.0.0.1:7070', services)
  assert.match(text, /clew is at http:\/\/127\.0\.0\.1:7070\n/)
  assert.match(text, /8 services in JavaScript and Python: catalog, /)
  assert.match(text, /http:\/\/127\.0\.0\.1:7070\/\?service=catalog&operation=GET\+%2Fsearch&min=100ms\n/)
  assert.match(text, /KeyError/)
})

test('without Python and without clew it promises less', () => {
  const text = printWelcome(
    null,
    services.filter(({ language }) => language === 'JavaScript'),
  )
  assert.match(text, /6 services in JavaScript: /)
  assert.match(text, /service cart, status error\n/)
  assert.doesNotMatch(text, /KeyError|http:/)
})

test('the load is told by the class of its answers', () => {
  assert.equal(printCounts({ requests: 0, answers: {}, leftOut: 0 }), '0 requests')
  assert.equal(
    printCounts({ requests: 13, answers: { none: 1, '5xx': 2, '2xx': 10 }, leftOut: 4 }),
    '13 requests: 10 2xx, 2 5xx, 1 without an answer; 4 left out, the shop is too slow for this rate',
  )
})
