/** Digests in memory against those of the engine, and against the values that they were made of. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { temporaryEngine } from '../../../../../test/support/temporary-store.ts'
import { decodeDigest, mergeDigests, readQuantiles, type Digest } from './digest.ts'

const engine = await temporaryEngine({ after })
const levels = [0.5, 0.95, 0.99]

/** `value` is SQL over `number`, from 0 to below the count. */
async function digestOf(value: string, count: number): Promise<{ digest: Digest; quantiles: number[] }> {
  const [row] = await engine.query<[string, number[]]>(
    `SELECT base64Encode(CAST(quantilesTDigestState(0.5, 0.95, 0.99)(v) AS String)),
       quantilesTDigest(0.5, 0.95, 0.99)(v) FROM (SELECT toInt64(${value}) AS v FROM numbers(${count}))`,
  )
  return { digest: decodeDigest(row![0]), quantiles: row![1] }
}

for (const [value, count] of [
  ['number * 1000', 1],
  ['number * 1000', 2],
  ['cityHash64(number) % 1000', 7],
  ['7', 300],
  ['number * number', 5000],
  ['exp(cityHash64(number) % 2000 / 100)', 100_000],
] as const) {
  test(`quantiles of ${count} values ${value} are the engine's`, async () => {
    const { digest, quantiles } = await digestOf(value, count)
    readQuantiles(digest, levels).forEach((found, i) => {
      assert.ok(Math.abs(found! - quantiles[i]!) <= Math.abs(quantiles[i]!) * 1e-5, `${found}, not ${quantiles[i]}`)
    })
  })
}

test('a digest of nothing has no quantiles', async () => {
  const { digest } = await digestOf('number', 0)
  assert.deepEqual(readQuantiles(digest, levels), [undefined, undefined, undefined])
  assert.equal(mergeDigests([digest, digest]).length, 0)
})

test('merged digests are those of all values, and small', async () => {
  const parts = await Promise.all(
    Array.from({ length: 40 }, (_, i) => digestOf(`cityHash64(number, ${i}) % 1000000 * ${i + 1}`, 3000)),
  )
  const [row] = await engine.query<[number[]]>(
    `SELECT quantilesExact(0.5, 0.95, 0.99)(cityHash64(number, i) % 1000000 * (i + 1))
     FROM (SELECT number FROM numbers(3000)) AS n CROSS JOIN (SELECT number AS i FROM numbers(40)) AS parts`,
  )
  const merged = mergeDigests(parts.map(({ digest }) => digest))
  assert.ok(merged.length / 2 < 1024, `${merged.length / 2} centroids`)
  let count = 0
  for (let i = 0; i < merged.length; i += 2) count += merged[i + 1]!
  assert.equal(count, 120_000)
  readQuantiles(merged, levels).forEach((found, i) => {
    assert.ok(Math.abs(found! - row![0][i]!) < row![0][i]! * 0.02, `${found}, not ${row![0][i]}`)
  })
})
