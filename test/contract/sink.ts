/** What every sink must do (src/model/sink.ts). `open` makes an empty one; `stored` reads span ids and event bodies back, sorted. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { EventBatch } from '../../src/model/event-batch.ts'
import type { Sink, SinkBlock } from '../../src/model/sink.ts'
import type { SpanBatch } from '../../src/model/span-batch.ts'
import { logsProtobuf, tracesProtobuf } from '../support/decoded.ts'
import { eventsPerRequest, logRequest, spanIdOf, spansOf, traceRequest } from '../support/numbered-requests.ts'

export interface OpenedSink {
  readonly sink: Sink
  readonly stored: () => Promise<string[]>
}

const spans = (n: number): SpanBatch => tracesProtobuf(traceRequest(n))
const events = (n: number): EventBatch => logsProtobuf(logRequest(n))

function rowsOf(traces: readonly number[], logs: readonly number[] = []): string[] {
  const bodies = logs.flatMap((n) =>
    Array.from({ length: eventsPerRequest }, (_, i) => `event ${n * eventsPerRequest + i}`),
  )
  return [...traces.flatMap(spansOf).map(spanIdOf), ...bodies].sort()
}

function blockOf(sink: Sink, batches: readonly (SpanBatch | EventBatch)[]): SinkBlock {
  const block = sink.newBlock()
  for (const batch of batches) block.add(batch)
  return block
}

export function testSink(what: string, open: (t: TestContext) => Promise<OpenedSink>): void {
  test(`${what}: rows can be read once the insert resolves, and counted before`, async (t) => {
    const { sink, stored } = await open(t)
    assert.match(sink.name, /^[A-Za-z0-9._-]{1,64}$/)
    const block = blockOf(sink, [spans(0), events(0), spans(1)])
    assert.equal(block.rows, rowsOf([0, 1], [0]).length)
    assert.deepEqual(await stored(), [])
    await block.insert({ token: 'log-0-3', mayBeStored: false })
    assert.deepEqual(await stored(), rowsOf([0, 1], [0]))
  })

  test(`${what}: a block is used again after a reset, and two blocks do not touch each other`, async (t) => {
    const { sink, stored } = await open(t)
    const block = blockOf(sink, [spans(0)])
    const other = blockOf(sink, [spans(1)])
    block.reset()
    assert.equal(block.rows, 0)
    block.add(spans(2))
    await block.insert({ token: 'log-2-3', mayBeStored: false })
    assert.deepEqual(await stored(), rowsOf([2]))
    await other.insert({ token: 'log-3-4', mayBeStored: false })
    assert.deepEqual(await stored(), rowsOf([1, 2]))
  })

  test(`${what}: a block that may be stored, in part or whole, is there once afterwards`, async (t) => {
    const { sink, stored } = await open(t)
    await blockOf(sink, [spans(0), events(0)]).insert({ token: 'log-0-4', mayBeStored: false })
    const whole = blockOf(sink, [spans(0), events(0), spans(1), events(1)])
    for (let times = 0; times < 2; times++) {
      await whole.insert({ token: 'log-0-4', mayBeStored: true })
      assert.deepEqual(await stored(), rowsOf([0, 1], [0, 1]))
    }
  })

  test(`${what}: a batch is copied: what happens to its memory after it was added does not matter`, async (t) => {
    const { sink, stored } = await open(t)
    const [traces, logs] = [spans(0), events(0)]
    const block = blockOf(sink, [traces, logs])
    for (const batch of [traces, logs]) {
      batch.arena.fill(0)
      batch.traceIds.fill(0)
      batch.spanIds.fill(0)
    }
    await block.insert({ token: 'log-0-2', mayBeStored: false })
    assert.deepEqual(await stored(), rowsOf([0], [0]))
  })
}
