import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { encodeTraces } from '../../../test/support/otlp-encode.ts'
import { otlpRequest, otlpSpan, textAttribute } from '../../../test/support/otlp-span.ts'
import { temporaryEngine } from '../../../test/support/temporary-store.ts'
import { otlpTracesProtobuf } from '../../codec/otlp/traces-protobuf.ts'
import type { Attribute, AttributeValue } from '../../model/attributes.ts'
import type { SpanBatch } from '../../model/span-batch.ts'
import {
  and,
  attribute,
  compare,
  duration,
  intrinsic,
  spelled,
  status,
  text,
  type Predicate,
  type SpanQuery,
} from '../../model/query.ts'
import { idText } from '../../model/span-row-reader.ts'
import { compileSpanQuery } from '../clickhouse/compile/predicate.ts'
import { StoreBlock } from '../clickhouse/block/store-block.ts'
import { KnownKeys } from '../clickhouse/known-keys.ts'
import { matchingRows } from './span-match.ts'

const second = 1_000_000_000n
const originNs = 1_700_000_000n * second

/** Spellings that several types of values share, used as values and in queries. */
const texts = ['42', '42.0', '+42', '042', '4.5', '.5', '1e3', '1000', '0', '-0', '-0.0', '503', '00503', '70000']
const words = [
  'true',
  'false',
  'NaN',
  'Infinity',
  '-Infinity',
  'a',
  'é',
  '[1]',
  '{}',
  '"a"',
  '0x2a',
  '1152921504606846976',
]
const json = ['{"doubleValue":"NaN"}', '{"arrayValue":{"values":[{"intValue":"1"}]}}', '{"bytesValue":"AQ=="}']
const asked = [...texts, ...words, ...json, '']

const values: AttributeValue[] = [
  ...asked.map((value) => ({ type: 'string' as const, value })),
  ...[42n, 0n, 503n, 70000n, 1000n, -1n, 1n << 60n].map((value) => ({ type: 'int' as const, value })),
  ...[42, 4.5, 0.5, 1000, 0, -0, NaN, Infinity, -Infinity, 1e300].map((value) => ({ type: 'double' as const, value })),
  ...[true, false].map((value) => ({ type: 'bool' as const, value })),
  { type: 'bytes', value: Uint8Array.of(1) },
  { type: 'array', value: [{ type: 'int', value: 1n }] },
  { type: 'map', value: [] },
  { type: 'empty' },
]

/** Dedicated keys of all three types, and one without a column. */
const keys = ['user.id', 'http.route', 'http.response.status_code', 'plain']
const anyAttribute: fc.Arbitrary<Attribute> = fc.record({
  key: fc.constantFrom(...keys),
  value: fc.constantFrom(...values),
})
/** Now and then a key comes twice. Then only the engine can tell. */
const attributesOf = (maxLength: number): fc.Arbitrary<Attribute[]> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.uniqueArray(anyAttribute, { maxLength, selector: ({ key }) => key }) },
    { weight: 1, arbitrary: fc.array(anyAttribute, { maxLength }) },
  )
const span = fc.record({
  name: fc.constantFrom('get', 'put', ''),
  status: fc.nat(2),
  startMs: fc.nat(10),
  lastsMs: fc.integer({ min: -2, max: 5 }),
  attributes: attributesOf(5),
})
const group = fc.record({
  service: fc.constantFrom('cart', 'pay', undefined),
  resource: attributesOf(3),
  spans: fc.array(span, { maxLength: 12 }),
})

const time = (ms: number): bigint => originNs + BigInt(ms) * 1_000_000n

const request = fc.array(group, { minLength: 1, maxLength: 6 }).map((groups) =>
  otlpRequest(
    ...groups.map(({ service, resource, spans }) => ({
      resource: [...(service === undefined ? [] : [textAttribute('service.name', service)]), ...resource],
      spans: spans.map(({ name, status, startMs, lastsMs, attributes }) =>
        otlpSpan({
          traceId: Buffer.alloc(16, 7),
          name,
          status: { code: status, message: '' },
          start: time(startMs),
          end: time(startMs + lastsMs),
          attributes,
        }),
      ),
    })),
  ),
)

const engine = await temporaryEngine({ after })

