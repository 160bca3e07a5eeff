import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { openFreshPart, passTime, startedAtMs, takeTraces, type FreshPart } from '../../test/support/fresh-part.ts'
import { encodeTraces, type Span } from '../../test/support/otlp-encode.ts'
import { otlpRequest, otlpSpan, textAttribute } from '../../test/support/otlp-span.ts'
import {
  plainPage,
  queryOf,
  type PlainConditions,
  type PlainSpan,
  type PlainTraceSearch,
} from '../../test/support/plain-search.ts'
import { temporaryEngine } from '../../test/support/temporary-store.ts'
import type { Attribute, AttributeValue } from '../model/attributes.ts'
import type { Position } from '../model/log.ts'
import { searchTraces } from './clickhouse/read/trace-search.ts'
import { StoreBlock } from './clickhouse/block/store-block.ts'
import { KnownKeys } from './clickhouse/known-keys.ts'
import { TraceSummaries } from './clickhouse/read/trace-summaries.ts'

const minute = 60_000

function nanos(ms: number): bigint {
  return BigInt(ms) * 1_000_000n
}

function idOf(trace: number): string {
  return `f${trace.toString(16).padStart(31, '0')}`
}

function encoded(spans: readonly PlainSpan[]): Buffer {
  return encodeTraces(
    otlpRequest(
      ...spans.map((span) => ({ resource: [textAttribute('service.name', span.service)], spans: [otlp(span)] })),
    ),
  )
}

function otlp({ traceId, isRoot, name, status, startNs, durationNs, attributes }: PlainSpan): Span {
  return otlpSpan({
    traceId: Buffer.from(traceId, 'hex'),
    parentSpanId: isRoot ? Buffer.alloc(0) : Buffer.alloc(8, 9),
    name,
    status: { code: status, message: '' },
    start: startNs,
    end: startNs + durationNs,
    attributes: Object.entries(attributes).map(([key, value]) => textAttribute(key, value)),
  })
}

function search(given: Partial<PlainConditions>, rest: Partial<PlainTraceSearch> = {}): PlainTraceSearch {
  const conditions: PlainConditions = { attributes: [{ scope: 'any', key: 'user.id', value: 'u1' }], ...given }
  return { conditions, query: queryOf(conditions), sort: 'time', limit: 20, ...rest }
}

/** One span of trace N; times are minutes after the start. */
function plain(trace: number, at: number, more: Partial<PlainSpan> = {}): PlainSpan {
  const startNs = nanos(startedAtMs + at * minute)
  const [traceId, attributes] = [idOf(trace), { 'user.id': 'u1' }]
  return { traceId, isRoot: true, service: 'web', name: 'get', status: 0, startNs, durationNs: 5n, attributes, ...more }
}

async function send(part: FreshPart, ...spans: readonly PlainSpan[]): Promise<void> {
  await takeTraces(part, encoded(spans))
}

async function idsOf(part: FreshPart, asked: PlainTraceSearch): Promise<string[] | undefined> {
  return (await part.fresh.search(asked))?.traces.map(({ traceId }) => traceId.replace(/^f0*/, ''))
}

