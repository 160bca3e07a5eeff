/** Several sinks on one log, and several consumers, as if in several processes, on the partitions of one log. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { otlpTracesProtobuf } from '../codec/otlp/traces-protobuf.ts'
import { openDecoder } from '../joins/decoder.ts'
import type { Log, Position, RecordHeader } from '../model/log.ts'
import type { Sink } from '../model/sink.ts'
import { BatchLease } from '../model/batch-lease.ts'
import { tracesProtobuf } from '../../test/support/decoded.ts'
import { FileSink } from '../../test/support/file-sink.ts'
import { spanIdOf, spansOf, traceRequest } from '../../test/support/numbered-requests.ts'
import { PartitionedLog } from '../../test/support/partitioned-log.ts'
import { openLog, temporaryFolder } from '../../test/support/temporary-log.ts'
import { startConsumer, type Consumer } from './consumer.ts'

const header: RecordHeader = {
  signal: 'spans',
  codec: otlpTracesProtobuf.name,
  encoding: '',
  tenant: '',
  receivedAtMs: 1,
}

function consume(log: Log, sink: Sink, blockRows = 40): Promise<Consumer> {
  return startConsumer({
    log,
    logId: 'log',
    sink,
    decode: openDecoder(1 << 24, pino({ level: 'silent' })),
    blockRows,
    blockWaitMs: 20,
    batchesBytesMax: 1 << 20,
    onProblem: () => {},
    quarantine: () => Promise.reject(new Error('nothing is to be set aside')),
  })
}

async function append(log: Log, n: number, consumers: readonly Consumer[] = []): Promise<void> {
  const body = traceRequest(n)
  const place = await log.append({ ...header, body })
  const lease = new BatchLease(tracesProtobuf(body))
  for (const consumer of consumers) consumer.offer(place, lease)
  lease.release()
}

function idsUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, n) => n)
    .flatMap((n) => spansOf(n).map(spanIdOf))
    .sort()
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5)
}

test('a sink that stands still does not hold up another, and continues where it was', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await openLog(join(dir, 'log'))
  const gate = Promise.withResolvers<void>()
  const slow = new FileSink('slow', join(dir, 'slow'), () => gate.promise)
  const quick = new FileSink('quick', join(dir, 'quick'))
  const consumers = [await consume(log, slow), await consume(log, quick)]
  for (let n = 0; n < 50; n++) await append(log, n, consumers)
  await until(() => quick.lines.length === idsUpTo(50).length)
  assert.deepEqual([quick.lines, slow.lines], [idsUpTo(50), []])
  const pending = () => new Map(log.stats().consumers.map(({ name, pendingRecords }) => [name, pendingRecords]))
  await until(() => pending().get('quick') === 0)
  assert.equal(pending().get('slow'), 50)
  gate.resolve()
  for (const consumer of consumers) await consumer.stop()
  assert.deepEqual(slow.lines, idsUpTo(50))
  await log.close()
})

test('a sink that does not hold back the log loses what the log drops, counts it, and continues', async (t) => {
  const dir = await temporaryFolder(t)
  const options = { segmentBytes: 8 << 10, maxBytes: 64 << 10, retryWindowMs: 0, heldBy: ['quick'] }
  const log = await openLog(join(dir, 'log'), options)
  const gate = Promise.withResolvers<void>()
  const slow = new FileSink('slow', join(dir, 'slow'), () => gate.promise)
  const quick = new FileSink('quick', join(dir, 'quick'))
  const consumers = [await consume(log, slow), await consume(log, quick)]
  for (let n = 0; n < 150; n++) {
    await append(log, n)
    for (const consumer of consumers) consumer.grown(0, (n + 1) as Position)
    while (log.stats().pendingRecords > 20) await sleep(5)
  }
  await until(() => quick.lines.length === idsUpTo(150).length)
  gate.resolve()
  await until(() => log.stats().consumers.every(({ pendingRecords }) => pendingRecords === 0))
  const lost = consumers[0]!.missedRecords
  assert.ok(lost > 20, `${lost} records were lost`)
  assert.equal(slow.lines.length, (150 - lost) * 8)
  assert.equal(consumers[1]!.missedRecords, 0)
  for (const consumer of consumers) await consumer.stop()
  await log.close()
})

test('partitions change hands in the middle of blocks: every row is stored once', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await PartitionedLog.open(join(dir, 'log'), 4)
  const sink = (): FileSink => new FileSink('store', join(dir, 'stored'), () => sleep(3))
  const requests = 200
  let sent = 0
  const consumers = [await consume(log, sink())]
  const sending = (async () => {
    for (; sent < requests; sent++) {
      // A record offered to a consumer that does not have its partition is read by another consumer.
      await append(log, sent, consumers)
    }
  })()
  for (const wanted of [30, 70]) {
    await until(() => sent >= wanted)
    consumers.push(await consume(log, sink()))
  }
  await until(() => sent >= 120)
  // This one does not stop in order, like a process that hangs: others take its partitions.
  await consumers.shift()!.stop(0)
  await sending
  for (const consumer of consumers) await consumer.stop()
  assert.deepEqual(sink().lines, idsUpTo(requests))
  await log.close()
})

test('a block that a crash left between cut and commit keeps its token and its records', async (t) => {
  const dir = await temporaryFolder(t)
  const log = await PartitionedLog.open(join(dir, 'log'), 2)
  for (let n = 0; n < 20; n++) await append(log, n)
  const held = await log.consume('store', {
    assigned: () => {},
    revoked: () => Promise.resolve(),
    grown: () => {},
  })
  await held.commit(1, { next: 0 as Position, cutEnd: 8 as Position })
  await held.leave()
  const replayed: string[] = []
  const sink = new FileSink('store', join(dir, 'stored'), ({ token, mayBeStored }) => {
    if (mayBeStored) replayed.push(token)
    return Promise.resolve()
  })
  const consumer = await consume(log, sink, 1000)
  await consumer.untilStored(AbortSignal.timeout(10_000))
  assert.deepEqual(replayed, ['log-1-0-8'])
  assert.deepEqual(sink.lines, idsUpTo(20))
  assert.equal(consumer.isBehind, false)
  await consumer.stop()
  await log.close()
})
