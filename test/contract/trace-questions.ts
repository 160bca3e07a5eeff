/** What every `Reader` must answer about traces: searches, one trace, its skeleton, overview and facets. */
import assert from 'node:assert/strict'
import {
  and,
  attribute,
  compare,
  duration,
  everything,
  exists,
  int,
  intrinsic,
  not,
  or,
  spelled,
  status,
  text,
  type Predicate,
} from '../../src/model/query.ts'
import type { TracePage, TraceSearch } from '../../src/model/trace-search.ts'
import { drawSpans, hexId, second, type TestSpan } from '../support/test-spans.ts'
import { assertCancelled, origin, type ContractTest, type ReaderSubject } from './reader.ts'

/** Traces 1, 4 and 6; the newest begins last. */
const drawn = `
web GET 0s+200ms server http.route=/cart @host.name=n1
  web call 10ms+150ms client
  cart reserve 20ms+100ms server error user.id=7 @host.name=n2
web GET 10s+500ms server http.route=/pay @host.name=n1
  pay charge 10100ms+300ms server user.id=8
lone tick 20s+1s size=42 retry=true user.id=7`

const [cartTrace, payTrace, loneTrace] = [hexId(1, 32), hexId(4, 32), hexId(6, 32)]

function searchOf(where: Predicate, rest: Partial<TraceSearch> = {}): TraceSearch {
  return { query: { where }, sort: 'time', limit: 20, ...rest }
}

async function found({ reader }: ReaderSubject, search: TraceSearch): Promise<string[]> {
  const page = await reader.findTraces(search)
  const total = page.total ?? (await reader.countTraces(search.query))
  assert.equal(total, await reader.countTraces(search.query))
  if (search.limit === 20) assert.equal(total, page.traces.length)
  return page.traces.map(({ traceId }) => traceId)
}

const spanEquals = (name: string, value: string): Predicate => compare(attribute('span', name), '=', spelled(value))

async function findByConditions(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const rows: [Predicate, string[]][] = [
    [everything, [loneTrace, payTrace, cartTrace]],
    [compare(intrinsic('service'), '=', text('cart')), [cartTrace]],
    [compare(intrinsic('name'), '=', text('GET')), [payTrace, cartTrace]],
    [compare(intrinsic('status'), '=', status(2)), [cartTrace]],
    [compare(intrinsic('duration'), '>=', duration(500_000_000n)), [loneTrace, payTrace]],
    [compare(intrinsic('duration'), '<=', duration(100_000_000n)), [cartTrace]],
    [spanEquals('user.id', '7'), [loneTrace, cartTrace]],
    [spanEquals('http.route', '/pay'), [payTrace]],
    [spanEquals('size', '42'), [loneTrace]],
    [spanEquals('retry', 'true'), [loneTrace]],
    [compare(attribute('resource', 'host.name'), '=', spelled('n2')), [cartTrace]],
    [compare(attribute('any', 'host.name'), '=', spelled('n1')), [payTrace, cartTrace]],
    [spanEquals('host.name', 'n1'), []],
    [or(spanEquals('size', '42'), spanEquals('user.id', '8')), [loneTrace, payTrace]],
    [and(not(compare(intrinsic('service'), '=', text('web'))), not(spanEquals('user.id', '7'))), [payTrace]],
    [compare(attribute('span', 'user.id'), '!=', spelled('7')), [payTrace]],
    [compare(intrinsic('name'), '=~', text('t.*k|ch.+')), [loneTrace, payTrace]],
    [exists(attribute('span', 'retry')), [loneTrace]],
    [compare(attribute('span', 'size'), '>', int(41n)), [loneTrace]],
    // One span must meet all of them.
    [and(compare(intrinsic('service'), '=', text('web')), spanEquals('user.id', '7')), []],
    [and(compare(intrinsic('service'), '=', text('cart')), spanEquals('user.id', '7')), [cartTrace]],
  ]
  for (const [where, ids] of rows) assert.deepEqual(await found(subject, searchOf(where)), ids, print(where))
  const range = { startNs: origin + 10n * second, endNs: origin + 20n * second }
  const inRange = searchOf(everything, { query: { where: everything, ...range } })
  assert.deepEqual(await found(subject, inRange), [payTrace])
}

