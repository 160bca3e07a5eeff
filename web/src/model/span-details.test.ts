import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupLogs, logsBesideSpans } from './span-details.ts'

const record = (body: string, second: number, spanId?: string) => ({
  timeUnixNano: `${second}000000000`,
  body: { stringValue: body },
  ...(spanId && { spanId }),
})

test('records that name no span, or an absent one, are listed apart, oldest first', () => {
  const logRecords = [
    record('lost', 3, '00000000000000ff'),
    record('own', 2, '0000000000000001'),
    record('of none', 1),
    record('of none, later', 4),
  ]
  const bySpan = groupLogs({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
  const others = logsBesideSpans(bySpan, BigUint64Array.of(1n))
  assert.deepEqual(
    others.map(({ body }) => body),
    ['of none', 'lost', 'of none, later'],
  )
  assert.deepEqual(
    bySpan.get(1n)!.map(({ body }) => body),
    ['own'],
  )
})
