import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journeyOf } from './journeys.ts'

test('the same seed gives the same journeys, another seed others', () => {
  const load = (seed: number) => JSON.stringify(Array.from({ length: 50 }, (_, number) => journeyOf(seed, number)))
  assert.equal(load(1), load(1))
  assert.notEqual(load(1), load(2))
})

test('every kind of journey comes within a minute of load', () => {
  const names = new Set(Array.from({ length: 60 }, (_, number) => journeyOf(1, number).name))
  assert.deepEqual([...names].sort(), ['browse', 'checkout', 'login', 'recommendations', 'search'])
})

test('a checkout fills the cart of the user who pays', () => {
  const journeys = Array.from({ length: 60 }, (_, number) => journeyOf(7, number))
  const checkouts = journeys.filter((journey) => journey.name === 'checkout')
  assert.ok(checkouts.length > 5)
  for (const { user, steps } of checkouts) {
    assert.ok(steps.some((step) => step.path === '/cart'))
    assert.deepEqual(new Set(steps.map((step) => step.body?.user)), new Set([user]))
    assert.equal(steps.at(-1)?.path, '/checkout')
  }
})