function print(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one))
}

async function pages(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const { sorts, pagedSorts } = subject.reader.abilities
  const orders = {
    time: [loneTrace, payTrace, cartTrace],
    duration: [loneTrace, payTrace, cartTrace],
    spans: [cartTrace, payTrace, loneTrace],
    errors: [cartTrace, payTrace, loneTrace],
  }
  for (const sort of sorts) {
    assert.deepEqual(await found(subject, searchOf(everything, { sort })), orders[sort], sort)
    const first = await subject.reader.findTraces(searchOf(everything, { sort, limit: 1 }))
    assert.deepEqual(
      first.traces.map(({ traceId }) => traceId),
      orders[sort].slice(0, 1),
    )
    if (!pagedSorts.includes(sort)) assert.equal(first.next, undefined)
  }
  for (const sort of pagedSorts) {
    const ids: string[] = []
    for (let after: TracePage['next'], more = true; more;) {
      const page = await subject.reader.findTraces(searchOf(spanEquals('user.id', '7'), { sort, limit: 1, after }))
      assert.ok(page.total === 2 || page.total === undefined)
      ids.push(...page.traces.map(({ traceId }) => traceId))
      after = page.next
      more = after !== undefined
    }
    assert.deepEqual(ids, [loneTrace, cartTrace], sort)
  }
}

async function summaries(subject: ReaderSubject): Promise<void> {
  const spans = drawSpans(drawn, origin).filter(({ traceId }) => traceId === cartTrace)
  await subject.store(spans.slice(0, 2))
  const ask = async (): Promise<TracePage['traces'][number]> =>
    (await subject.reader.findTraces(searchOf(everything))).traces[0]!
  const summary = {
    traceId: cartTrace,
    rootService: 'web',
    rootName: 'GET',
    rootStatus: 0,
    startNs: origin,
    durationNs: 200_000_000n,
    spanCount: 2,
    errorCount: 0,
    services: [{ name: 'web', spanCount: 2, errorCount: 0 }],
  }
  assert.deepEqual(await ask(), summary)
  // Once more, as it may be kept by then.
  assert.deepEqual(await ask(), summary)
  await subject.store(spans.slice(2))
  const cart = { name: 'cart', spanCount: 1, errorCount: 1 }
  assert.deepEqual(await ask(), {
    ...summary,
    spanCount: 3,
    errorCount: 1,
    services: [...summary.services, cart],
  })
}

/** Keys that were stored in another way, or on no resource, when they were asked for first. */
async function laterKeys(subject: ReaderSubject): Promise<void> {
  const ids = { next: 1 }
  const draw = (line: string): TestSpan[] => drawSpans(line, origin, ids)
  const anywhere = (key: string, value: string): TraceSearch =>
    searchOf(compare(attribute('any', key), '=', spelled(value)))
  await subject.store(draw('web a 0s+1s user.id=u7 db.namespace=x'))
  assert.deepEqual(await found(subject, anywhere('user.id', '7')), [])
  assert.deepEqual(await found(subject, anywhere('host.name', 'n1')), [])
  assert.equal((await subject.reader.readTrace(hexId(1, 32), { spansMax: 10 })).length, 1)
  await subject.store(draw('web b 1s+1s user.id=7\nweb c 2s+1s url.path=/x @host.name=n1'))
  assert.deepEqual(await found(subject, anywhere('user.id', '7')), [hexId(2, 32)])
  assert.deepEqual(await found(subject, anywhere('host.name', 'n1')), [hexId(3, 32)])
  const [span] = await subject.reader.readTrace(hexId(3, 32), { spansMax: 10 })
  assert.deepEqual(span!.attributes, [{ key: 'url.path', value: { type: 'string', value: '/x' } }])
}

