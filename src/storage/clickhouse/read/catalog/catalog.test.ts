/** Every question about the whole, asked of the engine and of plain loops over the same random spans. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { compareFigures, randomRanges } from '../../../../../test/support/compare-figures.ts'
import { propertyRuns } from '../../../../../test/support/property-runs.ts'
import { randomEvents, randomSpans } from '../../../../../test/support/random-spans.ts'
import { second } from '../../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../../test/support/temporary-store.ts'
import { startRollups, type Rollups } from '../../rollup/scheduler.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
const allClosedMs = Number(origin / 1_000_000n) + 3_000_000

async function start(now: () => number): Promise<Rollups> {
  return startRollups({
    engine,
    intervalMs: 1e9,
    now,
    onProblem: (message, error) => assert.fail(`${message}: ${String(error)}`),
  })
}

test('are right while spans come late, in any order, to buckets rolled up before', async () => {
  const property = fc.asyncProperty(
    randomSpans(origin),
    randomEvents(origin),
    randomRanges(origin),
    fc.array(fc.nat(3), { minLength: 90, maxLength: 90 }),
    async (spans, events, range, chunks) => {
      await emptyStore(engine)
      let nowMs = allClosedMs
      const rollups = await start(() => nowMs)
      const context = { engine, rollups }
      for (const chunk of [0, 1, 2, 3]) {
        const part = spans.filter((_, i) => chunks[i] === chunk)
        if (part.length > 0) rollups.touch(await storeRows(engine, part, chunk === 1 ? events : []))
        else if (chunk === 1 && events.length > 0) rollups.touch(await storeRows(engine, [], events))
        // The second chunk stays dirty over the third.
        if (chunk !== 1) {
          nowMs += 60_000
          await rollups.runDue()
        } else await compareFigures(context, { spans: spans.filter((_, i) => chunks[i]! <= 1), events }, range)
      }
      assert.equal(rollups.dirtyBuckets().size, 0)
      await compareFigures(context, { spans, events }, range)
      await compareFigures(context, { spans, events }, {})
      await rollups.stop()
    },
  )
  await fc.assert(property, { numRuns: propertyRuns(8), seed: 26 })
})

test('are right to the last second while the newest buckets are open', async () => {
  const property = fc.asyncProperty(
    randomSpans(origin),
    randomRanges(origin),
    fc.nat(2000),
    async (spans, range, nowSeconds) => {
      await emptyStore(engine)
      const rollups = await start(() => Number(origin / 1_000_000n) + nowSeconds * 1000)
      rollups.touch(await storeRows(engine, spans))
      await rollups.runDue()
      await compareFigures({ engine, rollups }, { spans, events: [] }, range)
      await rollups.stop()
    },
  )
  await fc.assert(property, { numRuns: propertyRuns(6), seed: 27 })
})
