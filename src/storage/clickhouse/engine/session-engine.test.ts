import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Block } from '../engine.ts'
import { temporaryEngine } from '../../../../test/support/temporary-store.ts'

const engine = await temporaryEngine({ after })
const endless = 'SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1'
const rows = 'SELECT number FROM numbers(100000000)'

/** Waits until no query holds a session. */
async function untilIdle(withinMs = 5000): Promise<void> {
  const untilMs = performance.now() + withinMs
  while (engine.state().queries.busy > 0) {
    assert.ok(performance.now() < untilMs, `${engine.state().queries.busy} sessions are still taken`)
    await sleep(5)
  }
}

test('a query over a limit names the option behind it', async () => {
  const large = 'SELECT length(groupArray(number)) FROM numbers(100000000)'
  await assert.rejects(engine.query(large, { settings: { max_memory_usage: 10_000_000 } }), {
    code: 'store_unavailable',
    message: 'cannot run query: it needs more memory than query.memory; narrow the question, or raise that',
  })
  await assert.rejects(engine.query(endless, { settings: { max_execution_time: 1 } }), {
    code: 'timeout',
    message: 'cannot run query: it takes longer than query.timeout; narrow the question, or raise that',
  })
})

test('a caller that leaves a query is released at once, and the engine stops the query', async () => {
  const leaving = Array.from({ length: 20 }, async (_, i) => {
    const startedMs = performance.now()
    await assert.rejects(engine.query(endless, { signal: AbortSignal.timeout(30 + i) }), { name: 'TimeoutError' })
    return performance.now() - startedMs
  })
  const took = await Promise.all(leaving)
  assert.ok(Math.max(...took) < 2000, `${took.map(Math.round).join(' ')} ms`)
  assert.deepEqual(await engine.query('SELECT 1'), [[1]])
  await untilIdle()
})

test('a stream that is left half read gives its session back', async () => {
  for (let round = 0; round < 6; round++) {
    for await (const [number] of engine.stream<[string]>(rows)) if (number === '5') break
  }
  const gone = new AbortController()
  const stream = engine.stream<[string]>(rows, { signal: gone.signal })[Symbol.asyncIterator]()
  await stream.next()
  // Nobody reads on: only the signal can end it.
  gone.abort('left')
  await untilIdle()
  const readOn = async (): Promise<void> => {
    while ((await stream.next()).done !== true);
  }
  await assert.rejects(readOn, (reason) => reason === 'left')
})

test('a stream whose caller leaves while a chunk is under way gives its session back', async () => {
  const gone = new AbortController()
  const next = engine.stream<[string]>(endless, { signal: gone.signal })[Symbol.asyncIterator]().next()
  await sleep(20)
  assert.equal(engine.state().queries.busy, 1)
  gone.abort('left')
  await assert.rejects(next, (reason) => reason === 'left')
  await untilIdle()
})

const endlessInsert = "INSERT INTO FUNCTION null('n UInt64') SELECT number FROM numbers(1000000000000)"

test('a statement is stopped by its signal, also while it waits for its turn', async () => {
  const gone = new AbortController()
  const running = engine.execute(endlessInsert, { signal: gone.signal })
  const waiting = engine.execute('SELECT 1', { signal: AbortSignal.timeout(50) })
  await assert.rejects(waiting, { name: 'TimeoutError' })
  gone.abort('left')
  await assert.rejects(running, (reason) => reason === 'left')
  assert.equal(engine.state().statements.busy, 0)
  await engine.execute('SELECT 1')
})

test('a statement can have settings of its own', async () => {
  await assert.rejects(engine.execute(endlessInsert, { settings: { max_execution_time: 0.2 } }), { code: 'timeout' })
})

/** A block of one number. */
function blockOf(number: number, more: Partial<Block> = {}): Block {
  const bytes = Uint8Array.of(1, 1, 1, 0x6e, 5, ...Buffer.from('UInt8'), number)
  return { table: 'numbers_in', structure: 'n UInt8', bytes: [bytes], token: `n${number}`, ...more }
}

test('an insert obeys its signal and its settings, and leaves nothing behind for the next one', async () => {
  await engine.execute('CREATE TABLE numbers_in (n UInt8) ENGINE = MergeTree ORDER BY n')
  await assert.rejects(engine.insert(blockOf(1, { signal: AbortSignal.abort('left') })), (reason) => reason === 'left')
  await assert.rejects(engine.insert(blockOf(2, { settings: { max_threads: "'x'" } })), { code: 'store_unavailable' })
  // Its third statement fails, because a block without ids cannot be compared with what is stored.
  await assert.rejects(engine.insert(blockOf(3, { storedIf: ['n'] })), /trace_id/)
  await assert.rejects(engine.insert(blockOf(3, { storedIf: ['n'] })), /trace_id/, 'the same error again')
  await engine.insert(blockOf(4))
  assert.deepEqual(await engine.query('SELECT n FROM numbers_in'), [[4]])
})
