/** The contract of readers, on the readers that `serve` puts in front of the embedded ClickHouse: every span comes through the log first. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { withFreshTraces } from '../../src/storage/fresh-reader.ts'
import { whenStored } from '../../src/storage/waiting-reader.ts'
import { openFreshPart, takeTraces } from '../support/fresh-part.ts'
import { encodeTraces } from '../support/otlp-encode.ts'
import { otlpRequest, otlpSpan, textAttribute } from '../support/otlp-span.ts'
import { temporaryEngine } from '../support/temporary-store.ts'
import { attributeOf, eventBatchOf, type TestSpan } from '../support/test-spans.ts'
import { openClickHouse } from './clickhouse-subject.ts'
import { eventQuestions } from './event-questions.ts'
import { figureQuestions } from './figure-questions.ts'
import { runContract, type OpenSubject } from './reader.ts'
import { traceQuestions } from './trace-questions.ts'

const engine = await temporaryEngine({ after })
const answered = { traces: 0, searches: 0 }

const open: OpenSubject = async (t) => {
  const { reader, insert } = await openClickHouse(engine, t)
  const part = await openFreshPart(t)
  t.after(() => {
    assert.deepEqual(part.problems, [])
    answered.traces += part.fresh.answers
    answered.searches += part.fresh.searches
  })
  return {
    reader: withFreshTraces(
      whenStored(reader, async (signal) => signal?.throwIfAborted()),
      part.fresh,
    ),
    async store(spans, events = []) {
      const before = part.batches.length
      if (spans.length > 0) await takeTraces(part, encoded(spans))
      await insert([...part.batches.slice(before), ...(events.length === 0 ? [] : [eventBatchOf(events)])])
    },
  }
}

function encoded(spans: readonly TestSpan[]): Uint8Array {
  const groups = Map.groupBy(spans, ({ service, resource }) => JSON.stringify([service, resource]))
  return encodeTraces(
    otlpRequest(
      ...[...groups.values()].map((own) => ({
        resource: [
          textAttribute('service.name', own[0]!.service),
          ...Object.entries(own[0]!.resource).map(([key, value]) => textAttribute(key, value)),
        ],
        spans: own.map((span) =>
          otlpSpan({
            traceId: Buffer.from(span.traceId, 'hex'),
            spanId: Buffer.from(span.spanId, 'hex'),
            parentSpanId: Buffer.from(span.parentSpanId, 'hex'),
            name: span.name,
            kind: span.kind,
            status: { code: span.status, message: '' },
            start: span.startNs,
            end: span.startNs + span.durationNs,
            attributes: Object.entries(span.attributes).map(([key, value]) => attributeOf(key, value)),
          }),
        ),
      })),
    ),
  )
}

runContract('fresh traces before clickhouse', [...traceQuestions, ...eventQuestions, ...figureQuestions], open)

after(() => {
  assert.ok(answered.traces > 3 && answered.searches > 3, `the log answered ${JSON.stringify(answered)}`)
})
