import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawnTrace, nodeNamed, printStretches } from './testing/drawn-trace.ts'

test('self time is what no child covers; overlapping children count once', () => {
  const { timing } = drawnTrace(`
    shop pay      |==========
      cart get    | ====
      stock get   |   ====
      mail send   |         ====
  `)
  assert.equal(timing.self[0], 3e6)
  assert.equal(printStretches(timing.covered, 0), '1-7 9-10')
  assert.equal(timing.duration, 13e6)
})

test('members of a group cover their parent as if they were not grouped', () => {
  const { timing } = drawnTrace(`
    shop pay      |==========
      db select   | =
      db select   |  =
      db select   |   =
      db select   |     =
      db select   |       =
  `)
  assert.equal(timing.self[0], 5e6)
  assert.equal(printStretches(timing.covered, 0), '1-4 5-6 7-8')
})

test('the critical path follows the last child to end, and its children', () => {
  const trace = drawnTrace(`
    shop pay      |==========
      cart get    | ===
      stock get   | ======
        db read   |   ==
      mail send   |         ===
  `)
  const path = (name: string): string => printStretches(trace.timing.critical, nodeNamed(trace, name))
  assert.equal(path('mail send'), '9-10')
  assert.equal(path('shop pay'), '0-1 7-9')
  assert.equal(path('stock get'), '1-3 5-7')
  assert.equal(path('db read'), '3-5')
  assert.equal(path('cart get'), '')
})

test('below a child that outlives its parent, the path continues but is cut at the end of the parent', () => {
  const trace = drawnTrace(`
    shop pay      |==========
      cart get    |===========
        db read   |  =========
          disk io |    ========
  `)
  const path = (name: string): string => printStretches(trace.timing.critical, nodeNamed(trace, name))
  assert.deepEqual(['shop pay', 'cart get', 'db read', 'disk io'].map(path), ['', '0-2', '2-4', '4-10'])
})

test('a child that starts after its parent ended is not waited for', () => {
  const trace = drawnTrace(`
    shop pay      |====
      mail send   |      ===
  `)
  assert.equal(printStretches(trace.timing.critical, 0), '0-4')
  assert.equal(printStretches(trace.timing.critical, 1), '')
})

test('the critical path of one root is as long as the root', () => {
  const { timing } = drawnTrace(`
    shop pay      |==========
      cart a      | ===
        cart b    |  =====
      cart c      |   ====
        cart d    |    ==
  `)
  let total = 0
  timing.critical.from.forEach((from, i) => (total += timing.critical.to[i]! - from))
  assert.equal(total, 10e6)
})

test('a span without an end has no length and is marked', () => {
  const { timing, tree } = drawnTrace(`
    shop pay ?    |==========
      cart get    | ===
  `)
  assert.equal(timing.length[0], 0)
  assert.equal(tree.flags[0]! & 8, 8)
  assert.equal(timing.self[1], 3e6)
})
