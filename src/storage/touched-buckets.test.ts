import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { drawSpans, eventBatchOf, second, spanBatchOf, type TestSpan } from '../../test/support/test-spans.ts'
import { addTouchedBuckets, bucketSeconds } from './touched-buckets.ts'

const origin = 1_795_000_200n * second

function touched(...spans: TestSpan[]): number[] {
  const buckets = new Set<number>()
  addTouchedBuckets(buckets, spanBatchOf(spans))
  return [...buckets].sort((a, b) => a - b)
}

const at = (startNs: bigint, lasts = '1ms'): TestSpan => drawSpans(`web GET 0s+${lasts}`, startNs)[0]!
const first = Number(origin / second)

test('a span touches the bucket in which it starts', () => {
  assert.deepEqual(touched(at(origin + 60n * second), at(origin + 61n * second), at(origin + 361n * second)), [
    first,
    first + 300,
  ])
})

test('a span that may answer a call of the bucket before touches that too', () => {
  assert.deepEqual(touched(at(origin + 59n * second), at(origin + 400n * second)), [first - 300, first, first + 300])
})

test('a short span that ends in the next bucket touches only its own', () => {
  assert.deepEqual(touched(at(origin + 299n * second, '5s')), [first])
})

test('a span longer than a bucket touches all until its end, a day at most', () => {
  assert.deepEqual(touched(at(origin + 100n * second, '600s')), [first, first + 300, first + 600])
  assert.equal(touched(at(origin + 60n * second, '2000000s')).length, 289)
})

test('a span whose clock went back touches where it starts', () => {
  const span = { ...at(origin + 100n * second), durationNs: -900n * second }
  assert.deepEqual(touched(span), [first])
})

test('events touch the bucket of their time', () => {
  const buckets = new Set<number>()
  addTouchedBuckets(buckets, eventBatchOf([{ timeNs: origin + second, service: 'web', body: '', resource: {} }]))
  assert.deepEqual([...buckets], [first])
})

test('every time is in a touched bucket, and at most its neighbour is touched too', () => {
  const bucketNs = BigInt(bucketSeconds) * second
  const times = fc.oneof(
    fc.bigInt(-(1n << 62n), (1n << 63n) - 1n),
    fc.tuple(fc.bigInt(-1000n, 9_000_000n), fc.bigInt(-2000n, 2000n)).map(([bucket, off]) => bucket * bucketNs + off),
  )
  fc.assert(
    fc.property(times, (timeNs) => {
      const floor = timeNs / bucketNs - (timeNs < 0n && timeNs % bucketNs !== 0n ? 1n : 0n)
      const buckets = touched(at(timeNs))
      assert.ok(buckets.includes(Number(floor) * bucketSeconds), `${timeNs}: ${buckets.join(' ')}`)
      assert.ok(buckets.length <= 2)
    }),
  )
})
