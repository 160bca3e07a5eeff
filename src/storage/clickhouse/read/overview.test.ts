import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import * as fc from 'fast-check'
import { propertyRuns } from '../../../../test/support/property-runs.ts'
import { groupBy, isQuantile, spansWithin } from '../../../../test/support/figures-oracle.ts'
import { randomSpans } from '../../../../test/support/random-spans.ts'
import { drawSpans, second, type TestSpan } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { facetSpansMax, type Facet } from '../../../model/facets.ts'
import { durationRows, type Overview } from '../../../model/overview.ts'
import {
  attribute,
  compare,
  duration,
  everything,
  intrinsic,
  spelled,
  status,
  text,
  type Predicate,
} from '../../../model/query.ts'
import { readFacets } from './facets.ts'
import { readOverview } from './overview.ts'
import { isSelective } from './trace-search.ts'

const engine = await temporaryEngine({ after })
const facts = { irregular: new Set<string>(), resource: new Set(['host.name']) }
const context = { engine, facts, rollups: { dirtyBuckets: () => new Set<number>() } }
const origin = 1_795_000_200n * second

interface Case {
  readonly where: Predicate
  readonly matches: (span: TestSpan) => boolean
}

const cases: Record<string, Case> = {
  everything: { where: everything, matches: () => true },
  service: {
    where: compare(intrinsic('service'), '=', text('cart')),
    matches: ({ service }) => service === 'cart',
  },
  errors: { where: compare(intrinsic('status'), '=', status(2)), matches: (span) => span.status === 2 },
  slow: {
    where: compare(intrinsic('duration'), '>=', duration(1_000_000n)),
    matches: ({ durationNs }) => durationNs >= 1_000_000n,
  },
  'a dedicated attribute': {
    where: compare(attribute('any', 'peer.service'), '=', spelled('bank')),
    matches: ({ attributes }) => attributes['peer.service'] === 'bank',
  },
  'an attribute in a map': {
    where: compare(attribute('span', 'retry'), '=', spelled('true')),
    matches: ({ attributes }) => attributes['retry'] === true,
  },
  'a resource attribute': {
    where: compare(attribute('any', 'host.name'), '=', spelled('node-1')),
    matches: ({ resource }) => resource['host.name'] === 'node-1',
  },
  nothing: { where: compare(intrinsic('service'), '=', text('nobody')), matches: () => false },
}

interface TraceFigures {
  readonly timeNs: bigint
  readonly durationNs: bigint
  readonly failed: boolean
}

/** Without a condition a trace stands in the range when it starts there; else when a span that meets it does. */
function tracesOf(spans: readonly TestSpan[], one: Case, range: { startNs: bigint; endNs: bigint }): TraceFigures[] {
  return [...groupBy(spans, ({ traceId }) => traceId).values()].flatMap((all) => {
    const starts = all.map(({ startNs }) => startNs).sort((a, b) => (a < b ? -1 : 1))
    const ends = all.map(({ startNs, durationNs }) => startNs + durationNs).sort((a, b) => (a < b ? -1 : 1))
    const matching = isSelective({ where: one.where })
      ? all.filter(one.matches)
      : all.filter(({ startNs }) => startNs === starts[0])
    const times = spansWithin(matching, range)
      .map(({ startNs }) => startNs)
      .sort((a, b) => (a < b ? -1 : 1))
    if (times.length === 0) return []
    return [
      { timeNs: times[0]!, durationNs: ends.at(-1)! - starts[0]!, failed: all.some(({ status }) => status === 2) },
    ]
  })
}

function compareOverview(found: Overview, traces: readonly TraceFigures[], startNs: bigint): void {
  assert.equal(found.total, traces.length)
  assert.equal(found.errorTraces, traces.filter(({ failed }) => failed).length)
  const durations = traces.map(({ durationNs }) => durationNs)
  for (const [value, level] of [
    [found.p50Ns, 0.5],
    [found.p99Ns, 0.99],
  ] as const) {
    if (traces.length === 0) assert.equal(value, undefined)
    else assert.ok(isQuantile(value!, level, durations), `${level} of ${durations.join(' ')} cannot be ${value}`)
  }
  const cells = groupBy([...traces], ({ timeNs, durationNs }) => {
    const bound = durationRows.findLast((low) => low <= durationNs)!
    return `${(timeNs - startNs) / found.columnNs} ${bound}`
  })
  const used = durations.map((duration) => durationRows.findLastIndex((low) => low <= duration))
  const end = Math.max(...used) + 1
  assert.deepEqual(found.rows, used.length === 0 ? [] : durationRows.slice(Math.min(...used), end))
  assert.equal(found.rowsEndNs, durationRows[end])
  assert.deepEqual(
    new Map(found.cells.map((cell) => [`${cell.column} ${found.rows[cell.row]}`, [cell.traces, cell.errorTraces]])),
    new Map([...cells].map(([place, all]) => [place, [all.length, all.filter(({ failed }) => failed).length]])),
  )
}

