/** What an export reads is what was stored, each row once, however small its blocks; printed, it is what was sent. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { eventRowsOf, spanRowsOf } from '../../../../../test/support/batch-rows.ts'
import { logsRequest, tracesRequest } from '../../../../../test/support/otlp-arbitrary.ts'
import { encodeLogs, encodeTraces } from '../../../../../test/support/otlp-encode.ts'
import { propertyRuns } from '../../../../../test/support/property-runs.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../../test/support/temporary-store.ts'
import { hexId, type TestEvent, type TestSpan } from '../../../../../test/support/test-spans.ts'
import { otlpLogsJson } from '../../../../codec/otlp/logs-json.ts'
import { otlpLogsProtobuf } from '../../../../codec/otlp/logs-protobuf.ts'
import { printRows } from '../../../../codec/otlp/print-rows.ts'
import { otlpTracesJson } from '../../../../codec/otlp/traces-json.ts'
import { otlpTracesProtobuf } from '../../../../codec/otlp/traces-protobuf.ts'
import { printTypedValue, type Attribute } from '../../../../model/attributes.ts'
import type { EventBatch } from '../../../../model/event-batch.ts'
import type { RowSelection, RowSignal } from '../../../../model/row-block.ts'
import { compare, intrinsic, text } from '../../../../model/query.ts'
import type { SpanBatch } from '../../../../model/span-batch.ts'
import type { EventRow, SpanRow } from '../../../../model/span-row.ts'
import { StoreBlock } from '../../block/store-block.ts'
import { readRowBlocks, type ExportOptions } from './row-blocks.ts'

const engine = await temporaryEngine({ after })
const facts = { irregular: new Set<string>(), resource: new Set<string>() }
const receivedAtMs = 1_795_000_200_000
let blocks = 0

async function store(batch: SpanBatch | EventBatch): Promise<void> {
  const block = new StoreBlock()
  block.add(batch)
  await block.insert(engine, `export-${blocks++}`)
}

async function linesOf(selection: RowSelection, options: Partial<ExportOptions> = {}): Promise<string[]> {
  const lines: string[] = []
  for await (const block of readRowBlocks(engine, selection, { facts, ...options })) {
    for (const line of printRows(block)) lines.push(line.toString())
  }
  for (const line of lines) assert.match(line, /^\{"resource(Spans|Logs)":\[[^\n]*\]\}\n$/)
  return lines
}

const both: readonly RowSignal[] = ['spans', 'events']

/** The store keeps which attributes there are, not in which order they came. */
function comparable(rows: readonly (SpanRow | EventRow)[]): string[] {
  const textOf = ({ key, value }: Attribute): string => `${key}\0${printTypedValue(value)}`
  const sorted = (list: readonly Attribute[]): string[] => list.map(textOf).sort()
  return rows.map((row) => JSON.stringify({ ...row, attributes: sorted(row.attributes) }, printable)).sort()
}

function printable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

test('spans of every kind', async () => {
  await fc.assert(
    fc.asyncProperty(tracesRequest, async (request) => {
      const batch = otlpTracesProtobuf.decode(encodeTraces(request), { receivedAtMs }).batch as SpanBatch
      if (batch.rows === 0) return
      await emptyStore(engine)
      await store(batch)
      const lines = await linesOf({ signals: both })
      const again = lines.map((line) => otlpTracesJson.decode(Buffer.from(line), { receivedAtMs }))
      assert.deepEqual(
        comparable(again.flatMap(({ batch: one }) => spanRowsOf(one as SpanBatch))),
        comparable(spanRowsOf(batch)),
      )
    }),
    { numRuns: propertyRuns(40) },
  )
})

test('log records of every kind', async () => {
  await fc.assert(
    fc.asyncProperty(logsRequest, async (request) => {
      const batch = otlpLogsProtobuf.decode(encodeLogs(request), { receivedAtMs }).batch as EventBatch
      if (batch.rows === 0) return
      await emptyStore(engine)
      await store(batch)
      const lines = await linesOf({ signals: both })
      const again = lines.map((line) => otlpLogsJson.decode(Buffer.from(line), { receivedAtMs }))
      assert.deepEqual(
        comparable(again.flatMap(({ batch: one }) => eventRowsOf(one as EventBatch))),
        comparable(eventRowsOf(batch).map(withTime)),
      )
    }),
    { numRuns: propertyRuns(40) },
  )
})

/** A record without any time was observed when it was received. */
function withTime(row: EventRow): EventRow {
  const isTimeless = !row.timeGiven && row.observedTimeUnixNano === 0n
  return isTimeless ? { ...row, observedTimeUnixNano: row.timeUnixNano } : row
}

const startNs = 1_700_000_100_000_000_000n
const minuteNs = 60_000_000_000n
const serviceName = fc.constantFrom('a', "b'\\", 'ü')

/** Few services, names and times, so that many rows have the same key. */
const keyedSpans = fc.array(
  fc.record({ service: serviceName, name: fc.constantFrom('', 'x', 'y'), minute: fc.nat(11), trace: fc.nat(5) }),
  { minLength: 1, maxLength: 60 },
)