/** Stores the batch as the writer does, and returns the spans that the engine finds for a query. */
async function storedIn(batch: SpanBatch, token: string): Promise<(query: SpanQuery) => Promise<Set<string>>> {
  const known = new KnownKeys()
  const block = new StoreBlock()
  block.add(batch)
  for (const key of block.irregularKeys) known.addIrregular(key)
  for (const resource of batch.resources) known.addResource(resource)
  known.addNotes(block.notes)
  await engine.execute('TRUNCATE TABLE spans')
  await block.insert(engine, token)
  return async (query) => {
    const conditions = compileSpanQuery(query, known)
    const rows = await engine.query<[string]>(`SELECT lower(hex(span_id)) FROM spans ${conditions.where()}`, {
      parameters: conditions.parameters,
    })
    return new Set(rows.map(([id]) => id))
  }
}

/** `undefined` when only the engine can tell. */
function matchedIn(batch: SpanBatch, query: SpanQuery): Set<string> | undefined {
  const rows = matchingRows(batch, query)
  if (rows === undefined) return undefined
  return new Set([...rows.keys()].filter((row) => rows[row] === 1).map((row) => idText(batch.spanIds, row, 8)))
}

const holds = (scope: 'any' | 'span' | 'resource', key: string, value: string): Predicate =>
  compare(attribute(scope, key), '=', spelled(value))
const serviceIs = (name: string): Predicate => compare(intrinsic('service'), '=', text(name))
const nameIs = (name: string): Predicate => compare(intrinsic('name'), '=', text(name))
const statusIs = (code: number): Predicate => compare(intrinsic('status'), '=', status(code))

const queries: SpanQuery[] = [
  ...keys.flatMap((key) =>
    asked.map((value, i) => ({ where: holds(i % 3 === 0 ? 'span' : i % 3 === 1 ? 'resource' : 'any', key, value) })),
  ),
  { where: serviceIs('cart') },
  { where: serviceIs('unknown_service') },
  { where: nameIs('get') },
  { where: nameIs('') },
  { where: nameIs('nobody') },
  { where: statusIs(2) },
  { where: compare(intrinsic('duration'), '>=', duration(1_000_000n)) },
  { where: compare(intrinsic('duration'), '<=', duration(1_000_000n)) },
  { where: and(), startNs: time(3), endNs: time(7) },
  { where: and(serviceIs('pay'), statusIs(1), holds('any', 'user.id', '42')), endNs: time(8) },
  { where: and(...['user.id', 'plain'].map((key) => holds('any', key, '42'))) },
]

test('the rows that match are those the engine finds, for every spelling, type, scope and repetition', async () => {
  let answered = 0
  let left = 0
  let found = 0
  for (const [i, each] of fc.sample(request, { numRuns: 6, seed: 16 }).entries()) {
    const batch = otlpTracesProtobuf.decode(encodeTraces(each), { receivedAtMs: 0 }).batch as SpanBatch
    if (batch.rows === 0) continue
    const byEngine = await storedIn(batch, `match-${i}`)
    for (const query of queries) {
      const matched = matchedIn(batch, query)
      if (matched === undefined) {
        left++
        continue
      }
      answered++
      found += matched.size
      const expected = await byEngine(query)
      assert.deepEqual(
        matched,
        expected,
        JSON.stringify(query, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
      )
    }
  }
  assert.ok(answered > 500 && found > 200 && left < answered / 2, `${answered} answered, ${left} left, ${found} found`)
})

test('a search for an empty text finds spans that hold one, not spans without the key', async () => {
  const empty = [textAttribute('plain', '')]
  const [given, lacking] = [empty, []].map((attributes, i) => ({
    resource: attributes,
    spans: [otlpSpan({ traceId: Buffer.alloc(16, 1 + i), attributes })],
  }))
  const request = otlpRequest(given!, lacking!)
  const batch = otlpTracesProtobuf.decode(encodeTraces(request), { receivedAtMs: 0 }).batch as SpanBatch
  const byEngine = await storedIn(batch, 'match-empty')
  for (const scope of ['span', 'resource', 'any'] as const) {
    const query = { where: holds(scope, 'plain', '') }
    assert.deepEqual(await byEngine(query), new Set([idText(batch.spanIds, 0, 8)]), scope)
    assert.deepEqual(matchedIn(batch, query), await byEngine(query), scope)
  }
})
