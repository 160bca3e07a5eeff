import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { encodeTraces, type Span } from '../../../../test/support/otlp-encode.ts'
import { otlpRequest, otlpSpan, textAttribute } from '../../../../test/support/otlp-span.ts'
import { propertyRuns } from '../../../../test/support/property-runs.ts'
import { heldAttributes, randomPredicate } from '../../../../test/support/random-predicates.ts'
import { emptyStore, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { otlpTracesProtobuf } from '../../../codec/otlp/traces-protobuf.ts'
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import { spanView } from '../../../model/evaluate/span-view.ts'
import type { Predicate } from '../../../model/query.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import { spanRowsOf } from '../../../model/span-row-reader.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import { KnownKeys } from '../known-keys.ts'
import { StoreBlock } from '../block/store-block.ts'
import { compileSpanQuery } from './predicate.ts'

const engine = await temporaryEngine({ after })
const origin = 1_700_000_000_000_000_000n

const span = fc.record({
  name: fc.constantFrom('a', '', 'é'),
  status: fc.nat(2),
  message: fc.constantFrom('', 'a'),
  kind: fc.nat(5),
  lasts: fc.constantFrom(0n, 5n, -1n, 503n),
  isRoot: fc.boolean(),
  attributes: heldAttributes,
  events: fc.array(
    fc.record({ at: fc.constantFrom(0n, 5n), name: fc.constantFrom('a', 'b'), attributes: heldAttributes }),
    {
      maxLength: 2,
    },
  ),
  links: fc.array(heldAttributes, { maxLength: 1 }),
})
const group = fc.record({
  service: fc.constantFrom('a', undefined),
  resource: heldAttributes,
  scope: fc.record({ name: fc.constantFrom('', 'a'), version: fc.constantFrom('', '5'), attributes: heldAttributes }),
  spans: fc.array(span, { minLength: 1, maxLength: 8 }),
})

function encoded(groups: readonly (typeof group extends fc.Arbitrary<infer T> ? T : never)[]): Buffer {
  const requests = otlpRequest(
    ...groups.map(({ service, resource, spans }) => ({
      resource: [...(service === undefined ? [] : [textAttribute('service.name', service)]), ...resource],
      spans: spans.map((each): Span => ({
        ...otlpSpan({
          traceId: Buffer.alloc(16, 7),
          name: each.name,
          status: { code: each.status, message: each.message },
          start: origin,
          end: origin + each.lasts,
          attributes: each.attributes,
          parentSpanId: each.isRoot ? Buffer.alloc(0) : Buffer.alloc(8, 9),
          events: each.events.map(({ at, name, attributes }) => ({ time: origin + at, name, attributes, dropped: 0 })),
        }),
        kind: each.kind,
        links: each.links.map((attributes) => ({
          traceId: Buffer.alloc(16, 5),
          spanId: Buffer.alloc(8, 5),
          traceState: '',
          attributes,
          dropped: 0,
          flags: 0,
        })),
      })),
    })),
  )
  for (const [i, { scope }] of groups.entries()) {
    const [first] = requests.resources[i]!.scopes
    Object.assign(first!.scope, scope)
  }
  return encodeTraces(requests)
}

let stored = 0

/** Stores as the writer does; the rows, and what is known of their keys. */
async function store(body: Buffer): Promise<{ rows: SpanRow[]; known: KnownKeys }> {
  await emptyStore(engine)
  const batch = otlpTracesProtobuf.decode(body, { receivedAtMs: 0 }).batch as SpanBatch
  const block = new StoreBlock()
  const known = new KnownKeys()
  block.add(batch)
  for (const key of block.irregularKeys) known.addIrregular(key)
  for (const resource of batch.resources) known.addResource(resource)
  known.addNotes(block.notes)
  await block.insert(engine, `predicates-${stored++}`)
  return { rows: spanRowsOf(batch), known }
}

async function idsBySql(where: Predicate, known: KnownKeys): Promise<string[]> {
  const conditions = compileSpanQuery({ where }, known)
  const rows = await engine.query<[string]>(`SELECT lower(hex(span_id)) FROM spans ${conditions.where()}`, {
    parameters: conditions.parameters,
  })
  return rows.map(([id]) => id).sort()
}

function idsByTest(where: Predicate, rows: readonly SpanRow[]): string[] {
  const root = rows.find(({ parentSpanId }) => parentSpanId === '')
  const trace = {
    rootName: root?.name ?? '',
    rootService: '',
    durationNs: 0n,
  }
  const isMet = compileTest(where)
  return rows
    .filter((row) => isMet(spanView(row, trace)))
    .map(({ spanId }) => spanId)
    .sort()
}

const print = (value: unknown): string =>
  JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? `${each}n` : typeof each === 'number' && !Number.isFinite(each) ? String(each) : each,
  )

const predicates = randomPredicate({
  intrinsics: [
    'name',
    'duration',
    'startTime',
    'status',
    'statusMessage',
    'kind',
    'service',
    'traceId',
    'spanId',
    'parentId',
    'eventName',
    'eventTimeSinceStart',
    'linkTraceId',
    'linkSpanId',
    'instrumentationName',
    'instrumentationVersion',
    'severity',
  ],
  scopes: ['any', 'nearest', 'span', 'resource', 'event', 'link', 'instrumentation'],
})

test('evaluator and engine find the same spans, whatever they hold and is asked', { timeout: 120_000 }, async () => {
  let found = 0
  let missed = 0
  const runs = fc.sample(
    fc.tuple(
      fc.array(group, { minLength: 1, maxLength: 3 }),
      fc.array(predicates, { minLength: 40, maxLength: 40, size: 'max' }),
    ),
    { numRuns: propertyRuns(12), seed: Number(process.env.SEED ?? 8) },
  )
  for (const [groups, asked] of runs) {
    const { rows, known } = await store(encoded(groups))
    for (const where of asked) {
      const expected = idsByTest(where, rows)
      const got = await idsBySql(where, known)
      const differing = rows.filter(({ spanId }) => expected.includes(spanId) !== got.includes(spanId))
      const sql = compileSpanQuery({ where }, known).where()
      assert.deepEqual(got, expected, [print(where), sql, ...differing.map(print)].join('\n'))
      found += expected.length
      missed += rows.length - expected.length
    }
  }
  assert.ok(found > 50 && missed > 50, `${found} found, ${missed} not`)
})
