import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { spanRowsOf } from '../../test/support/batch-rows.ts'
import { openFreshPart, passTime, startedAtMs, takeTraces, type FreshPart } from '../../test/support/fresh-part.ts'
import { tracesRequest } from '../../test/support/otlp-arbitrary.ts'
import { encodeTraces, type Request, type Span } from '../../test/support/otlp-encode.ts'
import { temporaryEngine } from '../../test/support/temporary-store.ts'
import { otlpTracesJson } from '../codec/otlp/traces-json.ts'
import { otlpTracesProtobuf } from '../codec/otlp/traces-protobuf.ts'
import { printTraces } from '../codec/otlp/print-json.ts'
import { parseTyped, toAnyValueJson, type Attribute } from '../model/attributes.ts'
import type { Position } from '../model/log.ts'
import type { SpanBatch } from '../model/span-batch.ts'
import type { SpanRow } from '../model/span-row.ts'
import { readTrace } from './clickhouse/read/trace-read.ts'
import { StoreBlock } from './clickhouse/block/store-block.ts'

const minute = 60_000

/** One span of trace N as a request; times are minutes after the start. */
interface Short {
  readonly trace: number
  readonly parent?: boolean
  readonly at?: number
}

let spans = 0

function requestOf(...shorts: readonly Short[]): Request<Span> {
  const origin = { attributes: [], dropped: 0, schemaUrl: '' }
  const rows = shorts.map(({ trace, parent = false, at = 0 }): Span => {
    const start = BigInt(startedAtMs + at * minute) * 1_000_000n
    return {
      traceId: Buffer.from(idOf(trace), 'hex'),
      spanId: Buffer.from((++spans).toString(16).padStart(16, '0'), 'hex'),
      parentSpanId: parent ? Buffer.alloc(8, 9) : Buffer.alloc(0),
      traceState: '',
      flags: 0,
      name: `span ${spans}`,
      kind: 1,
      start,
      end: start + 1000n,
      attributes: [],
      droppedAttributes: 0,
      events: [],
      droppedEvents: 0,
      links: [],
      droppedLinks: 0,
      status: { code: 0, message: '' },
    }
  })
  return { resources: [{ resource: origin, scopes: [{ scope: { ...origin, name: '', version: '' }, rows }] }] }
}

function idOf(trace: number): string {
  return `f${trace.toString(16).padStart(31, '0')}`
}

async function send(part: FreshPart, ...shorts: readonly Short[]): Promise<void> {
  await takeTraces(part, encodeTraces(requestOf(...shorts)))
}

async function countOf({ fresh }: FreshPart, trace: number): Promise<number | undefined> {
  return (await fresh.read(idOf(trace)))?.length
}

test('random traces over several records read as they were sent, and as the store gives them later', async (t) => {
  const part = await openFreshPart(t)
  const engine = await temporaryEngine(t)
  const requests = fc.sample(tracesRequest, { numRuns: 60, seed: 7 }).map(within20Traces)
  const block = new StoreBlock()
  for (const request of requests) await takeTraces(part, encodeTraces(request))
  for (const batch of part.batches) block.add(batch)
  const sent = part.batches.flatMap(spanRowsOf)
  assert.ok(sent.length > 150)
  await block.insert(engine, 'fresh')
  const known = { columns: block.columns, spans: block.rows }
  for (const traceId of new Set(sent.map((row) => row.traceId))) {
    const fresh = await part.fresh.read(traceId)
    assert.ok(fresh !== undefined)
    assert.deepEqual(comparable(fresh), comparable(sent.filter((row) => row.traceId === traceId)))
    const stored = await readTrace(engine, traceId, { spansMax: 1000, known })
    assert.deepEqual(comparable(fresh), comparable(stored))
    assert.deepEqual(timesOf(fresh), timesOf(stored), 'in the same order')
  }
  assert.deepEqual(part.problems, [])
})

/** Few traces with many spans each. Times are within an hour, because the store makes a part for each day. */
function within20Traces(request: Request<Span>): Request<Span> {
  const times = (time: bigint): bigint => BigInt(startedAtMs) * 1_000_000n + (time % 3_600_000_000_000n)
  const row = (span: Span): Span => {
    const traceId = Buffer.from(idOf(span.traceId[3]! % 20), 'hex')
    return { ...span, traceId, start: times(span.start), end: times(span.end) }
  }
  return {
    resources: request.resources.map(({ resource, scopes }) => ({
      resource,
      scopes: scopes.map(({ scope, rows }) => ({ scope, rows: rows.map(row) })),
    })),
  }
}

