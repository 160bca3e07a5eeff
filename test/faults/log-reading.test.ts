/** What the writer reads back from the log (memory was full) and cannot read, decode or put into a block. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { UnavailableError } from '../../src/base/errors.ts'
import type { Log } from '../../src/model/log.ts'
import { temporaryFolder } from '../scenarios/clew-process.ts'
import { spansPerRequest, traceRequest } from '../support/numbered-requests.ts'
import type { Ending } from '../support/served.ts'
import { takeCensus } from '../support/store-census.ts'
import { openStoring, type Storing, type StoringOptions } from '../support/storing.ts'

const requests = 20

/** Sends all requests while inserts stand still and memory holds but one of them; then lets the store go on. */
async function sendAndReadBack(t: Ending, options: Omit<StoringOptions, 'beforeInsert'>): Promise<Storing> {
  const { promise, resolve } = Promise.withResolvers<void>()
  t.after(resolve)
  const storing = await openStoring(t, { ...options, batchesBytesMax: 1, blockRows: 1, beforeInsert: () => promise })
  for (let n = 0; n < requests; n++) {
    const headers = { 'content-type': 'application/x-protobuf' }
    const body = new Uint8Array(traceRequest(n))
    assert.equal((await fetch(`${storing.otlpUrl}/v1/traces`, { method: 'POST', headers, body })).status, 200)
  }
  resolve()
  await storing.drained()
  return storing
}

async function assertStored({ engine }: Storing, count: number): Promise<void> {
  const { spans, spanIds, summed, wrongTraces } = await takeCensus(engine)
  const wanted = count * spansPerRequest
  assert.deepEqual(
    { spans, spanIds, summed, wrongTraces },
    { spans: wanted, spanIds: wanted, summed: wanted, wrongTraces: 0 },
  )
}

test('a log that cannot be read for a moment, at its begin or in the middle: nothing is passed over', async (t) => {
  const failures = { left: 4 }
  const wrapLog = (log: Log): Log => ({
    append: (record) => log.append(record),
    async *read(from) {
      if (failures.left % 2 === 0 && failures.left-- > 0)
        throw new UnavailableError('io_failed', 'cannot read the log: EIO')
      for await (const record of log.read(from)) {
        yield record
        if (failures.left-- > 0) throw new UnavailableError('io_failed', 'cannot read the log: EIO')
      }
    },
    capabilities: log.capabilities,
    consume: (name, listener) => log.consume(name, listener),
    stats: () => log.stats(),
    close: () => log.close(),
  })
  const storing = await sendAndReadBack(t, { dir: temporaryFolder(), wrapLog })
  assert.ok(failures.left <= 0, 'reading failed')
  await assertStored(storing, requests)
  assert.equal(await storing.quarantine.count(), 0)
  await storing.close()
})

test('a record that no longer decodes, and one that breaks its block, are kept aside; all others are stored once', async (t) => {
  const dir = temporaryFolder()
  const storing = await sendAndReadBack(t, {
    dir,
    wrapDecode: (decode) => async (record) => {
      const batch = await decode(record)
      if (record.position === 15) return undefined
      // A batch whose columns have lost their rows stands for a decoder's fault.
      return record.position === 17 && batch?.signal === 'spans' ? { ...batch, names: undefined as never } : batch
    },
  })
  await assertStored(storing, requests - 2)
  assert.deepEqual(readdirSync(join(dir, 'quarantine')).sort(), ['15-16', '17-18'])
  for (const [n, reason] of [
    [15, /cannot be decoded any more/],
    [17, /does not fit into a block: /],
  ] as const) {
    const folder = join(dir, 'quarantine', `${n}-${n + 1}`)
    assert.deepEqual(readFileSync(join(folder, `${n}.otlp-traces-protobuf`)), traceRequest(n))
    assert.match(readFileSync(join(folder, 'reason.txt'), 'utf8'), reason)
  }
  await storing.close()
})
