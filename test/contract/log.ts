/** What every log must do (src/model/log.ts), whatever it is made of. `open` opens the same log again after it was closed. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Assignment, AssignmentListener, Log, Partition, Position, StoredRecord } from '../../src/model/log.ts'
import { readAll, record, temporaryFolder } from '../support/temporary-log.ts'

/** A consumer that keeps what it is told. */
class Member implements AssignmentListener {
  readonly held = new Map<Partition, Assignment>()
  readonly grownTo = new Map<Partition, number>()

  assigned(assignment: Assignment): void {
    assert.ok(!this.held.has(assignment.partition), 'a partition is not assigned twice')
    assert.ok(!assignment.lost.aborted)
    this.held.set(assignment.partition, assignment)
  }

  revoked(partition: Partition): Promise<void> {
    assert.ok(this.held.get(partition)!.lost.aborted, 'a partition is lost before it is revoked')
    this.held.delete(partition)
    return Promise.resolve()
  }

  grown(partition: Partition, end: Position): void {
    this.grownTo.set(partition, Math.max(end, this.grownTo.get(partition) ?? 0))
  }
}

async function appendMany(log: Log, count: number, prefix = 'body'): Promise<Map<string, string>> {
  const places = new Map<string, string>()
  for (let n = 0; n < count; n++) {
    const { partition, position } = await log.append(record(`${prefix} ${n}`))
    places.set(`${prefix} ${n}`, `${partition}/${position}`)
  }
  return places
}

const textOf = ({ body }: StoredRecord): string => Buffer.from(body).toString()

async function assignmentsOf(log: Log, name: string): Promise<Assignment[]> {
  const member = new Member()
  const consumer = await log.consume(name, member)
  const assignments = [...member.held.values()].sort((a, b) => a.partition - b.partition)
  await consumer.leave()
  return assignments
}

interface Opened {
  readonly log: Log
  /** Closes it and opens it again. */
  readonly again: () => Promise<Log>
}

