import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fnv1a, slotCount, slotOf, slotsOf } from './name-slots.ts'

test('FNV-1a matches its published vectors', () => {
  assert.equal(fnv1a(''), 0x811c9dc5)
  assert.equal(fnv1a('a'), 0xe40c292c)
  assert.equal(fnv1a('foobar'), 0xbf9cf968)
})

test('the first name gets the slot of its hash, and the first twelve differ', () => {
  const names = ['shop', 'cart', 'pay', 'stock', 'mail', 'auth', 'search', 'ads', 'geo', 'tax', 'ship', 'user']
  const slots = slotsOf(names)
  assert.equal(slots[0], slotOf('shop'))
  assert.equal(slots[0], fnv1a('shop') % 12)
  assert.equal(new Set(slots).size, slotCount)
})

test('a name whose slot is taken gets the next least-used slot, and the thirteenth name shares one', () => {
  const names = Array.from({ length: 100 }, (_, i) => `service-${i}`).filter((name) => slotOf(name) === 11)
  assert.deepEqual(slotsOf(names.slice(0, 3)), [11, 0, 1])
  const thirteen = slotsOf(Array.from({ length: 13 }, (_, i) => `service-${i}`))
  assert.equal(thirteen.at(-1), slotOf('service-12'))
})
