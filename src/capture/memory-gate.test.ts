import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../base/errors.ts'
import { MemoryGate } from './memory-gate.ts'

test('a request that fits enters at once, the others wait in order', async () => {
  const gate = new MemoryGate(100)
  const order: string[] = []
  assert.equal(gate.enter(60), undefined)
  assert.equal(gate.enter(40), undefined)
  const wait = async (bytes: number, name: string): Promise<void> => {
    await gate.enter(bytes)
    order.push(name)
  }
  const waiting = [wait(50, 'b'), wait(10, 'c')]
  gate.leave(40)
  await Promise.resolve()
  assert.deepEqual(order, [])
  gate.leave(60)
  await Promise.all(waiting)
  assert.deepEqual(order, ['b', 'c'])
})

test('a request over the bound enters alone', () => {
  const gate = new MemoryGate(100)
  assert.equal(gate.enter(500), undefined)
  assert.ok(gate.enter(1) instanceof Promise)
})

test('a request that is larger than guessed keeps others out', async () => {
  const gate = new MemoryGate(100)
  assert.equal(gate.enter(10, true), undefined)
  gate.settle(10, 210)
  const later = gate.enter(10)
  assert.ok(later instanceof Promise)
  gate.leave(210)
  await later
})

test('when too much waits, the client is told to retry later', () => {
  const gate = new MemoryGate(100)
  assert.equal(gate.enter(100), undefined)
  void gate.enter(90)
  assert.throws(
    () => gate.enter(20),
    (error) => error instanceof UnavailableError && error.code === 'too_many_requests',
  )
})

test('few guesses enter at a time, as each may be wrong', async () => {
  const gate = new MemoryGate(1000)
  for (let i = 0; i < 4; i++) assert.equal(gate.enter(1, true), undefined)
  const fifth = gate.enter(1, true)
  assert.ok(fifth instanceof Promise)
  gate.settle(1, 2)
  await fifth
})