// Random input in steps; times are milliseconds from the step on. A slot that is taken again begins a new trace.
const row = fc.record({
  slot: fc.nat(5),
  isRoot: fc.nat(4).map((one) => one === 0),
  service: fc.constantFrom('web', 'pay'),
  name: fc.constantFrom('get', 'put'),
  status: fc.constantFrom(0, 0, 2),
  /** How long a root starts after its trace began, and any other span after now: clocks may be wrong. */
  rootAheadMs: fc.constantFrom(-5000, 0, 0, 59_000),
  aheadMs: fc.constantFrom(-120_000, -1000, 0, 0, 0, 30_000, 600_000),
  durationNs: fc.constantFrom(-5n, 0n, 1_000_000n, 90_000_000_000n),
  attributes: fc.constantFrom<PlainSpan['attributes']>(
    {},
    { 'user.id': 'u1' },
    { 'user.id': 'u1', plain: 'x' },
    { 'user.id': 'u2', 'url.path': '/a' },
    { 'url.path': '/a' },
  ),
})
const ask = fc.record({
  attributes: fc.constantFrom<PlainConditions['attributes']>(
    [{ scope: 'any', key: 'user.id', value: 'u1' }],
    [{ scope: 'span', key: 'user.id', value: 'u2' }],
    [{ scope: 'any', key: 'url.path', value: '/a' }],
    [
      { scope: 'span', key: 'plain', value: 'x' },
      { scope: 'any', key: 'user.id', value: 'u1' },
    ],
    [
      { scope: 'span', key: 'url.path', value: '/a' },
      { scope: 'any', key: 'user.id', value: 'u2' },
    ],
    [{ scope: 'any', key: 'user.id', value: 'nobody' }],
  ),
  rest: fc.constantFrom<Partial<PlainConditions>>(
    {},
    {},
    { service: 'web' },
    { status: 2 },
    { operation: 'put' },
    { durationMinNs: 1n },
  ),
  /** Milliseconds before now; 0 is no limit. */
  sinceMs: fc.constantFrom(0, 1000, 61_000, 90_000, 300_000),
  untilMs: fc.constantFrom(0, 0, 500),
  sort: fc.constantFrom<PlainTraceSearch['sort']>('time', 'time', 'duration', 'spans', 'errors'),
  limit: fc.constantFrom(1, 2, 20),
})
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 8, size: 'max' }), isPacked: fc.nat(40) }),
  },
  { weight: 2, arbitrary: fc.record({ taken: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(100, 10_000, 45_000, 200_000) }) },
  { weight: 6, arbitrary: ask },
)

type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never
type Ask = typeof ask extends fc.Arbitrary<infer Value> ? Value : never
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** All spans ever sent, here or before, and the slots of traces that are not over. */
class History {
  readonly spans: PlainSpan[] = []
  readonly #slots: { trace: number; begunMs: number }[] = []
  #traces = 0

  begin(slot: number, nowMs: number): void {
    this.#slots[slot] = { trace: ++this.#traces, begunMs: nowMs }
  }

  add(rows: readonly Row[], nowMs: number): PlainSpan[] {
    const spans = rows.map(({ slot, rootAheadMs, aheadMs, ...rest }) => {
      const { trace, begunMs } = this.#slots[slot]!
      return { ...rest, traceId: idOf(trace), startNs: nanos(rest.isRoot ? begunMs + rootAheadMs : nowMs + aheadMs) }
    })
    this.spans.push(...spans)
    return spans
  }
}

function searchOf({ attributes, rest, sinceMs, untilMs, sort, limit }: Ask, nowMs: number): PlainTraceSearch {
  const start = sinceMs === 0 ? {} : { startNs: nanos(nowMs - sinceMs) }
  const end = untilMs === 0 ? {} : { endNs: nanos(nowMs - untilMs) }
  return search({ attributes, ...rest, ...start, ...end }, { sort, limit })
}

/** Reads pages up to the last; each must be the oracle's or none. Returns how many were given. */
async function compareSearch(part: FreshPart, history: History, first: PlainTraceSearch): Promise<number> {
  let given = 0
  for (let asked = first; ; given++) {
    const page = await part.fresh.search(asked)
    if (page === undefined) return given
    assert.deepEqual(page, plainPage(history.spans, asked))
    if (page.next === undefined) return given + 1
    asked = { ...asked, after: page.next }
  }
}

async function play(
  part: FreshPart,
  history: History,
  steps: readonly Step[],
): Promise<{ given: number; asked: number }> {
  const counts = { given: 0, asked: 0 }
  for (const one of steps) {
    if ('passMs' in one) passTime(part, one.passMs)
    else if ('taken' in one) history.begin(one.taken, part.nowMs)
    else if ('rows' in one) {
      const body = encoded(history.add(one.rows, part.nowMs))
      if (one.isPacked === 0) await takeTraces(part, gzipSync(body), 'gzip')
      else await takeTraces(part, body)
    } else {
      const given = await compareSearch(part, history, searchOf(one, part.nowMs))
      counts.given += given
      counts.asked += Math.max(given, 1)
    }
  }
  assert.deepEqual(part.problems, [])
  return counts
}