function facetsOf(spans: readonly TestSpan[]): Map<string, Map<string, string>> {
  const facets = new Map<string, Map<string, string>>()
  const entries = spans.flatMap((span) => [
    { key: 'service', value: span.service, span },
    { key: 'operation', value: span.name, span },
    { key: 'status', value: ['unset', 'ok', 'error'][span.status]!, span },
    ...Object.entries(span.attributes).map(([key, value]) => ({ key, value: String(value), span })),
  ])
  for (const [key, own] of groupBy(
    entries.filter(({ value }) => value !== ''),
    (entry) => entry.key,
  )) {
    const counts = [...groupBy(own, ({ value }) => value)].map(
      ([value, all]) => [value, `${all.length}/${all.filter(({ span }) => span.status === 2).length}`] as const,
    )
    facets.set(key, new Map(counts))
  }
  return facets
}

function plainFacets(facets: readonly Facet[]): Map<string, Map<string, string>> {
  return new Map(
    facets.map(({ key, values }) => [
      key,
      new Map(values.map(({ value, spans, errors }) => [value, `${spans}/${errors}`])),
    ]),
  )
}

const ranges = fc
  .tuple(fc.integer({ min: -10, max: 1600 }), fc.integer({ min: 60, max: 2500 }))
  .map(([from, length]) => ({
    startNs: origin + BigInt(from) * second,
    endNs: origin + BigInt(from + length) * second,
  }))

beforeEach(() => emptyStore(engine))

test('agree with plain loops over the spans', async () => {
  const property = fc.asyncProperty(
    randomSpans(origin),
    ranges,
    fc.integer({ min: 1, max: 60 }),
    async (spans, range, columns) => {
      await emptyStore(engine)
      await storeRows(engine, spans)
      for (const one of Object.values(cases)) {
        const query = { where: one.where, ...range }
        compareOverview(await readOverview(context, { query, columns }), tracesOf(spans, one, range), range.startNs)
        const found = await readFacets(context, { query, limit: 50 })
        const matching = spansWithin(spans, range).filter(one.matches)
        assert.deepEqual(plainFacets(found.facets), facetsOf(matching))
        assert.equal(found.spans, matching.length)
        for (const { values, distinct } of found.facets) assert.equal(distinct, values.length)
      }
    },
  )
  await fc.assert(property, { numRuns: propertyRuns(6), seed: 28 })
})

test('a long range looks up the traces that match and comes to the same', async () => {
  const spans = drawSpans(
    `
web GET 0s+200ms server
  cart reserve 20ms+100ms server error
web GET 3600s+10s server
cart sweep 7200s+1s internal`,
    origin,
  )
  await storeRows(engine, spans)
  const range = { startNs: origin - 80_000n * second, endNs: origin + 80_000n * second }
  const found = await readOverview(context, {
    query: { where: cases['service']!.where, ...range },
    columns: 10,
  })
  compareOverview(found, tracesOf(spans, cases['service']!, range), range.startNs)
  assert.equal(found.total, 2)
})

test('a range from the first to the last time there is holds everything', async () => {
  const spans = drawSpans('web GET 0s+200ms server\n  cart reserve 20ms+500ms server error\ncart sweep 0s+1s', origin)
  await storeRows(engine, spans)
  for (const startNs of [-(1n << 63n), 0n]) {
    const range = { startNs, endNs: (1n << 63n) - 1n }
    for (const name of ['everything', 'service']) {
      const found = await readOverview(context, {
        query: { where: cases[name]!.where, ...range },
        columns: 10,
      })
      compareOverview(found, tracesOf(spans, cases[name]!, range), startNs)
      assert.equal(found.total, 2)
    }
  }
})

