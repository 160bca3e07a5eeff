/** Every question about the whole, asked of the engine and of plain loops over the same random spans. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { propertyRuns } from '../../../../../test/support/property-runs.ts'
import * as oracle from '../../../../../test/support/figures-oracle.ts'
import { randomEvents, randomSpans } from '../../../../../test/support/random-spans.ts'
import { second } from '../../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../../test/support/temporary-store.ts'
import { startRollups, type Rollups } from '../../rollup/scheduler.ts'
import { readAttributeKeys } from './attributes.ts'
import { readDependencies } from './dependencies.ts'
import { readNodes } from './nodes.ts'
import { readOperations, readServices } from './services.ts'
import type { TimeRange } from '../../../../model/query.ts'
import type { FigureContext } from '../figure-source.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
const allClosedMs = Number(origin / 1_000_000n) + 3_000_000

interface Quantiles {
  readonly p50Ns: bigint
  readonly p95Ns: bigint
  readonly p99Ns: bigint
}

/** Compares figures apart from quantiles, and those with the durations they were made of. */
function same<Key>(
  found: readonly (Quantiles & object)[],
  expected: readonly { durations: readonly bigint[] }[],
  keyOf: (figure: object) => Key,
): void {
  const sorted = (list: readonly object[]): object[] =>
    [...list].sort((a, b) => (JSON.stringify(keyOf(a)) < JSON.stringify(keyOf(b)) ? -1 : 1))
  const plain = sorted(found).map((figure) => {
    const {
      p50Ns: _p50,
      p95Ns: _p95,
      p99Ns: _p99,
      newest: _newest,
      ...rest
    } = figure as Quantiles & { newest?: unknown }
    return rest
  })
  const wanted = sorted(expected) as { durations: readonly bigint[] }[]
  assert.deepEqual(
    plain,
    wanted.map(({ durations: _durations, ...rest }) => rest),
  )
  sorted(found).forEach((figure, i) => {
    const { p50Ns, p95Ns, p99Ns } = figure as Quantiles
    const durations = wanted[i]!.durations
    for (const [value, level] of [
      [p50Ns, 0.5],
      [p95Ns, 0.95],
      [p99Ns, 0.99],
    ] as const) {
      assert.ok(oracle.isQuantile(value, level, durations), `${level} of ${durations.join(' ')} cannot be ${value}`)
    }
  })
}

async function compareAll(context: FigureContext, stored: oracle.Stored, range: TimeRange): Promise<void> {
  const name = (figure: object): unknown => (figure as { name: string }).name
  same(await readServices(context, range), oracle.services(stored, range), name)
  same(await readOperations(context, 'cart', range), oracle.operations(stored, 'cart', range), (figure) => {
    const { name: operation, kind } = figure as { name: string; kind: number }
    return [operation, kind]
  })
  same(await readDependencies(context, range), oracle.dependencies(stored, range), (figure) => {
    const { parent, child, childType } = figure as { parent: string; child: string; childType: string }
    return [parent, child, childType]
  })
  await compareNodes(context, stored, range)
  const keys = await readAttributeKeys(context, range)
  assert.deepEqual(
    new Map(keys.map(({ scope, key, spans }) => [`${scope} ${key}`, spans])),
    oracle.attributeKeys(stored, range),
  )
}

async function compareNodes(context: FigureContext, stored: oracle.Stored, range: TimeRange): Promise<void> {
  const key = (node: { type: string; id: string; service: string }): string =>
    JSON.stringify([node.type, node.id, node.service])
  const found = (await readNodes(context, { range, nowNs: origin })).map(
    ({ address: _a, version: _v, cluster: _c, clusterType: _t, state: _s, ...rest }) => rest,
  )
  const sorted = <Node extends Parameters<typeof key>[0]>(list: Node[]): Node[] =>
    list.sort((a, b) => (key(a) < key(b) ? -1 : 1))
  assert.deepEqual(sorted(found), sorted(oracle.nodes(stored, range)))
}

const ranges = fc
  .tuple(fc.integer({ min: -10, max: 1700 }), fc.integer({ min: 1, max: 1500 }), fc.nat(3))
  .map(([fromSeconds, length, open]): TimeRange => {
    const startNs = origin + BigInt(fromSeconds) * second
    const endNs = startNs + BigInt(length) * second
    return open === 0 ? {} : open === 1 ? { startNs } : open === 2 ? { endNs } : { startNs, endNs }
  })

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
    ranges,
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
        } else await compareAll(context, { spans: spans.filter((_, i) => chunks[i]! <= 1), events }, range)
      }
      assert.equal(rollups.dirtyBuckets().size, 0)
      await compareAll(context, { spans, events }, range)
      await compareAll(context, { spans, events }, {})
      await rollups.stop()
    },
  )
  await fc.assert(property, { numRuns: propertyRuns(8), seed: 26 })
})

test('are right to the last second while the newest buckets are open', async () => {
  const property = fc.asyncProperty(randomSpans(origin), ranges, fc.nat(2000), async (spans, range, nowSeconds) => {
    await emptyStore(engine)
    const rollups = await start(() => Number(origin / 1_000_000n) + nowSeconds * 1000)
    rollups.touch(await storeRows(engine, spans))
    await rollups.runDue()
    await compareAll({ engine, rollups }, { spans, events: [] }, range)
    await rollups.stop()
  })
  await fc.assert(property, { numRuns: propertyRuns(6), seed: 27 })
})