async function oneTrace(subject: ReaderSubject): Promise<void> {
  const spans = drawSpans(drawn, origin)
  await subject.store(spans)
  const { reader } = subject
  const rows = await reader.readTrace(cartTrace, { spansMax: 10 })
  assert.deepEqual(
    rows.map(({ spanId, parentSpanId, name }) => [spanId, parentSpanId, name]),
    spans.slice(0, 3).map(({ spanId, parentSpanId, name }) => [spanId, parentSpanId, name]),
  )
  assert.deepEqual(rows[2]!.attributes, [{ key: 'user.id', value: { type: 'int', value: 7n } }])
  assert.equal(rows[2]!.startTimeUnixNano, origin + 20_000_000n)
  assert.equal(rows[2]!.statusCode, 2)
  assert.deepEqual(
    (await reader.readTrace(cartTrace, { spansMax: 2 })).map(({ name }) => name),
    ['GET', 'call'],
  )
  assert.deepEqual(await reader.readTrace('e'.repeat(32), { spansMax: 10 }), [])
}

async function skeleton(subject: ReaderSubject): Promise<void> {
  // More than the columns have room for at first.
  const more = Array.from({ length: 600 }, (_, i) => `  cart step-${i % 7} ${i + 30}ms+${600 - i}us internal`)
  const spans = drawSpans(`web GET 0s+2s server\n${more.join('\n')}`, origin)
  await subject.store(spans)
  const { reader } = subject
  const found = await reader.readSkeleton(cartTrace, { spansMax: 10_000 })
  const idAt = (ids: Uint8Array, row: number): string => Buffer.from(ids.subarray(row * 8, row * 8 + 8)).toString('hex')
  const rows = Array.from({ length: found.rows }, (_, row) => ({
    traceId: found.traceId,
    spanId: idAt(found.spanIds, row),
    parentSpanId: idAt(found.parentSpanIds, row).replace(/^0+$/, ''),
    service: found.texts[found.services[row]!],
    name: found.texts[found.names[row]!],
    kind: found.kinds[row],
    status: found.statuses[row],
    startNs: found.startTimes[row],
    durationNs: found.durations[row],
  }))
  assert.deepEqual(
    rows,
    spans.map(({ attributes: _a, resource: _r, links: _l, ...span }) => span),
  )
  assert.equal((await reader.readSkeleton(cartTrace, { spansMax: 5 })).rows, 5)
  assert.equal((await reader.readSkeleton('e'.repeat(32), { spansMax: 5 })).rows, 0)
}

async function repeats(subject: ReaderSubject): Promise<void> {
  const [server, client, cart] = drawSpans(drawn, origin) as [TestSpan, TestSpan, TestSpan]
  const longer = { ...client, durationNs: client.durationNs + 5n }
  // The other half of a Zipkin call agrees in the id alone.
  const half = { ...client, kind: 2 }
  await subject.store([server, client, cart])
  await subject.store([longer, cart, half])
  const { reader } = subject
  const expected = [
    ['GET', 2, server.durationNs],
    ['call', 3, longer.durationNs],
    ['call', 2, client.durationNs],
    ['reserve', 2, cart.durationNs],
  ]
  const rows = await reader.readTrace(cartTrace, { spansMax: 10 })
  assert.deepEqual(
    rows.map(({ name, kind, durationNano }) => [name, kind, durationNano]),
    expected,
  )
  const found = await reader.readSkeleton(cartTrace, { spansMax: 10 })
  assert.deepEqual(
    Array.from({ length: found.rows }, (_, row) => [
      found.texts[found.names[row]!],
      found.kinds[row],
      found.durations[row],
    ]),
    expected,
  )
  assert.deepEqual(
    rows.map(({ spanId }) => spanId),
    Array.from({ length: found.rows }, (_, row) => Buffer.from(found.spanIds).toString('hex', row * 8, row * 8 + 8)),
  )
}

