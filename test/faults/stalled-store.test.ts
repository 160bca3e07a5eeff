/** The store stands still (merges, a slow disk): receivers go on answering from the log, until that is full. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../scenarios/clew-process.ts'
import { NumberedLoad } from '../support/numbered-load.ts'
import { spansPerRequest, traceRequest } from '../support/numbered-requests.ts'
import { takeCensus } from '../support/store-census.ts'
import { openStoring, type Storing } from '../support/storing.ts'

const stallSeconds = 10
const mebibyte = 1 << 20

/** Inserts wait while it is shut. */
class Gate {
  readonly tokens: string[] = []
  #open = Promise.withResolvers<void>()

  constructor() {
    this.#open.resolve()
  }

  shut(): void {
    this.#open = Promise.withResolvers<void>()
  }

  open(): void {
    this.#open.resolve()
  }

  readonly beforeInsert = async ({ token, table }: { token: string; table: string }): Promise<void> => {
    await this.#open.promise
    if (table === 'spans') this.tokens.push(token)
  }
}

async function assertStoredOnce({ engine }: Storing, load: NumberedLoad): Promise<void> {
  const { spans, spanIds, summed, wrongTraces } = await takeCensus(engine)
  const wanted = load.acknowledged.size * spansPerRequest
  assert.deepEqual(
    { spans, spanIds, summed, wrongTraces },
    { spans: wanted, spanIds: wanted, summed: wanted, wrongTraces: 0 },
  )
}

/** A token is LOG-FROM-END: each block begins where the one before ended. */
function assertInOrder(tokens: readonly string[]): void {
  const blocks = tokens.map((token) => token.split('-').slice(-2).map(Number) as [number, number])
  for (const [index, [from]] of blocks.entries()) assert.equal(from, blocks[index - 1]?.[1] ?? 0, tokens.join(' '))
}

test(`the store stands still for ${stallSeconds} s: every request is answered from the log`, async (t) => {
  const gate = new Gate()
  t.after(() => gate.open())
  const batchesBytesMax = mebibyte
  const { beforeInsert } = gate
  const storing = await openStoring(t, { dir: temporaryFolder(), batchesBytesMax, blockRows: 5000, beforeInsert })
  const load = new NumberedLoad(t, { clients: 8, retries: false })
  load.sendTo(storing.otlpUrl)
  await sleep(1500)
  gate.shut()
  const rssBefore = process.memoryUsage.rss()
  let rssMost = 0
  for (let second = 0; second < stallSeconds; second++) {
    const before = load.acknowledged.size
    await sleep(1000)
    assert.ok(load.acknowledged.size > before + 20, `${load.acknowledged.size - before} requests in second ${second}`)
    assert.ok(storing.writer.queuedBytes <= batchesBytesMax, `${storing.writer.queuedBytes} bytes of batches wait`)
    rssMost = Math.max(rssMost, process.memoryUsage.rss())
  }
  const { pendingBytes } = storing.log.stats()
  await assert.rejects(storing.writer.untilStored(AbortSignal.timeout(100)), 'a query waits for what is in the log')
  gate.open()
  await storing.writer.untilStored(AbortSignal.timeout(30_000))
  await load.finish()
  assert.deepEqual([load.refusals.size, load.acknowledged.size], [0, load.sent])
  await storing.drained()
  await assertStoredOnce(storing, load)
  assertInOrder(gate.tokens)
  await storing.close()
  t.diagnostic(`${load.sent} requests, ${pendingBytes} bytes waited in the log, RSS grew by ${rssMost - rssBefore}`)
  assert.ok(pendingBytes > batchesBytesMax, 'more waited than memory may hold')
  assert.ok(rssMost - rssBefore < 300 * mebibyte)
})

test('a log that is full is told to clients, and worked off', async (t) => {
  const gate = new Gate()
  t.after(() => gate.open())
  const storing = await openStoring(t, {
    dir: temporaryFolder(),
    logBytesMax: 3 * mebibyte,
    beforeInsert: gate.beforeInsert,
  })
  const load = new NumberedLoad(t, { clients: 8, retries: true })
  gate.shut()
  load.sendTo(storing.otlpUrl)
  while (!load.refusals.has(429)) await sleep(20)
  // Larger than any request of the clients: when one of theirs did not fit, this one does not fit either.
  const body = new Uint8Array(Buffer.concat(Array.from({ length: 200 }, (_, n) => traceRequest(1_000_000 + n))))
  const headers = { 'content-type': 'application/x-protobuf' }
  const refused = await fetch(`${storing.otlpUrl}/v1/traces`, { method: 'POST', headers, body })
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.match(await refused.text(), /cannot append to the log: \d+ of 3145728 bytes wait/)
  assert.ok(storing.log.stats().pendingBytes <= 3 * mebibyte)
  gate.open()
  // The clients' own tries go through again.
  await sleep(500)
  await load.finish()
  assert.deepEqual([...load.refusals.keys()], [429])
  assert.equal(load.acknowledged.size, load.sent)
  await storing.drained()
  await assertStoredOnce(storing, load)
  assertInOrder(gate.tokens)
  await storing.close()
})
