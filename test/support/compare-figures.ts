/** Compares the figures of a store with those of plain loops over the same spans. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { TimeRange } from '../../src/model/query.ts'
import { readAttributeKeys } from '../../src/storage/clickhouse/read/catalog/attributes.ts'
import { readDependencies } from '../../src/storage/clickhouse/read/catalog/dependencies.ts'
import { readNodes } from '../../src/storage/clickhouse/read/catalog/nodes.ts'
import { readOperations, readServices } from '../../src/storage/clickhouse/read/catalog/services.ts'
import type { FigureContext } from '../../src/storage/clickhouse/read/figure-source.ts'
import * as oracle from './figures-oracle.ts'
import { second } from './test-spans.ts'

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

/** All figures of the range, asked of the store and counted by plain loops. */
export async function compareFigures(
  context: FigureContext,
  stored: oracle.Stored,
  range: TimeRange,
  withNodes = true,
): Promise<void> {
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
  if (withNodes) await compareNodes(context, stored, range)
  const keys = await readAttributeKeys(context, range)
  assert.deepEqual(
    new Map(keys.map(({ scope, key, spans }) => [`${scope} ${key}`, spans])),
    oracle.attributeKeys(stored, range),
  )
}

async function compareNodes(context: FigureContext, stored: oracle.Stored, range: TimeRange): Promise<void> {
  const key = (node: { type: string; id: string; service: string }): string =>
    JSON.stringify([node.type, node.id, node.service])
  const found = (await readNodes(context, { range, nowNs: 0n })).map(
    ({ address: _a, version: _v, cluster: _c, clusterType: _t, state: _s, ...rest }) => rest,
  )
  const sorted = <Node extends Parameters<typeof key>[0]>(list: Node[]): Node[] =>
    list.sort((a, b) => (key(a) < key(b) ? -1 : 1))
  assert.deepEqual(sorted(found), sorted(oracle.nodes(stored, range)))
}

/** Of those spans; open at one end or both in half of the cases. */
export const randomRanges = (origin: bigint): fc.Arbitrary<TimeRange> =>
  fc
    .tuple(fc.integer({ min: -10, max: 1700 }), fc.integer({ min: 1, max: 1500 }), fc.nat(3))
    .map(([fromSeconds, length, open]): TimeRange => {
      const startNs = origin + BigInt(fromSeconds) * second
      const endNs = startNs + BigInt(length) * second
      return open === 0 ? {} : open === 1 ? { startNs } : open === 2 ? { endNs } : { startNs, endNs }
    })
