import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { eventRowsOf } from '../../../../test/support/batch-rows.ts'
import { encodeLogs } from '../../../../test/support/otlp-encode.ts'
import { propertyRuns } from '../../../../test/support/property-runs.ts'
import { heldAttributes, heldValue, randomPredicate } from '../../../../test/support/random-predicates.ts'
import { emptyStore, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { otlpLogsProtobuf } from '../../../codec/otlp/logs-protobuf.ts'
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import { eventView } from '../../../model/evaluate/event-view.ts'
import type { EventBatch } from '../../../model/event-batch.ts'
import { word, type Predicate } from '../../../model/query.ts'
import { KnownKeys } from '../known-keys.ts'
import { StoreBlock } from '../block/store-block.ts'
import { Conditions } from './conditions.ts'
import { eventsTable } from './events-table.ts'
import { addPredicate } from './predicate.ts'

const engine = await temporaryEngine({ after })

const record = fc.record({
  severityNumber: fc.constantFrom(0, 5, 17),
  severityText: fc.constantFrom('', 'ERROR', 'a', 'warn2'),
  body: fc.oneof(
    fc
      .constantFrom('', 'a', 'Card declined', 'my_card', 'Ärger', '5')
      .map((value) => ({ type: 'string' as const, value })),
    heldValue,
    fc.constant(undefined),
  ),
  attributes: heldAttributes,
  eventName: fc.constantFrom('', 'a'),
})
const group = fc.record({
  attributes: heldAttributes,
  scope: fc.record({ name: fc.constantFrom('', 'a'), version: fc.constantFrom('', '5'), attributes: heldAttributes }),
  records: fc.array(record, { minLength: 1, maxLength: 10 }),
})

function encoded(groups: readonly (typeof group extends fc.Arbitrary<infer Group> ? Group : never)[]): Buffer {
  let events = 0
  const resources = groups.map(({ attributes, scope, records }) => ({
    resource: { attributes, dropped: 0, schemaUrl: '' },
    scopes: [
      {
        scope: { ...scope, dropped: 0, schemaUrl: '' },
        rows: records.map((each) => ({
          ...each,
          time: BigInt(++events),
          observed: 0n,
          dropped: 0,
          flags: 0,
          traceId: Buffer.alloc(events % 2 === 0 ? 0 : 16, 7),
          spanId: Buffer.alloc(events % 2 === 0 ? 0 : 8, 7),
        })),
      },
    ],
  }))
  return encodeLogs({ resources })
}

const words = fc
  .constantFrom('a', 'card', 'CARD', 'car', 'my_card', 'ärger', 'rger', '5', '"', '5.0')
  .map((text): Predicate => word(text))
const predicates = fc.oneof(
  { weight: 1, arbitrary: words },
  {
    weight: 4,
    arbitrary: randomPredicate({
      intrinsics: [
        ...(['body', 'severity', 'severityText', 'type', 'protocol', 'service', 'traceId', 'spanId', 'time'] as const),
        ...(['instrumentationName', 'instrumentationVersion', 'duration'] as const),
      ],
      scopes: ['any', 'nearest', 'event', 'resource', 'instrumentation', 'span'],
    }),
  },
)

let stored = 0

test('evaluator and engine find the same events, whatever they hold and is asked', { timeout: 120_000 }, async () => {
  const runs = fc.sample(
    fc.tuple(
      fc.array(group, { minLength: 1, maxLength: 3 }),
      fc.array(predicates, { minLength: 40, maxLength: 40, size: 'max' }),
    ),
    { numRuns: propertyRuns(12), seed: Number(process.env['SEED'] ?? 8) },
  )
  let [found, missed] = [0, 0]
  for (const [groups, asked] of runs) {
    await emptyStore(engine)
    const batch = otlpLogsProtobuf.decode(encoded(groups), { receivedAtMs: 0 }).batch as EventBatch
    const block = new StoreBlock()
    const known = new KnownKeys()
    block.add(batch)
    for (const resource of batch.resources) known.addResource(resource)
    known.addNotes(block.notes)
    await block.insert(engine, `event-predicates-${stored++}`)
    for (const where of asked) {
      const isMet = compileTest(where)
      const expected = eventRowsOf(batch).filter((row) => isMet(eventView(row)))
      const conditions = new Conditions()
      addPredicate(where, { table: eventsTable, facts: known, conditions })
      const rows = await engine.query<[string]>(
        `SELECT toString(toUnixTimestamp64Nano(time)) FROM events ${conditions.where()} ORDER BY time`,
        { parameters: conditions.parameters },
      )
      const message = `${JSON.stringify(where, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))} ${conditions.where()}`
      assert.deepEqual(
        rows.map(([time]) => BigInt(time)),
        expected.map(({ timeUnixNano }) => timeUnixNano),
        message,
      )
      found += expected.length
      missed += batch.rows - expected.length
    }
  }
  assert.ok(found > 50 && missed > 50, `${found} found, ${missed} not`)
})