const cases: readonly (readonly [what: string, run: (opened: Opened) => Promise<void>])[] = [
  [
    'records are read whole, in the order of their positions, from any position on',
    async ({ log }) => {
      const places = await appendMany(log, 40)
      const found = new Map<string, string>()
      for (const { partition } of await assignmentsOf(log, 'a')) {
        const records = await readAll(log, 0, partition)
        const positions = records.map(({ position }) => position)
        assert.deepEqual(
          positions,
          [...new Set(positions)].sort((a, b) => a - b),
        )
        if (log.capabilities.densePositions) assert.equal(positions.at(-1), positions[0]! + positions.length - 1)
        for (const each of records) {
          assert.deepEqual([each.partition, each.codec, each.signal], [partition, 'otlp-protobuf', 'spans'])
          found.set(textOf(each), `${partition}/${each.position}`)
        }
        const middle = positions[Math.floor(positions.length / 2)]!
        const rest = await readAll(log, middle + 1, partition)
        assert.deepEqual(
          rest.map(({ position }) => position),
          positions.filter((position) => position > middle),
        )
      }
      assert.deepEqual(found, places)
    },
  ],

  [
    "a client's retry is recognised, if the log says that it can",
    async ({ log }) => {
      const first = await log.append(record('again'))
      const second = await log.append(record('again'))
      assert.equal(first.duplicate, false)
      assert.equal(second.duplicate, log.capabilities.detectsRetries)
      if (second.duplicate) assert.deepEqual([second.partition, second.position], [first.partition, first.position])
      const never = await log.append(record('again', { retryable: false }))
      assert.equal(never.duplicate, false, 'a sender that never repeats itself means both')
    },
  ],

  [
    'what a consumer committed is there after the log was opened again, for each name of its own',
    async ({ log, again }) => {
      await appendMany(log, 30)
      const member = new Member()
      const consumer = await log.consume('a', member)
      const wanted = new Map<Partition, unknown>()
      for (const { partition, state, end } of member.held.values()) {
        assert.equal(state.cutEnd, undefined, 'a new consumer has no cut')
        const [, second] = await readAll(log, state.next, partition)
        const committed = { next: (second!.position + 1) as Position, cutEnd: end }
        await consumer.commit(partition, { ...committed, cutEnd: undefined })
        await consumer.commit(partition, committed)
        wanted.set(partition, committed)
      }
      const reopened = await again()
      const states = (await assignmentsOf(reopened, 'a')).map(
        ({ partition, state }) => [partition, { ...state }] as const,
      )
      assert.deepEqual(new Map(states), wanted)
      for (const { partition, state } of await assignmentsOf(reopened, 'b')) {
        assert.deepEqual(await readAll(reopened, state.next, partition), await readAll(reopened, 0, partition))
      }
    },
  ],

  [
    'each partition has one consumer at a time, also while others join and leave',
    async ({ log }) => {
      await appendMany(log, 20)
      const all = (await assignmentsOf(log, 'a')).map(({ partition }) => partition)
      const [first, second] = [new Member(), new Member()]
      const one = await log.consume('a', first)
      const lostBefore = first.held.get(all[0]!)!
      const two = await log.consume('a', second)
      const shared = (): Partition[] => [...first.held.keys(), ...second.held.keys()].sort((a, b) => a - b)
      assert.deepEqual(shared(), all)
      await one.leave()
      assert.ok(lostBefore.lost.aborted)
      assert.deepEqual([[...first.held.keys()], shared()], [[], all])
      const { state } = second.held.get(all[0]!)!
      await assert.rejects(one.commit(all[0]!, state), { name: 'UnavailableError' }, 'who lost it cannot commit')
      await two.commit(all[0]!, state)
      await two.leave()
      assert.deepEqual(shared(), [])
    },
  ],

  [
    'what comes later can be read up to the end that the consumer knows',
    async ({ log }) => {
      await appendMany(log, 5, 'before')
      const member = new Member()
      const consumer = await log.consume('a', member)
      const ends = new Map([...member.held].map(([partition, { end }]) => [partition, end as number]))
      const before = await Promise.all([...ends].map(([partition]) => readAll(log, 0, partition)))
      for (const [i, [, end]] of [...ends].entries()) assert.ok(before[i]!.every(({ position }) => position < end))
      for (let n = 0; n < 10; n++) {
        const { partition, position } = await log.append(record(`later ${n}`))
        assert.ok(position >= ends.get(partition)!)
        assert.equal(textOf((await readAll(log, position, partition))[0]!), `later ${n}`)
      }
      await consumer.leave()
    },
  ],

  [
    'parts of records are those bytes, if the log reads parts',
    async ({ log }) => {
      if (log.readRanges === undefined) return
      const { position } = await log.append(record('0123456789'))
      const parts = await log.readRanges([
        {
          position,
          ranges: [
            [1, 3],
            [7, 10],
          ],
        },
      ])
      assert.deepEqual(
        parts?.[0]?.map((part) => Buffer.from(part).toString()),
        ['12', '789'],
      )
    },
  ],

  [
    'a closed log takes nothing more',
    async ({ log }) => {
      await log.append(record('last'))
      await log.close()
      await assert.rejects(log.append(record('too late')), { name: 'UnavailableError' })
    },
  ],
]

export function testLog(what: string, open: (dir: string) => Promise<Log>): void {
  for (const [must, run] of cases) test(`${what}: ${must}`, async (t) => run(await openFor(t, open)))
}

async function openFor(t: TestContext, open: (dir: string) => Promise<Log>): Promise<Opened> {
  const dir = await temporaryFolder(t)
  const log = await open(dir)
  t.after(() => log.close())
  const again = async (): Promise<Log> => {
    await log.close()
    const next = await open(dir)
    t.after(() => next.close())
    return next
  }
  return { log, again }
}
