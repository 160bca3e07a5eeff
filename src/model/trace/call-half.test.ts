import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callHalf, isCallerOf } from './call-half.ts'

test('a client calls the server with the same id, and a producer its consumer', () => {
  const [server, client, producer, consumer] = [2, 3, 4, 5].map((kind) => callHalf(kind, 0xffffffff)) as string[]
  assert.ok(isCallerOf(client!, server!))
  assert.ok(isCallerOf(producer!, consumer!))
  assert.ok(!isCallerOf(server!, client!))
  assert.ok(!isCallerOf(client!, client!))
})

test('halves of different ids, and spans of other kinds, are no call', () => {
  assert.ok(!isCallerOf(callHalf(3, 1), callHalf(2, 2)))
  assert.equal(callHalf(1, 1), '')
  assert.ok(!isCallerOf('', ''))
  assert.ok(!isCallerOf(callHalf(3, 0), ''))
})