test('a search gives what plain loops find in everything ever sent, or no answer', async (t) => {
  const kinds = [
    { name: 'all', startedEmpty: true, spansMax: 10_000, least: 0.5 },
    { name: 'forgetting', startedEmpty: true, spansMax: 40, least: 0.1 },
    { name: 'beside a store', startedEmpty: false, spansMax: 10_000, least: 0.05 },
  ]
  const histories = fc.sample(
    fc.record({
      before: fc.array(row, { maxLength: 10 }),
      steps: fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }),
    }),
    { numRuns: 40, seed: 16 },
  )
  for (const { name, startedEmpty, spansMax, least } of kinds) {
    const sum = { given: 0, asked: 0 }
    for (const { before, steps } of histories) {
      const history = new History()
      for (let slot = 0; slot < 6; slot++) history.begin(slot, startedAtMs - 10_000)
      const stored = startedEmpty ? [] : history.add(before, startedAtMs)
      const ends = stored.map(({ startNs, durationNs }) => Number((startNs + durationNs) / 1_000_000n) + 1)
      const part = await openFreshPart(t, { startedEmpty, spansMax, storedUntilMs: Math.max(-Infinity, ...ends) })
      const { given, asked } = await play(part, history, steps)
      sum.given += given
      sum.asked += asked
    }
    assert.ok(sum.given > sum.asked * least, `${name}: ${sum.given} of ${sum.asked} given`)
  }
})

test('the page is the one the engine gives once everything is stored', async (t) => {
  const part = await openFreshPart(t)
  const engine = await temporaryEngine(t)
  const known = new KnownKeys()
  const block = new StoreBlock()
  for (const request of fc.sample(typedRequest, { numRuns: 30, seed: 16 }))
    await takeTraces(part, encodeTraces(request))
  for (const batch of part.batches) {
    block.add(batch)
    for (const resource of batch.resources) known.addResource(resource)
  }
  for (const key of block.irregularKeys) known.addIrregular(key)
  known.addNotes(block.notes)
  await block.insert(engine, 'search')
  const sources = { engine, facts: known, summaries: new TraceSummaries(engine) }
  let given = 0
  let found = 0
  for (const asked of typedSearches) {
    const page = await part.fresh.search(asked)
    if (page === undefined) continue
    assert.deepEqual(page, await searchTraces(sources, asked), JSON.stringify(asked.conditions.attributes))
    given++
    found += page.traces.length
  }
  assert.ok(given > typedSearches.length * 0.8 && found > 250, `${given} of ${typedSearches.length}, ${found} traces`)
  assert.equal(part.fresh.searches, given)
})

const typedValues: AttributeValue[] = [
  ...['u1', '42', '42.0', 'true', 'NaN', ''].map((value) => ({ type: 'string' as const, value })),
  { type: 'int', value: 42n },
  { type: 'double', value: 42 },
  { type: 'double', value: 4.5 },
  { type: 'double', value: NaN },
  { type: 'bool', value: true },
  { type: 'array', value: [{ type: 'int', value: 1n }] },
]
const typedAttributes = fc.uniqueArray(
  fc.record({ key: fc.constantFrom('user.id', 'plain', 'url.path'), value: fc.constantFrom(...typedValues) }),
  { selector: ({ key }: Attribute) => key, minLength: 1, maxLength: 3 },
)
/** Spans of 40 traces. The root of a trace is in the first request that has the trace. */
const typedRequest = fc
  .array(
    fc.record({
      trace: fc.nat(39),
      service: fc.constantFrom('web', 'pay', 'cart'),
      status: fc.nat(2),
      startMs: fc.nat(20),
      lastsMs: fc.integer({ min: -2, max: 20 }),
      attributes: typedAttributes,
      resource: fc.constantFrom<Attribute[]>([], [textAttribute('plain', 'u1')]),
    }),
    { minLength: 1, maxLength: 12, size: 'max' },
  )
  .map((spans) =>
    otlpRequest(
      ...spans.map(({ trace, service, status, startMs, lastsMs, attributes, resource }) => ({
        resource: [textAttribute('service.name', service), ...resource],
        spans: [
          otlpSpan({
            traceId: Buffer.from(idOf(trace), 'hex'),
            parentSpanId: Buffer.alloc(8, 9),
            start: nanos(startedAtMs + startMs),
            end: nanos(startedAtMs + startMs + lastsMs),
            status: { code: status, message: '' },
            attributes,
          }),
        ],
      })),
    ),
  )

