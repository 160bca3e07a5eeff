import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { groupBy } from '../../../../test/support/figures-oracle.ts'
import { randomSpans } from '../../../../test/support/random-spans.ts'
import { drawSpans, second, type TestSpan } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { compare, everything, intrinsic, text } from '../../../model/query.ts'
import type { TracePlace, TraceSort } from '../../../model/trace-search.ts'
import { readSummaries, searchTraces } from './trace-search.ts'

const engine = await temporaryEngine({ after })
const facts = { irregular: new Set<string>(), resource: new Set<string>() }
const sources = { engine, facts, summaries: { read: (ids: readonly string[]) => readSummaries(engine, ids) } }
const origin = 1_795_000_200n * second

const carts = compare(intrinsic('service'), '=', text('cart'))

/** Some thirty traces, stored in two blocks, so that traces have several rows. */
async function stored(seed: number): Promise<Map<string, TestSpan[]>> {
  await emptyStore(engine)
  // A sample begins small; ids tell the traces of its members apart.
  const spans = fc
    .sample(randomSpans(origin), { seed, numRuns: 6 })
    .flatMap((sample, i) => sample.map((span) => ({ ...span, traceId: `${i}${span.traceId.slice(1)}` })))
  await storeRows(
    engine,
    spans.filter((_, i) => i % 2 === 0),
  )
  await storeRows(
    engine,
    spans.filter((_, i) => i % 2 === 1),
  )
  return groupBy(spans, ({ traceId }) => traceId)
}

/** Ids newest first by the start of the first match, then by id. */
function idsInOrder(traces: ReadonlyMap<string, readonly TestSpan[]>, service?: string): string[] {
  const places = [...traces].flatMap(([id, spans]) => {
    const starts = spans.filter((span) => service === undefined || span.service === service)
    if (starts.length === 0) return []
    return [{ id, first: starts.map(({ startNs }) => startNs).reduce((a, b) => (a < b ? a : b)) }]
  })
  places.sort((a, b) => (a.first > b.first ? -1 : a.first < b.first ? 1 : a.id < b.id ? -1 : 1))
  return places.map(({ id }) => id)
}

for (const [name, where, service] of [
  ['everything', everything],
  ['one service', carts, 'cart'],
] as const) {
  test(`pages of ${name} hold each trace once, newest first, and say how many there are`, async () => {
    const traces = await stored(7)
    const expected = idsInOrder(traces, service)
    assert.ok(expected.length > 3)
    const seen: string[] = []
    for (let next: TracePlace | undefined, first = true; first || next !== undefined; first = false) {
      const cursor = next === undefined ? {} : { after: next }
      const page = await searchTraces(sources, { query: { where }, sort: 'time', limit: 3, ...cursor })
      assert.equal(page.total, expected.length)
      const ids = new Set(page.traces.map(({ traceId }) => traceId))
      assert.deepEqual(ids, new Set(expected.slice(seen.length, seen.length + 3)))
      seen.push(...ids)
      next = page.next
    }
    assert.equal(seen.length, expected.length)
  })
}

test('past the last page the total is still known', async () => {
  const traces = await stored(8)
  const page = await searchTraces(sources, {
    query: { where: carts },
    sort: 'time',
    limit: 5,
    after: { value: 0n, traceId: 'f'.repeat(32) },
  })
  assert.deepEqual([page.traces, page.next], [[], undefined])
  assert.equal(page.total, idsInOrder(traces, 'cart').length)
})

test('a summary tells of the whole trace, whatever span matched', async () => {
  const traces = await stored(9)
  const { traces: found } = await searchTraces(sources, { query: { where: carts }, sort: 'time', limit: 100 })
  assert.ok(found.length > 3)
  for (const summary of found) {
    const spans = traces.get(summary.traceId)!
    const ends = spans.map(({ startNs, durationNs }) => startNs + (durationNs > 0n ? durationNs : 0n))
    const first = spans.map(({ startNs }) => startNs).reduce((a, b) => (a < b ? a : b))
    assert.equal(summary.startNs, first)
    assert.equal(summary.durationNs, ends.reduce((a, b) => (a > b ? a : b)) - first)
    assert.equal(summary.spanCount, spans.length)
    assert.equal(summary.errorCount, spans.filter(({ status }) => status === 2).length)
    const byService = groupBy(spans, ({ service }) => service)
    assert.deepEqual(
      new Map(summary.services.map(({ name, spanCount }) => [name, spanCount])),
      new Map([...byService].map(([service, own]) => [service, own.length])),
    )
  }
})

test('a trace whose rows in the table of traces are gone, or not there yet, is summed up from its spans', async () => {
  await stored(11)
  const search = { query: { where: carts }, sort: 'time', limit: 100 } as const
  const before = await searchTraces(sources, search)
  assert.ok(before.traces.length > 3)
  await engine.execute(`DELETE FROM traces WHERE lower(hex(trace_id)) != '${before.traces[1]!.traceId}'`)
  assert.deepEqual(await searchTraces(sources, search), before)
})

test('of several roots in a block the one that starts first is named, whatever the order they came in', async () => {
  const roots = drawSpans('web first 0s+1s\nweb second 1s+1s', origin).map((span) => ({
    ...span,
    traceId: 'd'.repeat(32),
  }))
  for (const spans of [roots, roots.toReversed()]) {
    await emptyStore(engine)
    await storeRows(engine, spans)
    const { traces } = await searchTraces(sources, { query: { where: everything }, sort: 'time', limit: 9 })
    assert.deepEqual(
      traces.map(({ rootName }) => rootName),
      ['first'],
    )
  }
})

test('sorted by duration, spans or errors the largest come first', async () => {
  const traces = await stored(10)
  for (const sort of ['duration', 'spans', 'errors'] satisfies TraceSort[]) {
    const { traces: found, total } = await searchTraces(sources, { query: { where: everything }, sort, limit: 6 })
    assert.equal(total, traces.size)
    const figures = found.map((one) =>
      Number({ duration: one.durationNs, spans: one.spanCount, errors: one.errorCount }[sort]),
    )
    assert.deepEqual(
      figures,
      [...figures].sort((a, b) => b - a),
    )
  }
})

test('a call stored as two halves of one id is named by its client half, in one block or in two', async () => {
  const drawn = drawSpans(
    `
shop get-cart 0s+12ms server
edge route 4ms+20ms client`,
    origin,
  )
  for (const [tag, blocks] of [
    ['a', [drawn]],
    ['b', [[...drawn].reverse()]],
    ['c', drawn.map((span) => [span])],
  ] as const) {
    const traceId = tag.repeat(32)
    const halves = blocks.map((block) => block.map((span) => ({ ...span, traceId, spanId: 'ab'.repeat(8) })))
    for (const block of halves) await storeRows(engine, block)
    const [summary] = await readSummaries(engine, [traceId])
    assert.equal(summary?.rootService, 'edge', tag)
  }
})
