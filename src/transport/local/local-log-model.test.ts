/** Compares random histories of a log with a plain array and map that hold what the log must hold. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LocalLog } from './local-log.ts'
import { commitTo, openLog, readAll, record, temporaryFolder } from '../../../test/support/temporary-log.ts'

const retryWindowMs = 1000

type Step =
  | { readonly do: 'append'; readonly bodies: readonly number[]; readonly paddingBytes: number }
  | { readonly do: 'commit'; readonly consumer: string; readonly part: number; readonly cutRecords: number | undefined }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'read'; readonly part: number }
  | { readonly do: 'reopen' }

const part = fc.double({ min: 0, max: 1, noNaN: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('append' as const),
    bodies: fc.array(fc.nat(60), { minLength: 1, maxLength: 12 }),
    paddingBytes: fc.constantFrom(0, 10, 700, 70_000),
  }),
  fc.record({
    do: fc.constant('commit' as const),
    consumer: fc.constantFrom('a', 'b'),
    part,
    cutRecords: fc.option(fc.nat(9), { nil: undefined }),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(800) }),
  fc.record({ do: fc.constant('read' as const), part }),
  fc.record({ do: fc.constant('reopen' as const) }),
)

class Model {
  readonly bodies: string[] = []
  readonly storedAt = new Map<string, { readonly position: number; readonly atMs: number }>()
  readonly consumers = new Map<string, { next: number; cutEnd: number | undefined }>()
  nowMs = 1_000_000

  append(body: string): { partition: 0; position: number; duplicate: boolean } {
    const known = this.storedAt.get(body)
    if (known !== undefined && this.nowMs - known.atMs <= retryWindowMs) {
      return { partition: 0, position: known.position, duplicate: true }
    }
    const position = this.bodies.push(body) - 1
    this.storedAt.set(body, { position, atMs: this.nowMs })
    return { partition: 0, position, duplicate: false }
  }

  get committed(): number {
    return Math.min(...[...this.consumers.values()].map(({ next }) => next))
  }
}

async function runStep(log: LocalLog, model: Model, each: Step): Promise<void> {
  if (each.do === 'wait') model.nowMs += each.ms
  if (each.do === 'append') {
    const bodies = each.bodies.map((number) => `${number} ${'x'.repeat(each.paddingBytes)}`)
    const answers = await Promise.all(bodies.map((body) => log.append(record(body, { receivedAtMs: model.nowMs }))))
    assert.deepEqual(
      answers,
      bodies.map((body) => model.append(body)),
    )
  }
  if (each.do === 'commit') {
    const state = model.consumers.get(each.consumer)
    assert.ok(state !== undefined)
    state.next += Math.floor(each.part * (model.bodies.length - state.next))
    // A cut beyond the end would move the next position on at reopening.
    const cutEnd = Math.min(state.next + (each.cutRecords ?? 0), model.bodies.length)
    state.cutEnd = each.cutRecords === undefined ? undefined : cutEnd
    await commitTo(log, each.consumer, state.next, state.cutEnd)
  }
  if (each.do === 'read') {
    const from = model.committed + Math.floor(each.part * (model.bodies.length - model.committed))
    await checkContent(log, model, from)
  }
}

async function checkContent(log: LocalLog, model: Model, from: number): Promise<void> {
  const stored = await readAll(log, from)
  assert.deepEqual(
    stored.map(({ position, body }) => [position, Buffer.from(body).toString()]),
    model.bodies.map((body, position) => [position, body]).slice(from),
  )
}

test('any history of appends, retries, commits and reopenings keeps what it must', async (t) => {
  const root = await temporaryFolder(t)
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const dir = join(root, String(run++))
      const model = new Model()
      const open = () => openLog(dir, { segmentBytes: 3000, retryWindowMs, now: () => model.nowMs })
      let log = await open()
      for (const name of ['a', 'b']) model.consumers.set(name, { ...(await log.consumer(name)) })
      for (const each of steps) {
        if (each.do === 'reopen') {
          await log.close()
          log = await open()
          for (const [name, state] of model.consumers) assert.deepEqual(await log.consumer(name), state)
        } else await runStep(log, model, each)
        const { pendingRecords, nextPosition } = log.stats()
        assert.equal(nextPosition, model.bodies.length)
        assert.equal(pendingRecords, model.bodies.length - model.committed)
      }
      await checkContent(log, model, model.committed)
      await log.close()
      await rm(dir, { recursive: true })
    }),
    { numRuns: 60 },
  )
})
