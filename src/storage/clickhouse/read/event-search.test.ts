import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { encodeTraces, type Span } from '../../../../test/support/otlp-encode.ts'
import { otlpRequest, otlpSpan, textAttribute } from '../../../../test/support/otlp-span.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { second } from '../../../../test/support/test-spans.ts'
import { otlpTracesProtobuf } from '../../../codec/otlp/traces-protobuf.ts'
import type { AttributeValue } from '../../../model/attributes.ts'
import {
  attribute,
  compare,
  everything,
  intrinsic,
  spelled,
  text,
  word,
  type EventQuery,
} from '../../../model/query.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import { StoreBlock } from '../block/store-block.ts'
import { searchEvents } from './event-search.ts'

const engine = await temporaryEngine({ after })
beforeEach(() => emptyStore(engine))

const origin = 1_795_000_000n * second
const hour = 3600n * second
let blocks = 0

function search(query: Partial<EventQuery>, limit = 100) {
  const facts = { irregular: new Set<string>(), resource: new Set<string>() }
  return searchEvents(engine, { query: { where: everything, ...query }, limit }, facts)
}

/** A span from one time after the origin to another, with an event `name@time` for each. */
function spanWith(fromNs: bigint, toNs: bigint, events: Readonly<Record<string, bigint>>): Span {
  return otlpSpan({
    traceId: Buffer.alloc(16, 7),
    start: origin + fromNs,
    end: origin + toNs,
    events: Object.entries(events).map(([name, timeNs]) => ({
      time: origin + timeNs,
      name,
      attributes: [],
      dropped: 0,
    })),
  })
}

async function storeSpans(...spans: Span[]): Promise<void> {
  const body = encodeTraces(otlpRequest({ resource: [textAttribute('service.name', 'web')], spans }))
  const block = new StoreBlock()
  block.add(otlpTracesProtobuf.decode(body, { receivedAtMs: 0 }).batch as SpanBatch)
  await block.insert(engine, `events-${blocks++}`)
}

async function typesOf(query: Partial<EventQuery>, limit?: number): Promise<string> {
  const { events, total } = await search(query, limit)
  return `${events.map(({ type }) => type).join(' ')} of ${total}`
}

test('words of any script are found as they stand and in either case', async () => {
  const body = 'Ошибка ОПЛАТЫ, Ärger: GRÖSSE 支付失败了 foo_bar Card'
  await storeRows(engine, [], [{ timeNs: origin, service: 'web', body, resource: {} }])
  const asked = ['Ошибка', 'ошибка', 'оплаты', 'ÄRGER', 'größe', 'grösse', '支付', 'foo_bar', 'foo', 'card', 'car']
  const found: string[] = []
  for (const one of asked) if ((await search({ where: word(one) })).total === 1) found.push(one)
  assert.deepEqual(found, ['Ошибка', 'ошибка', 'оплаты', 'ÄRGER', 'grösse', '支付', 'foo_bar', 'foo', 'card'])
})

test('an event of a span is in a range by its own time', async () => {
  await storeSpans(
    spanWith(0n, 9n * hour, { early: second, edge: 8n * hour, late: 8n * hour + second }),
    spanWith(8n * hour, 8n * hour + 1n, { short: 8n * hour + 1n }),
    spanWith(8n * hour, 8n * hour - second, { backwards: 8n * hour }),
  )
  const startNs = origin + 8n * hour
  assert.equal(await typesOf({ startNs }), 'late short edge backwards of 4')
  assert.equal(await typesOf({ startNs: startNs + 2n }), 'late of 1')
  assert.equal(await typesOf({ endNs: startNs }), 'early of 1')
  const where = compare(intrinsic('type'), '=', text('edge'))
  assert.equal(await typesOf({ startNs, endNs: startNs + 1n, where }), 'edge of 1')
  assert.equal(await typesOf({ startNs: startNs + 1n, where }), ' of 0')
})

test('the newest events come first, whichever span began last', async () => {
  await storeSpans(
    spanWith(0n, 3n * hour, { newest: 2n * hour, oldest: 1n }),
    ...Array.from({ length: 5 }, (_, i) => spanWith(hour + BigInt(i), 2n * hour, { [`e${i}`]: hour + BigInt(i) })),
  )
  assert.equal(await typesOf({}, 2), 'newest e4 of 7')
})

test('an attribute of a span event is found by its value as written or as shown, and by no other', async () => {
  const values: Record<string, AttributeValue> = {
    large: { type: 'int', value: 9007199254740993n },
    whole: { type: 'double', value: 2 },
    none: { type: 'double', value: NaN },
    list: { type: 'array', value: [{ type: 'int', value: 1n }] },
  }
  const event = { time: origin, name: 'e', attributes: Object.entries(values).map(([key, value]) => ({ key, value })) }
  await storeSpans({ ...spanWith(0n, second, {}), events: [{ ...event, dropped: 0 }] })
  const found = async (key: string, value: string): Promise<boolean> =>
    (await search({ where: compare(attribute('any', key), '=', spelled(value)) })).total === 1
  for (const [key, value] of [
    ['large', '9007199254740993'],
    ['whole', '2'],
    ['whole', '2.0'],
    ['none', 'NaN'],
    ['list', '{"arrayValue":{"values":[{"intValue":"1"}]}}'],
    ['list', '[1]'],
    ['list', '1'],
  ] as const) {
    assert.ok(await found(key, value), `${key}=${value}`)
  }
  for (const [key, value] of [
    ['large', '9007199254740992'],
    ['whole', ''],
    ['whole', '3'],
    ['list', '2'],
  ] as const) {
    assert.ok(!(await found(key, value)), `${key}=${value}`)
  }
})
