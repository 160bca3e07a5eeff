import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SessionPool } from './session-pool.ts'

/** Waits for a macrotask: by then everything that settled promises started has run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const poolOf = (sessions: number, waitingMax: number): SessionPool<number> =>
  new SessionPool({ sessions: Array.from({ length: sessions }, (_, i) => i), waitingMax, what: 'run query' })

type Step = { readonly do: 'take' } | { readonly do: 'abort' | 'release' | 'both'; readonly which: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ do: 'take' as const }),
  fc.record({ do: fc.constantFrom('abort' as const, 'release' as const, 'both' as const), which: fc.nat(50) }),
)

interface Asker {
  readonly order: number
  readonly abort: AbortController
  session?: number
  failed?: unknown
}

test('sessions go to those who wait, first come first served, whoever gives up and when', async () => {
  // Two lists say who must hold a session and who must wait, in order.
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), async (sessions, steps) => {
      const waitingMax = 6
      const pool = poolOf(sessions, waitingMax)
      const holding: Asker[] = []
      const waiting: Asker[] = []
      let order = 0
      let refused = 0
      const begin = (): void => {
        const asker: Asker = { order: order++, abort: new AbortController() }
        const isRefused = holding.length === sessions && waiting.length === waitingMax
        if (isRefused) refused++
        else if (holding.length < sessions) holding.push(asker)
        else waiting.push(asker)
        pool.take({ signal: asker.abort.signal }).then(
          (session) => (asker.session = session),
          (error: unknown) => (asker.failed = error),
        )
      }
      const leave = (which: number): Asker | undefined => {
        const [asker] = waiting.splice(which % Math.max(1, waiting.length), 1)
        asker?.abort.abort(`left ${asker.order}`)
        return asker
      }
      const release = (which: number): void => {
        const [asker] = holding.splice(which % Math.max(1, holding.length), 1)
        if (asker === undefined) return
        pool.release(asker.session!)
        const next = waiting.shift()
        if (next !== undefined) holding.push(next)
      }
      for (const each of steps) {
        const left: (Asker | undefined)[] = []
        if (each.do === 'take') begin()
        // In the same turn of the event loop, where a wake-up could go to somebody who has just left.
        if (each.do === 'both') left.push(leave(0))
        if (each.do === 'release' || each.do === 'both') release(each.which)
        if (each.do === 'both') left.push(leave(0))
        if (each.do === 'abort') left.push(leave(each.which))
        await settle()
        for (const asker of left) assert.equal(asker?.failed, asker && `left ${asker.order}`)
        assert.ok(holding.every(({ session, failed }) => session !== undefined && failed === undefined))
        assert.ok(waiting.every(({ session, failed }) => session === undefined && failed === undefined))
        assert.equal(new Set(holding.map(({ session }) => session)).size, holding.length, 'one session for each')
        const state = pool.state()
        assert.deepEqual(
          [state.sessions, state.busy, state.waiting, state.refused],
          [sessions, holding.length, waiting.length, refused],
        )
      }
    }),
    { numRuns: 300 },
  )
})

test('a waiter past the bound is told when to try again', async () => {
  const pool = poolOf(1, 1)
  const session = await pool.take()
  const second = pool.take()
  await assert.rejects(pool.take(), {
    code: 'too_many_requests',
    retryAfterMs: 1000,
    message: 'cannot run query: 1 others wait already; try again in a moment',
  })
  pool.release(session)
  assert.equal(await second, session)
})

test('a waiter whose time is up leaves the queue', async () => {
  const pool = poolOf(1, 10)
  const session = await pool.take()
  const late = pool.take({ timeoutMs: 5 })
  const patient = pool.take({ timeoutMs: 60_000 })
  await assert.rejects(late, { code: 'timeout', canRetry: true })
  assert.equal(pool.state().waiting, 1)
  pool.release(session)
  assert.equal(await patient, session)
})

test('waits and holds are timed from the oldest', async () => {
  let now = 0
  const pool = new SessionPool({ sessions: ['a', 'b'], waitingMax: 9, what: 'run query', now: () => now })
  const first = await pool.take()
  now = 10
  await pool.take()
  const gone = new AbortController()
  const third = pool.take({ signal: gone.signal })
  now = 30
  const fourth = pool.take()
  now = 100
  assert.deepEqual([pool.state().longestHoldMs, pool.state().longestWaitMs], [100, 90])
  gone.abort('left')
  await assert.rejects(third, (reason) => reason === 'left')
  assert.equal(pool.state().longestWaitMs, 70)
  pool.release(first)
  await fourth
  assert.deepEqual([pool.state().longestHoldMs, pool.state().longestWaitMs], [90, 0])
})

test('a closed pool rejects those who wait and those who come; sessions in use can be released', async () => {
  const pool = poolOf(1, 10)
  const session = await pool.take()
  const waiting = pool.take()
  pool.close()
  await assert.rejects(waiting, { code: 'shutting_down' })
  await assert.rejects(pool.take(), { code: 'shutting_down' })
  pool.release(session)
  assert.equal(pool.state().busy, 0)
  assert.throws(() => pool.release(session), /released once/)
})

test('a signal that was aborted before takes nothing', async () => {
  const pool = poolOf(1, 10)
  await assert.rejects(pool.take({ signal: AbortSignal.abort('gone') }), (reason) => reason === 'gone')
  assert.equal(pool.state().busy, 0)
})