const spellings = ['u1', '42', '42.0', '4.5', 'true', 'NaN', '{"arrayValue":{"values":[{"intValue":"1"}]}}', 'nobody']
const typedSearches: PlainTraceSearch[] = spellings.flatMap((value) =>
  [
    { key: 'user.id', rest: {} },
    { key: 'url.path', rest: { service: 'web' } },
    { key: 'user.id', rest: { status: 2, startNs: nanos(startedAtMs + 3), endNs: nanos(startedAtMs + 15) } },
    { key: 'user.id', rest: { durationMinNs: 1_000_000n, durationMaxNs: 9_000_000n } },
  ].flatMap(({ key, rest }) => {
    const one = { scope: 'any' as const, key, value }
    const both = { attributes: [one, { scope: 'any' as const, key: 'plain', value: 'u1' }], ...rest }
    const sorts = Object.keys(rest).length === 0 ? (['duration', 'spans', 'errors'] as const) : []
    return [
      search({ attributes: [one], ...rest }, { limit: 5 }),
      ...sorts.map((sort) => search({ attributes: [one] }, { sort, limit: 5 })),
      search(both),
      search({ attributes: [one], ...rest }, { after: { value: nanos(startedAtMs + 4), traceId: idOf(20) }, limit: 3 }),
    ]
  }),
)

test('with a store that had spans before, only what began a minute later can be searched', async (t) => {
  const part = await openFreshPart(t, { startedEmpty: false })
  passTime(part, 5 * minute)
  await send(part, plain(1, 0.5), plain(2, 2), plain(3, 4))
  const since = (at: number): PlainTraceSearch => search({ startNs: nanos(startedAtMs + at * minute) })
  assert.equal(await idsOf(part, search({})), undefined, 'the store may have others')
  assert.equal(await idsOf(part, since(1)), undefined, 'the clock of a sender may be a minute ahead')
  assert.deepEqual(await idsOf(part, since(1.1)), ['3', '2'])
  assert.deepEqual(await idsOf(part, since(3)), ['3'])
  await send(part, plain(2, 3.5, { isRoot: false }), plain(1, 3.5, { isRoot: false }))
  assert.deepEqual(await idsOf(part, since(3.8)), ['3'])
  assert.equal(await idsOf(part, since(3)), undefined, 'trace 1 began before')
})

test('while spans that were stored at the start begin in the future, no search is answered', async (t) => {
  const part = await openFreshPart(t, { startedEmpty: false, storedUntilMs: startedAtMs + 10 * minute })
  passTime(part, 20 * minute)
  await send(part, plain(1, 15))
  assert.equal(await idsOf(part, search({ startNs: nanos(startedAtMs + 9 * minute) })), undefined)
  assert.deepEqual(await idsOf(part, search({ startNs: nanos(startedAtMs + 11 * minute) })), ['1'])
})

test('after spans from the future are forgotten, no search is answered', async (t) => {
  const part = await openFreshPart(t, { spansMax: 20 })
  const since = (at: number): PlainTraceSearch => search({ startNs: nanos(startedAtMs + at * minute) })
  await send(part, plain(1, 10))
  passTime(part, 5 * minute)
  assert.deepEqual(await idsOf(part, since(3)), ['1'])
  await send(part, ...Array.from({ length: 20 }, (_, i) => plain(10 + i, 4, { attributes: {} })))
  passTime(part, 3 * minute)
  await send(part, plain(2, 7.5))
  assert.equal(await idsOf(part, since(7)), undefined, 'trace 1 is in the store alone')
  assert.deepEqual(await idsOf(part, since(10.1)), [])
  await send(part, ...Array.from({ length: 21 }, (_, i) => plain(50 + i, 20)))
  passTime(part, 3 * minute)
  assert.equal(await idsOf(part, since(19)), undefined, 'too many at once to be remembered at all')
  assert.deepEqual(await idsOf(part, since(20.1)), [])
})

