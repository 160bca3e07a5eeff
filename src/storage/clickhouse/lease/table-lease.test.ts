import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease } from '../../../model/lease.ts'
import { openEngine, temporaryDir } from '../../../../test/support/temporary-store.ts'
import type { QueryOptions } from '../engine.ts'
import { OwnSessions } from '../engine/own-sessions.ts'
import { bindParameters } from '../literal.ts'
import { migrate } from '../schema/migrate.ts'
import { addStep, readNewestStep, type LeaseEngine } from './lease-steps.ts'
import { takeTableLease, type TableLeaseOptions } from './table-lease.ts'

const { dir, remove } = await temporaryDir()
const engine = openEngine(dir)
await migrate(engine, { sync: false })
after(async () => {
  await engine.close()
  await remove()
})
const ttlMs = 900
const held: Lease[] = []

let name = ''
let tests = 0

beforeEach(() => void (name = `test-${tests++}`))
afterEach(() => Promise.all(held.splice(0).map((lease) => lease.release())))

async function take(options: Partial<TableLeaseOptions> = {}, signal?: AbortSignal): Promise<Lease> {
  const onProblem = (): void => {}
  const lease = await takeTableLease({ engine, name, ttlMs, onProblem, ...options }, signal)
  held.push(lease)
  return lease
}

/** The process behind it hangs: from some moment on, nothing it sends arrives. */
function hanging(): LeaseEngine & { hang(): void } {
  let isHung = false
  const never = (): Promise<never> => new Promise(() => {})
  return {
    query: (sql, options) => (isHung ? never() : engine.query(sql, options)),
    execute: (sql, options) => (isHung ? never() : engine.execute(sql, options)),
    hang: () => void (isHung = true),
  }
}

test('of ten that try at once one gets it; the others follow as it is released, each with a higher generation', async () => {
  const waiting = new Set(Array.from({ length: 10 }, () => take()))
  const generations: number[] = []
  while (waiting.size > 0) {
    const { lease, taken } = await Promise.race([...waiting].map(async (each) => ({ lease: await each, taken: each })))
    waiting.delete(taken)
    generations.push(lease.generation)
    assert.ok(lease.isHeld())
    if (waiting.size > 0) {
      const other = await Promise.race([...waiting, sleep(20)])
      assert.equal(other, undefined, 'nobody else has it')
    }
    await lease.release()
    assert.ok(!lease.isHeld() && lease.lost.aborted)
  }
  assert.deepEqual(
    generations,
    [...new Set(generations)].sort((a, b) => a - b),
  )
})

test('it is renewed for as long as its holder lives', async () => {
  const lease = await take()
  const leaving = new AbortController()
  const other = take({}, leaving.signal)
  await Promise.race([other, sleep(ttlMs * 3)])
  assert.ok(lease.isHeld())
  assert.ok((await readNewestStep(engine, name))!.step > 5)
  leaving.abort(new Error('left'))
  await assert.rejects(other, /left/)
})

test('a holder that hangs says so before another gets it, and cannot renew it later', async () => {
  const sick = hanging()
  const first = await take({ engine: sick })
  const lostMs = new Promise<number>((resolve) =>
    first.lost.addEventListener('abort', () => resolve(performance.now())),
  )
  sick.hang()
  const hungMs = performance.now()
  const second = await take()
  const takenMs = performance.now()
  assert.ok((await lostMs) < takenMs, 'lost first')
  assert.ok(second.generation > first.generation)
  // The last step may be as old as the pause between two, and is seen as much later.
  assert.ok(takenMs - hungMs < ttlMs * 2.5, `handed over within ${takenMs - hungMs} ms`)
})

test('a holder that stood still knows at once that it lost the lease', async () => {
  let nowMs = performance.now()
  const lease = await take({ now: () => nowMs })
  assert.ok(lease.isHeld())
  nowMs += ttlMs
  assert.ok(!lease.isHeld())
  assert.ok(lease.lost.aborted)
})

test('a renewal that comes after a takeover is dropped', async () => {
  const first = await take()
  const newest = (await readNewestStep(engine, name))!
  const step = { name, step: newest.step + 1, claim: 'theirs', ttlMs, released: false }
  await addStep(engine, { ...step, generation: undefined, lastGeneration: newest.generation })
  const reason = await new Promise<string>((resolve) =>
    first.lost.addEventListener('abort', () => resolve(String(first.lost.reason))),
  )
  assert.match(reason, /another process took it over/)
  assert.equal((await readNewestStep(engine, name))!.claim, 'theirs')
})

test('a renewal whose reply is lost still counts', async () => {
  let isLossy = false
  const lossy: LeaseEngine = {
    query: (sql, options) => engine.query(sql, options),
    async execute(sql, options) {
      await engine.execute(sql, options)
      if (isLossy) throw new Error('the connection broke')
    },
  }
  const lease = await take({ engine: lossy })
  isLossy = true
  const before = (await readNewestStep(engine, name))!.step
  await sleep(ttlMs * 2)
  isLossy = false
  assert.ok(lease.isHeld())
  assert.ok((await readNewestStep(engine, name))!.step > before + 2)
})

test('a step that the engine noted and did not store is passed over', async () => {
  // A kill between the two leaves the note, and every insert of the step is dropped from then on.
  const dropped = [1, 3].map((step) => `${name}-${step}`)
  const forgetful: LeaseEngine = {
    query: (sql, options) => engine.query(sql, options),
    async execute(sql, options) {
      if (!dropped.includes(String(options?.parameters?.['token']))) await engine.execute(sql, options)
    },
  }
  const lease = await take({ engine: forgetful })
  assert.equal((await readNewestStep(engine, name))!.step, 2)
  while (lease.isHeld() && (await readNewestStep(engine, name))!.step < 5) await sleep(20)
  assert.ok(lease.isHeld(), 'its renewals pass over it too')
})

test('of sessions that add the same step at the same moment, one adds it', async () => {
  const sessions = new OwnSessions({ dir, sessionArguments: Array.from({ length: 6 }, () => []) })
  const overSession = (session: number): LeaseEngine => ({
    async query<Row extends readonly unknown[]>(sql: string, { parameters = {} }: QueryOptions = {}): Promise<Row[]> {
      const text = await sessions.run(session, bindParameters(sql, parameters))
      return text === '' ? [] : [JSON.parse(text) as Row]
    },
    async execute(sql, { parameters = {} } = {}) {
      await sessions.run(session, bindParameters(sql, parameters))
    },
  })
  for (let step = 1; step <= 30; step++) {
    const wanted = { name, step, generation: undefined, lastGeneration: step, ttlMs, released: false }
    const seen = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((session) => addStep(overSession(session), { ...wanted, claim: `${session}` })),
    )
    assert.equal(new Set(seen.map((newest) => newest!.claim)).size, 1, 'all see the same winner')
  }
  await sessions.close()
})
