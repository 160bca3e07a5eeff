/** The engine returns whatever a sender may send as the decoder gave it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { propertyRuns } from '../../../../test/support/property-runs.ts'
import { spanRowsOf } from '../../../../test/support/batch-rows.ts'
import { logsRequest, tracesRequest } from '../../../../test/support/otlp-arbitrary.ts'
import { encodeLogs, encodeTraces, type Span } from '../../../../test/support/otlp-encode.ts'
import { eventRowsOf } from '../../../../test/support/batch-rows.ts'
import { emptyStore, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { otlpLogsProtobuf } from '../../../codec/otlp/logs-protobuf.ts'
import { otlpTracesProtobuf } from '../../../codec/otlp/traces-protobuf.ts'
import type { Attribute, AttributeValue } from '../../../model/attributes.ts'
import { printTypedValue } from '../../../model/attributes.ts'
import type { EventBatch } from '../../../model/event-batch.ts'
import { everything } from '../../../model/query.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import { dedicatedAttributes } from '../../dedicated.ts'
import { searchEvents } from '../read/event-search.ts'
import { readTrace } from '../read/trace-read.ts'
import { StoreBlock } from './store-block.ts'

const engine = await temporaryEngine({ after })
let blocks = 0

async function store(...batches: (SpanBatch | EventBatch)[]): Promise<void> {
  const block = new StoreBlock()
  for (const batch of batches) block.add(batch)
  await block.insert(engine, `round-trip-${blocks++}`)
}

/** Puts attributes in a fixed order: the store keeps which ones there are, not their order. */
function inOrder<Row extends { readonly attributes: readonly Attribute[] }>(row: Row): Row {
  const text = ({ key, value }: Attribute): string => `${key}\0${printTypedValue(value)}`
  return { ...row, attributes: [...row.attributes].sort((a, b) => (text(a) < text(b) ? -1 : 1)) }
}

function sorted(rows: readonly SpanRow[]): SpanRow[] {
  const key = (row: SpanRow): string => row.traceId + row.spanId + row.startTimeUnixNano
  return rows.map(inOrder).sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** A trace is read differently from a small store and from a large one. */
const small = { columns: -1, spans: 0 }
const large = { columns: 0, spans: 1e12 }

async function compareTraces(batch: SpanBatch): Promise<void> {
  const sent = spanRowsOf(batch)
  const ids = [...new Set(sent.map(({ traceId }) => traceId))]
  for (const known of [small, large]) {
    const found = await Promise.all(ids.map((id) => readTrace(engine, id, { spansMax: 1000, known })))
    assert.deepEqual(sorted(found.flat()), sorted(sent))
  }
}

const dedicatedKey = fc.constantFrom(...dedicatedAttributes.map(({ key }) => key))
const dedicatedValue: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.record({ type: fc.constant('string' as const), value: fc.constantFrom('', 'GET', '200', '0', "'\\\0\n", 'ü😀') }),
  fc.record({
    type: fc.constant('int' as const),
    value: fc.constantFrom(0n, 1n, 200n, 65535n, 65536n, -1n, 1n << 40n, 9007199254740993n, -(1n << 63n)),
  }),
  fc.record({ type: fc.constant('double' as const), value: fc.constantFrom(200, 1.5, -0, NaN, Infinity, 2 ** 53) }),
  fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
  fc.constant<AttributeValue>({ type: 'empty' }),
  fc.constant<AttributeValue>({ type: 'array', value: [{ type: 'string', value: 'a' }] }),
  fc.constant<AttributeValue>({ type: 'bytes', value: Uint8Array.of(0, 255) }),
)
/** Any dedicated key with a value of any type; the same key may come again. */
const oddAttributes = fc.array(fc.record({ key: dedicatedKey, value: dedicatedValue }), { maxLength: 30 })