function timesOf(rows: readonly SpanRow[]): string[] {
  return rows.map((row) => `${row.startTimeUnixNano}+${row.durationNano}`)
}

/** The store orders attributes in typed JSON in its own way, so they are put in one order here. */
function comparable(rows: readonly SpanRow[]): string[] {
  return rows
    .map((row) =>
      JSON.stringify(
        { ...row, resource: originOf(row.resource), scope: originOf(row.scope) },
        (key, value: unknown) => {
          if (typeof value === 'bigint') return `${value}n`
          if (key !== 'attributes' || !Array.isArray(value)) return value
          return (value as Attribute[]).map((each) => JSON.stringify([each.key, toAnyValueJson(each.value)])).sort()
        },
      ),
    )
    .map((text) => JSON.stringify(Object.entries(JSON.parse(text) as object).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort()
}

function originOf(text: string): unknown {
  if (text === '') return {}
  const { attributes, ...rest } = parseTyped(text) as { attributes?: Record<string, unknown> }
  return { ...rest, origin: Object.entries(attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)) }
}

test('a span sent in two requests is there once, and so is a root', async (t) => {
  const part = await openFreshPart(t, { startedEmpty: false })
  passTime(part, 5 * minute)
  const first = requestOf({ trace: 1, at: 3 }, { trace: 1, parent: true, at: 3 })
  const [{ resource, scopes }] = first.resources as [Request<Span>['resources'][number]]
  const [{ scope, rows }] = scopes as [(typeof scopes)[number]]
  const other = requestOf({ trace: 1, parent: true, at: 4 })
  const again = { resources: [{ resource, scopes: [{ scope, rows }] }, ...other.resources] }
  for (const request of [first, again]) await takeTraces(part, encodeTraces(request))
  assert.equal(await countOf(part, 1), 3)
  const longer = rows.map((row) => ({ ...row, end: row.end + 1n })).slice(1)
  await takeTraces(part, encodeTraces({ resources: [{ resource, scopes: [{ scope, rows: longer }] }] }))
  assert.equal(await countOf(part, 1), 3, 'of two lengths the longer one is given')
})

test('when the store began empty, a trace without a root is whole too', async (t) => {
  const part = await openFreshPart(t)
  await send(part, { trace: 1, parent: true, at: -1000 }, { trace: 2 })
  await send(part, { trace: 1, parent: true, at: -1000 })
  assert.equal(await countOf(part, 1), 2)
  assert.equal(await countOf(part, 3), undefined, 'only the store knows what it does not have')
})

test('with a store that had spans before, only a trace whose root began later is whole', async (t) => {
  const part = await openFreshPart(t, { startedEmpty: false })
  passTime(part, 5 * minute)
  await send(
    part,
    { trace: 1, at: -1 },
    { trace: 2, at: 0.9 },
    { trace: 3, at: 1.1 },
    { trace: 4, parent: true, at: 4 },
  )
  await send(part, { trace: 3, parent: true, at: 1.2 })
  assert.equal(await countOf(part, 1), undefined, 'it began before the start')
  assert.equal(await countOf(part, 2), undefined, 'its clock may be a minute ahead')
  assert.equal(await countOf(part, 3), 2)
  assert.equal(await countOf(part, 4), undefined, 'its root may be stored')
  await send(part, { trace: 4, at: 3 })
  assert.equal(await countOf(part, 4), 2, 'now its root is there')
  await send(part, { trace: 4, at: 4 })
  assert.equal(await countOf(part, 4), undefined, 'two roots are two traces under one id')
  await send(part, { trace: 5, at: 6.5 })
  assert.equal(await countOf(part, 5), undefined, 'a root from the future proves nothing')
  assert.deepEqual(part.problems, [])
})

test('past the limit the oldest spans are forgotten, and traces that may lack them are not answered', async (t) => {
  const part = await openFreshPart(t, { spansMax: 1000 })
  const filler = (trace: number) => ({ trace, at: (part.nowMs - startedAtMs) / minute })
  await send(part, { trace: 1 }, { trace: 2 })
  await send(part, { trace: 2, parent: true })
  for (let i = 0; i < 100; i++) {
    passTime(part, 1000)
    await send(part, ...Array.from({ length: 10 }, () => filler(100 + i)))
  }
  assert.equal(part.fresh.size.spans, 1000, 'the first two records are forgotten')
  assert.equal(await countOf(part, 1), undefined)
  assert.equal(await countOf(part, 2), undefined)
  passTime(part, 1000)
  await send(part, { trace: 2, parent: true }, { trace: 3, at: 1.8 })
  assert.equal(await countOf(part, 2), undefined, 'its first spans are in the store alone')
  assert.equal(await countOf(part, 3), 1)
  assert.equal(await countOf(part, 103), undefined, 'ten roots')
  await send(part, { trace: 4, at: 0.9 })
  assert.equal(await countOf(part, 4), undefined, 'it began within a minute of what is forgotten')
  assert.ok(part.fresh.size.spans <= 1000)
})

test('after the clock is set forward, earlier arrivals prove nothing', async (t) => {
  const part = await openFreshPart(t, { startedEmpty: false })
  passTime(part, 5 * minute)
  await send(part, { trace: 1, at: 3 })
  assert.equal(await countOf(part, 1), 1)
  part.nowMs += 60 * minute
  await send(part, { trace: 2, at: 30 })
  assert.equal(await countOf(part, 1), undefined)
  assert.equal(await countOf(part, 2), undefined, 'at that time by the clock of before, who knows what was received')
  passTime(part, 5 * minute)
  await send(part, { trace: 3, at: 68 })
  assert.equal(await countOf(part, 3), 1)
  part.nowMs -= 120 * minute
  await send(part, { trace: 4, at: -48 })
  assert.equal(await countOf(part, 4), undefined, 'set back: nothing is proved until the time is made up for')
})

test('a trace with one span that came packed or by another codec is left to the store', async (t) => {
  const part = await openFreshPart(t)
  await send(part, { trace: 1 }, { trace: 2 }, { trace: 3 })
  await takeTraces(part, gzipSync(encodeTraces(requestOf({ trace: 2, parent: true }))), 'gzip')
  const json = otlpTracesProtobuf.decode(encodeTraces(requestOf({ trace: 3, parent: true })), { receivedAtMs: 0 })
  const body = Buffer.from(JSON.stringify(printTraces(spanRowsOf(json.batch as SpanBatch))))
  await part.intake.take({ protocol: 'otlp/http', codec: otlpTracesJson, body })
  await send(part, { trace: 2, parent: true })
  assert.equal(await countOf(part, 1), 1)
  assert.equal(await countOf(part, 2), undefined)
  assert.equal(await countOf(part, 3), undefined)
})

test('what a client sends again is there once', async (t) => {
  const part = await openFreshPart(t)
  const body = encodeTraces(requestOf({ trace: 1 }, { trace: 1, parent: true }))
  const duplicates = await Promise.all([takeTraces(part, body), takeTraces(part, body)])
  assert.deepEqual([...duplicates, await takeTraces(part, body)], [false, true, true])
  assert.equal(await countOf(part, 1), 2)
})

test('what the log no longer keeps is forgotten, and meanwhile readers get whole traces or none', async (t) => {
  const log = { segmentBytes: 2000, retryWindowMs: 0, retryWindowMaxBytes: 0 }
  const part = await openFreshPart(t, { log })
  await part.log.consumer('store')
  let sent = 0
  const counts = { whole: 0, none: 0 }
  const readers = Array.from({ length: 4 }, async (_, reader) => {
    while (sent < 400) {
      await new Promise(setImmediate)
      const trace = Math.max(0, sent - 1 - ((reader * 7 + counts.whole + counts.none) % 40))
      if (sent === 0) continue
      const count = await countOf(part, trace)
      assert.ok(count === 2 || count === undefined, `${count} of 2 spans`)
      counts[count === 2 ? 'whole' : 'none']++
    }
  })
  for (; sent < 400; sent++) {
    passTime(part, 20_000)
    const at = (part.nowMs - startedAtMs) / minute
    await send(part, { trace: sent, at }, { trace: sent, parent: true, at })
    if (sent % 10 === 9) await part.log.commit('store', { next: sent as Position, cutEnd: undefined })
  }
  await Promise.all(readers)
  assert.ok(counts.whole > 20 && counts.none > 0, JSON.stringify(counts))
  assert.equal(await countOf(part, 399), 2)
  assert.ok(part.fresh.size.spans < 200, `${part.fresh.size.spans} of 800 spans are still remembered`)
  assert.equal(await countOf(part, 5), undefined)
  assert.deepEqual(part.problems, [])
})

test('a log that cannot be read is reported as a problem, and the query does not fail', async (t) => {
  const part = await openFreshPart(t)
  await send(part, { trace: 1 })
  await part.log.close()
  assert.equal(await countOf(part, 1), undefined)
  assert.match(part.problems.join(), /cannot read trace f0+1 from the log, asking the store: .*it is closed/)
})
