/** What every `Reader` must answer about events. */
import assert from 'node:assert/strict'
import { and, attribute, compare, everything, int, intrinsic, spelled, text, word } from '../../src/model/query.ts'
import type { Predicate } from '../../src/model/query.ts'
import { drawSpans, hexId, second, type TestEvent } from '../support/test-spans.ts'
import { assertCancelled, origin, type ContractTest, type ReaderSubject } from './reader.ts'

const event = (at: number, body: string, rest: Partial<TestEvent> = {}): TestEvent => ({
  timeNs: origin + BigInt(at) * second,
  service: 'web',
  body,
  resource: {},
  ...rest,
})

const traceId = hexId(1, 32)
const stored = [
  event(1, 'cart is empty', { traceId }),
  event(2, 'Payment refused', { service: 'pay', severity: 17, resource: { 'host.name': 'n1' } }),
  event(3, 'cart was paid', { traceId }),
]

async function bodies({ reader }: ReaderSubject, where: Predicate, limit = 10): Promise<[string[], number]> {
  const { events, total } = await reader.findEvents({ query: { where }, limit })
  return [events.map(({ body }) => body), total]
}

async function findByConditions(subject: ReaderSubject): Promise<void> {
  await subject.store([], stored)
  const all = ['cart was paid', 'Payment refused', 'cart is empty']
  const rows: [Predicate, string[]][] = [
    [everything, all],
    [word('cart'), [all[0]!, all[2]!]],
    [and(word('CART'), word('paid')), [all[0]!]],
    [word('refuse'), []],
    [compare(intrinsic('service'), '=', text('pay')), [all[1]!]],
    [compare(intrinsic('severity'), '>=', int(17n)), [all[1]!]],
    [compare(intrinsic('traceId'), '=', text(traceId)), [all[0]!, all[2]!]],
    [compare(attribute('any', 'host.name'), '=', spelled('n1')), [all[1]!]],
    [and(word('cart'), compare(intrinsic('service'), '=', text('pay'))), []],
  ]
  for (const [where, expected] of rows) {
    assert.deepEqual(await bodies(subject, where), [expected, expected.length], JSON.stringify(where, replaceBigint))
  }
  assert.deepEqual(await bodies(subject, everything, 1), [all.slice(0, 1), 3])
}

function replaceBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

async function ofTrace(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans('web a 0s+5s', origin), stored)
  const all = await subject.reader.readTraceEvents(traceId, { limit: 10 })
  assert.deepEqual(
    all.map(({ body }) => body),
    ['cart is empty', 'cart was paid'],
  )
  const first = await subject.reader.readTraceEvents(traceId, { limit: 1 })
  assert.deepEqual(
    first.map(({ body }) => body),
    ['cart is empty'],
  )
}

async function laterKeys(subject: ReaderSubject): Promise<void> {
  const onHost = compare(attribute('resource', 'host.name'), '=', spelled('n1'))
  await subject.store([], stored.slice(0, 1))
  assert.deepEqual(await bodies(subject, onHost), [[], 0])
  await subject.store([], stored.slice(1))
  assert.deepEqual(await bodies(subject, onHost), [['Payment refused'], 1])
}

export const eventQuestions: readonly ContractTest[] = [
  { name: 'events are found, newest first', needs: 'events', run: findByConditions },
  { name: 'log records of one trace are in order of time', needs: 'events', run: ofTrace },
  { name: 'a resource key is found on events that came since', needs: 'events', run: laterKeys },
  {
    name: 'questions about events can be cancelled',
    needs: 'events',
    async run({ reader }) {
      await assertCancelled((options) => reader.findEvents({ query: { where: everything }, limit: 1 }, options))
      await assertCancelled((options) => reader.readTraceEvents(traceId, { limit: 1, ...options }))
    },
  },
]