function plainSpan(id: number, attributes: readonly Attribute[]): Span {
  return {
    traceId: Buffer.from(String(id).padStart(32, '0'), 'hex'),
    spanId: Buffer.from(String(id).padStart(16, '0'), 'hex'),
    traceState: '',
    parentSpanId: new Uint8Array(0),
    flags: 0,
    name: 'odd',
    kind: 1,
    start: 1_795_000_200_000_000_000n + BigInt(id),
    end: 1_795_000_200_000_000_500n,
    attributes,
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 0, message: '' },
  }
}

function decodeSpans(body: Uint8Array): SpanBatch {
  return otlpTracesProtobuf.decode(body, { receivedAtMs: 1_795_000_200_000 }).batch as SpanBatch
}

const origin = { attributes: [], dropped: 0, schemaUrl: '' }
const scope = { ...origin, name: '', version: '' }

test('spans of every kind, at any time from 1970 to 2262', async () => {
  await fc.assert(
    fc.asyncProperty(tracesRequest, async (request) => {
      const batch = decodeSpans(encodeTraces(request))
      if (batch.rows === 0) return
      await emptyStore(engine)
      await store(batch)
      await compareTraces(batch)
    }),
    { numRuns: propertyRuns(25) },
  )
})

test('dedicated attributes of any type, and those that come twice', async () => {
  let id = 1
  await fc.assert(
    fc.asyncProperty(fc.array(oddAttributes, { minLength: 1, maxLength: 20 }), async (lists) => {
      const rows = lists.map((attributes) => plainSpan(id++, attributes))
      const batch = decodeSpans(encodeTraces({ resources: [{ resource: origin, scopes: [{ scope, rows }] }] }))
      await store(batch)
      await compareTraces(batch)
    }),
    { numRuns: propertyRuns(15) },
  )
})

test('a block that is used again holds nothing of the one before', async () => {
  await emptyStore(engine)
  const block = new StoreBlock()
  const batches = [
    [{ key: 'db.query.text', value: { type: 'string', value: 'SELECT 1' } as const }],
    [],
    [{ key: 'own', value: { type: 'bool', value: true } as const }],
  ].map((attributes, i) => {
    const rows = Array.from({ length: 3 }, (_, row) => plainSpan(900_000 + i * 10 + row, attributes))
    return decodeSpans(encodeTraces({ resources: [{ resource: origin, scopes: [{ scope, rows }] }] }))
  })
  for (const batch of batches) {
    block.add(batch)
    await block.insert(engine, `again-${blocks++}`)
    block.reset()
  }
  for (const batch of batches) await compareTraces(batch)
})

test('the same block under the same token is stored once', async () => {
  await emptyStore(engine)
  const rows = [plainSpan(950_000, [])]
  const batch = decodeSpans(encodeTraces({ resources: [{ resource: origin, scopes: [{ scope, rows }] }] }))
  const block = new StoreBlock()
  block.add(batch)
  await block.insert(engine, 'same-token')
  await block.insert(engine, 'same-token')
  await compareTraces(batch)
})

test('log records of every kind', async () => {
  await fc.assert(
    fc.asyncProperty(logsRequest, async (request) => {
      const batch = otlpLogsProtobuf.decode(encodeLogs(request), { receivedAtMs: 1_795_000_200_000 })
        .batch as EventBatch
      if (batch.rows === 0) return
      await emptyStore(engine)
      await store(batch)
      const search = { query: { where: everything }, limit: 100 }
      const found = await searchEvents(engine, search, { irregular: new Set(), resource: new Set() })
      const plain = (rows: readonly ReturnType<typeof eventRowsOf>[number][]): string[] =>
        rows.map((row) => JSON.stringify(Object.entries(inOrder(row)).sort(byKey), printable)).sort()
      assert.deepEqual(plain(found.events), plain(eventRowsOf(batch)))
    }),
    { numRuns: propertyRuns(25) },
  )
})

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

/** Values that JSON cannot express, for comparing rows as text. */
function printable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' && (Object.is(value, -0) || !Number.isFinite(value)))
    return Object.is(value, -0) ? '-0' : `${value}`
  return value
}