test('a trace that came packed leaves only the searches that concern it unanswered', async (t) => {
  const part = await openFreshPart(t)
  await send(part, plain(1, 0), plain(2, 0, { attributes: { 'user.id': 'u2' } }))
  await takeTraces(part, gzipSync(encoded([plain(3, 0), plain(2, 0, { isRoot: false, attributes: {} })])), 'gzip')
  const user = (value: string): PlainTraceSearch => search({ attributes: [{ scope: 'any', key: 'user.id', value }] })
  assert.equal(await idsOf(part, user('u1')), undefined)
  assert.equal(await idsOf(part, user('u2')), undefined)
  assert.deepEqual(await idsOf(part, user('u3')), [])
})

test('a search without a value that is indexed, or with too many traces, is left to the store', async (t) => {
  const part = await openFreshPart(t)
  for (let trace = 1; trace <= 64; trace++) await send(part, plain(trace, 0))
  const condition = (key: string, value: string, scope: 'any' | 'resource' = 'any') => ({ scope, key, value })
  assert.equal((await part.fresh.search(search({})))?.total, 64)
  assert.equal(await part.fresh.search(search({ attributes: [] })), undefined)
  assert.equal(await part.fresh.search(search({ attributes: [condition('thread.name', 'u1')] })), undefined)
  assert.equal(await part.fresh.search(search({ attributes: [condition('user.id', '')] })), undefined)
  assert.equal(await part.fresh.search(search({ attributes: [condition('user.id', 'u1', 'resource')] })), undefined)
  await send(part, plain(65, 0))
  assert.equal(await part.fresh.search(search({})), undefined)
  const found = await part.fresh.search(
    search({ attributes: [condition('user.id', 'u1'), condition('url.path', '/a')] }),
  )
  assert.deepEqual(found, { traces: [], total: 0, next: undefined })
})

test('a resource with the key leaves searches on spans or resources to the store', async (t) => {
  const part = await openFreshPart(t)
  const resource = [textAttribute('service.name', 'web'), textAttribute('user.id', 'u1')]
  await takeTraces(part, encodeTraces(otlpRequest({ resource, spans: [otlp(plain(1, 0, { attributes: {} }))] })))
  await send(part, plain(2, 0))
  assert.equal(await idsOf(part, search({})), undefined)
  assert.deepEqual(await idsOf(part, search({ attributes: [{ scope: 'span', key: 'user.id', value: 'u1' }] })), ['2'])
})

test('a search while the log drops records gives a complete answer or none', async (t) => {
  const log = { segmentBytes: 2000, retryWindowMs: 0, retryWindowMaxBytes: 0 }
  const part = await openFreshPart(t, { log })
  await part.log.consumer('store')
  let sent = 0
  let isDone = false
  const counts = { given: 0, none: 0 }
  const readers = Array.from({ length: 4 }, async (_, reader) => {
    while (!isDone) {
      await new Promise(setImmediate)
      const user = `u${Math.max(0, sent - 1 - ((reader * 7 + counts.given) % 40))}`
      if (sent === 0) continue
      const found = await part.fresh.search(search({ attributes: [{ scope: 'any', key: 'user.id', value: user }] }))
      if (found === undefined) counts.none++
      else {
        assert.deepEqual(
          found.traces.map(({ spanCount }) => spanCount),
          [2],
        )
        counts.given++
      }
    }
  })
  try {
    for (; sent < 400; sent++) {
      passTime(part, 20_000)
      const attributes = { 'user.id': `u${sent}` }
      const at = (part.nowMs - startedAtMs) / minute
      await send(part, plain(sent, at, { attributes }), plain(sent, at, { attributes, isRoot: false }))
      if (sent % 10 === 9 && sent > 100) await part.log.commit('store', { next: sent as Position, cutEnd: undefined })
    }
  } finally {
    isDone = true
  }
  await Promise.all(readers)
  assert.ok(counts.given > 20 && counts.none > 0, JSON.stringify(counts))
  assert.deepEqual(part.problems, [])
})