async function overview(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const range = { startNs: origin, endNs: origin + 30n * second }
  const read = await subject.reader.readOverview({ query: { where: everything, ...range }, columns: 3 })
  assert.equal(read.total, 3)
  assert.equal(read.errorTraces, 1)
  assert.equal(read.columnNs, 10n * second)
  assert.deepEqual(
    read.cells
      .map(({ column, traces, errorTraces }) => [column, traces, errorTraces])
      .sort(([a = 0], [b = 0]) => a - b),
    [
      [0, 1, 1],
      [1, 1, 0],
      [2, 1, 0],
    ],
  )
  for (const { column, row } of read.cells) {
    const lasted = [200_000_000n, 500_000_000n, 1_000_000_000n][column]!
    assert.ok(lasted >= read.rows[row]! && lasted < (read.rows[row + 1] ?? read.rowsEndNs!), `column ${column}`)
  }
  const later = { startNs: origin + 60n * second, endNs: origin + 90n * second }
  const none = await subject.reader.readOverview({ query: { where: everything, ...later }, columns: 3 })
  assert.deepEqual([none.total, none.p50Ns, none.lastMatchNs], [0, undefined, origin + 20n * second])
}

async function facets(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const read = await subject.reader.readFacets({ query: { where: everything }, limit: 10 })
  assert.equal(read.spans, 6)
  const valuesOf = (key: string): unknown => read.facets.find((facet) => facet.key === key)?.values
  assert.deepEqual(valuesOf('service'), [
    { value: 'web', spans: 3, errors: 0 },
    { value: 'cart', spans: 1, errors: 1 },
    { value: 'lone', spans: 1, errors: 0 },
    { value: 'pay', spans: 1, errors: 0 },
  ])
  assert.deepEqual(valuesOf('size'), [{ value: '42', spans: 1, errors: 0 }])
  const status2 = await subject.reader.readFacets({ query: { where: spanEquals('user.id', '7') }, limit: 10 })
  assert.equal(status2.spans, 2)
  await subject.store(drawSpans('zoned x 30s+1s zone=eu @zone=eu', origin, { next: 7 }))
  const zoned = compare(intrinsic('service'), '=', text('zoned'))
  const own = await subject.reader.readFacets({ query: { where: zoned }, limit: 10 })
  assert.deepEqual(own.facets.find(({ key }) => key === 'zone')?.values, [{ value: 'eu', spans: 1, errors: 0 }])
}

async function cancelled({ reader }: ReaderSubject): Promise<void> {
  await assertCancelled((options) => reader.findTraces(searchOf(everything), options))
  await assertCancelled((options) => reader.countTraces({ where: everything }, options))
  await assertCancelled((options) => reader.readTrace(cartTrace, { spansMax: 10, ...options }))
  await assertCancelled((options) => reader.readSkeleton(cartTrace, { spansMax: 10, ...options }))
}

export const traceQuestions: readonly ContractTest[] = [
  { name: 'traces are found by what one of their spans meets', run: findByConditions },
  { name: 'pages follow each other in each order', run: pages },
  { name: 'a summary is of all spans, also of those that came since it was asked for', run: summaries },
  { name: 'a key is found wherever it is, also where it came first since it was asked for', run: laterKeys },
  { name: 'one trace has its spans in order of start', run: oneTrace },
  { name: 'a skeleton has the same spans in the same order', run: skeleton },
  { name: 'of a span that was sent twice the longest copy is given', run: repeats },
  { name: 'an overview counts traces and places them', needs: 'overview', run: overview },
  { name: 'facets count values of matching spans', needs: 'facets', run: facets },
  { name: 'questions about traces can be cancelled', run: cancelled },
  {
    name: 'an overview can be cancelled',
    needs: 'overview',
    async run({ reader }) {
      const query = { where: everything, startNs: origin, endNs: origin + second }
      await assertCancelled((options) => reader.readOverview({ query, columns: 3 }, options))
    },
  },
  {
    name: 'facets can be cancelled',
    needs: 'facets',
    async run({ reader }) {
      await assertCancelled((options) => reader.readFacets({ query: { where: everything }, limit: 5 }, options))
    },
  },
]