test('a trace of several blocks is one trace', async () => {
  const spans = drawSpans('web GET 0s+200ms server\n  cart reserve 20ms+500ms server error', origin)
  for (const span of spans) await storeRows(engine, [span])
  const range = { startNs: origin, endNs: origin + second }
  for (const name of ['everything', 'service']) {
    const found = await readOverview(context, {
      query: { where: cases[name]!.where, ...range },
      columns: 10,
    })
    assert.deepEqual([found.total, found.errorTraces, found.p50Ns], [1, 1, 520_000_000n])
  }
})

test('says when it last matched, if it does not in the range', async () => {
  await storeRows(engine, drawSpans('cart reserve 5s+1ms\ncart reserve 9s+1ms\nweb GET 20s+1ms', origin))
  const range = { startNs: origin + 100n * second, endNs: origin + 200n * second }
  const lastOf = async (name: string): Promise<bigint | undefined> =>
    (await readOverview(context, { query: { where: cases[name]!.where, ...range }, columns: 10 })).lastMatchNs
  assert.equal(await lastOf('service'), origin + 9n * second)
  assert.equal(await lastOf('everything'), origin + 20n * second)
  assert.equal(await lastOf('nothing'), undefined)
})

test('a facet gives the most frequent values and how many there are', async () => {
  const lines = Array.from({ length: 30 }, (_, i) => `web GET ${i}s+1ms server user.id=${i < 20 ? 'often' : `u${i}`}`)
  await storeRows(engine, drawSpans(lines.join('\n'), origin))
  const { facets } = await readFacets(context, { query: { where: everything }, limit: 2 })
  const users = facets.find(({ key }) => key === 'user.id')!
  assert.deepEqual(users, {
    key: 'user.id',
    values: [
      { value: 'often', spans: 20, errors: 0 },
      { value: 'u20', spans: 1, errors: 0 },
    ],
    distinct: 11,
  })
})

test('of the keys in the maps the most frequent become facets', async () => {
  const lines = Array.from({ length: 12 }, (_, i) =>
    ['web GET 0s+1ms', ...Array.from({ length: i + 1 }, (_, key) => `key${String(key).padStart(2, '0')}=v`)].join(' '),
  )
  await storeRows(engine, drawSpans(lines.join('\n'), origin))
  const { facets } = await readFacets(context, { query: { where: everything }, limit: 2 })
  assert.deepEqual(
    facets.map(({ key }) => key).filter((key) => key.startsWith('key')),
    ['key00', 'key01', 'key02', 'key03', 'key04', 'key05', 'key06', 'key07'],
  )
})

test('a key that means something else in a filter is a facet with its scope', async () => {
  await storeRows(
    engine,
    drawSpans('web GET 0s+1ms status=paid service=mail span.kind=x resource.name=y plain=z', origin),
  )
  const { facets } = await readFacets(context, { query: { where: everything }, limit: 2 })
  const found = facets.map(({ key, values }) => `${key}=${values[0]!.value}`)
  const own = ['plain=z', 'span.resource.name=y', 'span.service=mail', 'span.span.kind=x', 'span.status=paid']
  assert.deepEqual(found, ['service=web', 'operation=GET', 'status=unset', ...own])
})

test('of very many spans, facets count the newest and say since when', async () => {
  const stored = (from: bigint, spans: number): string =>
    `INSERT INTO spans (trace_id, service_name, name, start_time, status_code)
     SELECT toFixedString('t', 16), 'web', 'GET', fromUnixTimestamp64Nano(toInt64(${from}) + number), 1 FROM numbers(${spans})`
  for (const [bucket, spans] of [
    [0n, 150_000],
    [300n, 150_000],
    [600n, 150_000],
  ] as const) {
    await engine.execute(stored(origin + bucket * second, spans))
    await engine.execute(`INSERT INTO rollup_buckets VALUES (${origin / second + bucket}, 1, ${spans}, 0)`)
  }
  const all = await readFacets(context, { query: { where: everything }, limit: 2 })
  assert.deepEqual([all.spans, all.sinceNs], [facetSpansMax, origin + 300n * second])
  const rare = await readFacets(context, { query: { where: cases['nothing']!.where }, limit: 2 })
  assert.deepEqual([rare.spans, rare.sinceNs], [0, undefined])
})