let nextId = 1
const spanOf = (row: { service: string; name: string; minute: number; trace: number }): TestSpan => ({
  traceId: hexId(row.trace + 1, 32),
  spanId: hexId(nextId++, 16),
  parentSpanId: '',
  service: row.service,
  name: row.name,
  kind: 1,
  status: 0,
  startNs: startNs + BigInt(row.minute) * minuteNs,
  durationNs: 1000n,
  attributes: {},
  resource: {},
})

async function spanIds(selection: Omit<RowSelection, 'signals'>, blockRows: number): Promise<string[]> {
  const ids: string[] = []
  for await (const block of readRowBlocks(engine, { signals: ['spans'], ...selection }, { facts, blockRows })) {
    for (let row = 0; row < block.rows; row++)
      ids.push(Buffer.from(block.spanIds.subarray(row * 8, row * 8 + 8)).toString('hex'))
  }
  return ids.sort()
}

test('every span of the range once, whatever the size of a block and however many have the same key', async () => {
  await fc.assert(
    fc.asyncProperty(
      keyedSpans,
      fc.integer({ min: 1, max: 7 }),
      fc.nat(11),
      fc.nat(11),
      async (rows, blockRows, a, b) => {
        await emptyStore(engine)
        const spans = rows.map(spanOf)
        const middle = spans.length >> 1
        // Two parts.
        await storeRows(engine, spans.slice(0, middle))
        await storeRows(engine, spans.slice(middle))
        assert.deepEqual(await spanIds({}, blockRows), spans.map(({ spanId }) => spanId).sort())
        const range = { startNs: startNs + BigInt(a) * minuteNs, endNs: startNs + BigInt(b) * minuteNs }
        const inRange = spans.filter((span) => span.startNs >= range.startNs && span.startNs < range.endNs)
        assert.deepEqual(await spanIds(range, blockRows), inRange.map(({ spanId }) => spanId).sort())
        const where = compare(intrinsic('service'), '=', text('a'))
        const matching = new Set(inRange.filter(({ service }) => service === 'a').map(({ traceId }) => traceId))
        const whole = spans.filter(({ traceId }) => matching.has(traceId))
        assert.deepEqual(await spanIds({ ...range, where }, blockRows), whole.map(({ spanId }) => spanId).sort())
      },
    ),
    { numRuns: propertyRuns(30) },
  )
})

test('log records of one time fill more than a block', async () => {
  await emptyStore(engine)
  const events: TestEvent[] = Array.from({ length: 100 }, (_, i) => ({
    timeNs: startNs,
    service: i < 50 ? 'a' : 'b',
    body: `record ${i}`,
    resource: {},
  }))
  await storeRows(engine, [], events)
  const sizes: number[] = []
  const bodies: string[] = []
  for await (const block of readRowBlocks(engine, { signals: ['events'] }, { facts, blockRows: 10 })) {
    assert.ok(block.signal === 'events')
    sizes.push(block.rows)
    const { bytes, starts, ends } = block.bodies
    for (let row = 0; row < block.rows; row++)
      bodies.push(Buffer.from(bytes.subarray(starts[row], ends[row])).toString())
  }
  assert.deepEqual(bodies.sort(), events.map(({ body }) => body).sort())
  assert.ok(Math.max(...sizes) < 40, `blocks of ${sizes.join(', ')} rows`)
})

test('matching traces bring the log records that name them, up to a number of traces', async () => {
  await emptyStore(engine)
  const spans = [1, 2, 3].map((minute) => spanOf({ service: 'a', name: 'x', minute, trace: minute }))
  const events = [...spans.map(({ traceId }) => traceId), ''].map((traceId) => ({
    timeNs: startNs,
    service: 'z',
    body: `of ${traceId}`,
    traceId,
    resource: {},
  }))
  await storeRows(engine, spans, events)
  const where = compare(intrinsic('name'), '=', text('x'))
  const lines = await linesOf({ signals: both, where, tracesMax: 2 })
  const newest = spans.slice(1).map(({ traceId }) => traceId)
  for (const [name, key] of [
    ['resourceSpans', 'spanId'],
    ['resourceLogs', 'body'],
  ] as const) {
    const own = lines.filter((line) => line.startsWith(`{"${name}"`)).join('')
    const found = [...own.matchAll(/"traceId":"(\w+)"/g)].map(([, id = '']) => id)
    assert.deepEqual(found.sort(), newest, key)
  }
})

test('leaving an export ends it, and an aborted one rejects', async () => {
  await emptyStore(engine)
  await storeRows(
    engine,
    [1, 2, 3].map((minute) => spanOf({ service: 'a', name: 'x', minute, trace: minute })),
  )
  for await (const block of readRowBlocks(engine, { signals: both }, { facts, blockRows: 1 })) {
    assert.equal(block.rows, 1)
    break
  }
  assert.equal(engine.state().queries.busy, 0)
  const signal = AbortSignal.abort(new Error('the client went away'))
  await assert.rejects(linesOf({ signals: both }, { signal }), /the client went away/)
})
