/**
 * What requests cost that were made to cost much, beside ordinary ones of the same size, in one run: time on the event loop
 * to decode the request and to put it into a block, each the best of five.
 *
 *   node bench/attack/run.ts
 *
 * A new way to attack is a row of `attacks`. What each of them once cost is in docs/performance.md.
 */
import { otlpTracesProtobuf } from '../../src/codec/otlp/traces-protobuf.ts'
import type { Attribute } from '../../src/model/attributes.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { SpanIndex } from '../../src/storage/fresh/span-index.ts'
import { StoreBlock } from '../../src/storage/clickhouse/block/store-block.ts'
import type { Position } from '../../src/model/log.ts'
import { encodeTraces, type Span } from '../../test/support/otlp-encode.ts'
import { alikeTraceIds, cancellingTraceIds, collidingKeys } from '../../test/support/colliding.ts'
import { randomBytes } from 'node:crypto'

interface Attack {
  readonly name: string
  readonly worst: () => Buffer
  /** As many bytes and rows, as they come by chance. */
  readonly ordinary: () => Buffer
}

const keyCount = 50_000
const spanCount = 50_000
const serviceCount = 20_000
const longKeyCount = 1000
const longKeyBytes = 16_384

const attacks: readonly Attack[] = [
  {
    name: `${keyCount} attribute keys in one span`,
    worst: () => request([[span(randomBytes(16), [...collidingKeys(keyCount)].map(attribute))]]),
    ordinary: () => request([[span(randomBytes(16), randomKeys(keyCount).map(attribute))]]),
  },
  {
    name: `${spanCount} span names`,
    worst: () => request([[...collidingKeys(spanCount)].map((name) => ({ ...span(randomBytes(16)), name }))]),
    ordinary: () => request([randomKeys(spanCount).map((name) => ({ ...span(randomBytes(16)), name }))]),
  },
  {
    name: `${spanCount} trace ids`,
    worst: () => request([[...alikeTraceIds(spanCount)].map((id) => span(id))]),
    ordinary: () => request([Array.from({ length: spanCount }, () => span(randomBytes(16)))]),
  },
  {
    name: `${2 ** 16} trace ids, words cancel`,
    worst: () => request([[...cancellingTraceIds(5)].map((id) => span(id))]),
    ordinary: () => request([Array.from({ length: 2 ** 16 }, () => span(randomBytes(16)))]),
  },
  {
    name: `${longKeyCount} keys of ${longKeyBytes} bytes`,
    worst: () => request([[span(randomBytes(16), longKeys((i) => Math.floor(i / 60)).map(attribute))]]),
    ordinary: () => request([[span(randomBytes(16), longKeys((i) => i).map(attribute))]]),
  },
  {
    name: `${serviceCount} services in one trace`,
    worst: () => request(Array.from({ length: serviceCount }, () => [span(Buffer.alloc(16, 1))])),
    ordinary: () => request(Array.from({ length: serviceCount }, () => [span(randomBytes(16))])),
  },
]

function attribute(key: string): Attribute {
  return { key, value: { type: 'bool', value: true } }
}

function randomKeys(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(32).toString('hex'))
}

/** Keys that differ near their end; `groupOf` tells them apart where the quick hash looks. */
function longKeys(groupOf: (i: number) => number): string[] {
  return Array.from({ length: longKeyCount }, (_, i) => {
    const [first, last] = [String(groupOf(i)).padStart(4, '0'), String(i).padStart(8, '0')]
    return `${first}${'a'.repeat(longKeyBytes - 32)}${last}${'a'.repeat(20)}`
  })
}

function span(traceId: Buffer, attributes: readonly Attribute[] = []): Span {
  const none = {
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    flags: 0,
    traceState: '',
  }
  const status = { code: 0, message: '' }
  const start = 1_764_000_000_000_000_000n
  return {
    ...none,
    traceId,
    spanId: randomBytes(8),
    parentSpanId: Buffer.alloc(0),
    name: 'x',
    kind: 1,
    start,
    end: start + 1n,
    attributes,
    status,
  }
}

/** A resource with a service of its own for each list of spans. */
function request(lists: readonly (readonly Span[])[]): Buffer {
  const plain = { attributes: [], dropped: 0, schemaUrl: '' }
  return encodeTraces({
    resources: lists.map((rows, i) => ({
      resource: { ...plain, attributes: [{ key: 'service.name', value: { type: 'string', value: `service-${i}` } }] },
      scopes: [{ scope: { ...plain, name: '', version: '' }, rows }],
    })),
  })
}

interface Cost {
  readonly decodeMs: number
  readonly blockMs: number
  readonly indexMs: number
}

function costOf(body: Buffer): Cost {
  const best = { decodeMs: Infinity, blockMs: Infinity, indexMs: Infinity }
  for (let round = 0; round < 5; round++) {
    let batch: SpanBatch | undefined
    best.decodeMs = Math.min(
      best.decodeMs,
      took(() => (batch = otlpTracesProtobuf.decode(body, { receivedAtMs: 0 }).batch as SpanBatch)),
    )
    const block = new StoreBlock()
    best.blockMs = Math.min(
      best.blockMs,
      took(() => block.add(batch!)),
    )
    const index = new SpanIndex(1_000_000, 0, 0)
    const arrival = { position: 0 as Position, atMs: 0, readable: true }
    best.indexMs = Math.min(
      best.indexMs,
      took(() => index.add(batch!, arrival)),
    )
  }
  return best
}

function took(work: () => void): number {
  const startedMs = performance.now()
  work()
  return performance.now() - startedMs
}

const ms = (value: number): string => value.toFixed(1).padStart(8)
console.log('ms on the event loop'.padEnd(40), '  decode', '   block', '   index', '   times the ordinary')
for (const { name, worst, ordinary } of attacks) {
  const [bad, good] = [costOf(worst()), costOf(ordinary())]
  const sum = (cost: Cost): number => cost.decodeMs + cost.blockMs + cost.indexMs
  console.log(
    name.padEnd(40),
    ms(bad.decodeMs),
    ms(bad.blockMs),
    ms(bad.indexMs),
    (sum(bad) / sum(good)).toFixed(2).padStart(8),
  )
  console.log('  ordinary'.padEnd(40), ms(good.decodeMs), ms(good.blockMs), ms(good.indexMs))
}
