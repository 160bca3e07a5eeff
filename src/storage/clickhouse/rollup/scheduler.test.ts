import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { after, afterEach, beforeEach, test } from 'node:test'
import { drawSpans, second } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import type { Lease } from '../../../model/lease.ts'
import type { Engine, QueryOptions } from '../engine.ts'
import { addStep } from '../lease/lease-steps.ts'
import { readDependencies } from '../read/catalog/dependencies.ts'
import { readServices } from '../read/catalog/services.ts'
import { bucketOf } from './intervals.ts'
import { graceMs, quietMs, staleKeepMs, startRollups, type RollupOptions, type Rollups } from './scheduler.ts'
import { deleteStaleRows } from './stale-rows.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
const first = bucketOf(origin)
/** Past the time in which a span may answer a call of the bucket before. */
const inside = origin + 100n * second
let nowMs = 0
const started: Rollups[] = []

/** As a process that starts now; the one before it is left as it is. */
async function start(options: Partial<RollupOptions> = {}): Promise<Rollups> {
  const rollups = await startRollups({
    engine,
    intervalMs: 1e9,
    now: () => nowMs,
    onProblem: (message, error) => assert.fail(`${message}: ${String(error)}`),
    ...options,
  })
  started.push(rollups)
  return rollups
}

afterEach(() => Promise.all(started.splice(0).map((rollups) => rollups.stop())))

/** What readers would see of the rolled-up rows alone. */
const rolledOnly = { engine, rollups: { dirtyBuckets: () => new Set<number>() } }

async function rolledSpans(): Promise<Record<string, number>> {
  return Object.fromEntries((await readServices(rolledOnly, {})).map(({ name, spans }) => [name, spans]))
}

async function rowsOf(table: string): Promise<number> {
  const [row] = await engine.query<[string]>(`SELECT count() FROM ${table}`)
  return Number(row![0])
}

/** The engine deletes rows in the background. */
async function untilRows(table: string, count: number): Promise<void> {
  for (let tries = 0; tries < 200 && (await rowsOf(table)) !== count; tries++) await setTimeout(50)
  assert.equal(await rowsOf(table), count)
}

const call = `
web GET 0s+200ms server
  web call 10ms+150ms client
    cart reserve 20ms+100ms server error`

beforeEach(async () => {
  await emptyStore(engine)
  nowMs = Number(origin / 1_000_000n)
})

test('a bucket is rolled up once it has closed and its grace is over, and is dirty until then', async () => {
  const rollups = await start()
  rollups.touch(await storeRows(engine, drawSpans(call, inside)))
  assert.deepEqual([...rollups.dirtyBuckets()], [first])
  nowMs += 300_000 + graceMs - 1
  assert.equal(await rollups.runDue(), 0)
  assert.deepEqual(await rolledSpans(), {})
  nowMs += 1
  assert.equal(await rollups.runDue(), 1)
  assert.deepEqual([...rollups.dirtyBuckets()], [])
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
})

test('late spans make a bucket dirty again, and its new figures replace the old ones', async () => {
  const rollups = await start()
  rollups.touch(await storeRows(engine, drawSpans(call, inside)))
  nowMs += 400_000
  await rollups.runDue()
  rollups.touch(await storeRows(engine, drawSpans('web GET 0s+1ms server', inside + second, { next: 50 })))
  assert.deepEqual([...rollups.dirtyBuckets()], [first])
  nowMs += quietMs
  await rollups.runDue()
  assert.deepEqual(await rolledSpans(), { web: 3, cart: 1 })
})

test('a bucket that late spans keep touching waits for quiet, but a minute at most', async () => {
  const rollups = await start()
  rollups.touch(await storeRows(engine, drawSpans(call, inside)))
  nowMs += 300_000 + graceMs
  const graceOverMs = nowMs
  let runs = 0
  while (runs === 0) {
    rollups.touch([first])
    nowMs += quietMs - 1
    runs = await rollups.runDue()
  }
  assert.ok(nowMs - graceOverMs >= 60_000 && nowMs - graceOverMs < 60_000 + quietMs, `${nowMs - graceOverMs}`)
})

test('running again over the same rows changes nothing', async () => {
  const rollups = await start()
  const touched = await storeRows(engine, drawSpans(call, origin + second))
  for (let run = 0; run < 3; run++) {
    rollups.touch(touched)
    nowMs += 400_000
    await rollups.runDue()
  }
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
  const edges = await readDependencies(rolledOnly, {})
  assert.deepEqual(
    edges.map(({ parent, child, calls, errors }) => [parent, child, calls, errors]),
    [['web', 'cart', 1, 1]],
  )
})

test('rows of older generations are deleted when no query can read them any more', async () => {
  const rollups = await start()
  const touched = await storeRows(engine, drawSpans(call, origin + second))
  rollups.touch(touched)
  nowMs += 400_000
  await rollups.runDue()
  const rows = await rowsOf('operations')
  rollups.touch(touched)
  nowMs += quietMs
  await rollups.runDue()
  assert.equal(await rowsOf('operations'), rows * 2)
  nowMs += staleKeepMs
  await rollups.runDue()
  await untilRows('operations', rows)
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
})

test('a start finds buckets that nobody rolled up, and those whose spans came after', async () => {
  await storeRows(engine, drawSpans(call, origin + second))
  nowMs += 400_000
  const before = await start()
  assert.deepEqual([...before.dirtyBuckets()], [first])
  nowMs += quietMs
  await before.runDue()
  assert.deepEqual([...(await start()).dirtyBuckets()], [])
  await storeRows(engine, drawSpans('web GET 300s+1ms server', origin, { next: 60 }))
  await storeRows(engine, drawSpans('web GET 3s+1ms server', origin, { next: 70 }))
  assert.deepEqual(
    [...(await start()).dirtyBuckets()].sort((a, b) => a - b),
    [first, first + 300],
  )
})

test('what a crash left before the generation counted is never read and goes away at the next start', async () => {
  const rollups = await start()
  rollups.touch(await storeRows(engine, drawSpans(call, origin + second)))
  nowMs += 400_000
  await rollups.runDue()
  const rows = await rowsOf('operations')
  const [newest] = await engine.query<[string]>('SELECT max(generation) FROM operations')
  await engine.execute(
    `INSERT INTO operations SELECT * REPLACE (generation + 5 AS generation, calls + 7 AS calls) FROM operations`,
  )
  await engine.execute(
    `INSERT INTO service_figures SELECT * REPLACE (generation + 5 AS generation) FROM service_figures`,
  )
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
  const again = await start()
  await untilRows('operations', rows)
  assert.deepEqual([...again.dirtyBuckets()], [])
  // A clock that went back must not make a generation that counts less than the one before.
  nowMs = 5_000_000
  again.touch([first])
  nowMs += 1_795_000_600_000
  await again.runDue()
  const [now] = await engine.query<[string]>('SELECT max(generation) FROM rollup_buckets')
  assert.ok(BigInt(now![0]) > BigInt(newest![0]))
})

test('a bucket whose rows were dropped has no figures left', async () => {
  const rollups = await start()
  rollups.touch(await storeRows(engine, drawSpans(call, origin + second)))
  nowMs += 400_000
  await rollups.runDue()
  for (const table of ['spans', 'traces']) await engine.execute(`TRUNCATE TABLE ${table}`)
  await rollups.checkStored()
  nowMs += quietMs
  await rollups.runDue()
  assert.deepEqual(await rolledSpans(), {})
  nowMs += staleKeepMs
  await rollups.runDue()
  await untilRows('rollup_buckets', 0)
  assert.deepEqual([...(await start()).dirtyBuckets()], [])
})

test('a parent that comes late gives its edges to the children in the buckets it lasts through', async () => {
  const rollups = await start()
  const spans = drawSpans(
    `
job run 0s+900s
  cart reserve 310s+1s server
  stock count 650s+1s server`,
    origin,
  )
  rollups.touch(await storeRows(engine, spans.slice(1)))
  nowMs += 2_000_000
  await rollups.runDue()
  assert.deepEqual(await readDependencies(rolledOnly, {}), [])
  rollups.touch(await storeRows(engine, spans.slice(0, 1)))
  nowMs += quietMs
  await rollups.runDue()
  const edges = await readDependencies(rolledOnly, {})
  assert.deepEqual(
    edges.map(({ parent, child, calls }) => [parent, child, calls]),
    [
      ['job', 'cart', 1],
      ['job', 'stock', 1],
    ],
  )
})

const callAcross = `
web call 299s+1s client peer.service=bank
  cart reserve 310s+30s server`

async function rolledEdges(): Promise<string[]> {
  return (await readDependencies(rolledOnly, {})).map(({ parent, child, calls }) => `${parent} ${child} ${calls}`)
}

test('a bucket waits for the answers to its last calls', async () => {
  const rollups = await start()
  const [client, server] = drawSpans(callAcross, origin).map((span) => [span])
  rollups.touch(await storeRows(engine, client!))
  nowMs += 345_000
  rollups.touch(await storeRows(engine, server!))
  await rollups.runDue()
  assert.deepEqual(await rolledEdges(), [])
  nowMs += 25_000
  await rollups.runDue()
  assert.deepEqual(await rolledEdges(), [])
})

test('an answer that comes late into an open bucket corrects the one before, also across a restart', async () => {
  for (const isRestarted of [false, true]) {
    await emptyStore(engine)
    nowMs = Number(origin / 1_000_000n)
    let rollups = await start()
    const [client, server] = drawSpans(callAcross, origin).map((span) => [span])
    rollups.touch(await storeRows(engine, client!))
    nowMs += 300_000 + graceMs
    await rollups.runDue()
    assert.deepEqual(await rolledEdges(), ['web bank 1'])
    const touched = await storeRows(engine, server!)
    if (isRestarted) rollups = await start()
    else rollups.touch(touched)
    nowMs += quietMs
    await rollups.runDue()
    assert.deepEqual(await rolledEdges(), [])
  }
})

test('spans of wrong clocks count like all others, in every range that holds them', async () => {
  const rollups = await start()
  const times = [-1n, 0n, origin, origin + 7_200n * second, 7_000_000_000n * second, (1n << 63n) - 2n]
  const spans = times.flatMap((time, i) => drawSpans('web GET 0s+1ms server', time, { next: 100 + i }))
  rollups.touch(await storeRows(engine, spans))
  const context = { engine, rollups }
  const counted = async (range: { startNs?: bigint; endNs?: bigint }): Promise<number> =>
    (await readServices(context, range))[0]?.spans ?? 0
  for (const rolled of [false, true]) {
    if (rolled) await rollups.runDue()
    assert.equal(await counted({}), times.length)
    for (const [i, time] of times.entries()) {
      assert.equal(await counted({ endNs: time }), i, `before ${time}`)
      assert.equal(await counted({ startNs: time }), times.length - i, `from ${time}`)
      if (time < 1n << 62n) assert.equal(await counted({ startNs: time, endNs: time + 1n }), 1, `at ${time}`)
    }
    nowMs += 8_000_000
  }
  assert.deepEqual([...(await start()).dirtyBuckets()], [])
})

test("a server span that shares its client's id has its own children, and the client is answered", async () => {
  const rollups = await start()
  const client = drawSpans('web call 0s+100ms client peer.service=cart', origin + second)[0]!
  const server = { ...client, service: 'cart', name: 'reserve', kind: 2, attributes: {} }
  const below = {
    ...client,
    service: 'cart',
    spanId: '00000000000000bb',
    parentSpanId: client.spanId,
    kind: 1,
    attributes: {},
  }
  const root = { ...client, spanId: '00000000000000cc', kind: 2, attributes: {} }
  const spans = [root, ...[client, server].map((span) => ({ ...span, parentSpanId: root.spanId })), below]
  rollups.touch(await storeRows(engine, spans))
  const edges = await readDependencies({ engine, rollups }, {})
  assert.deepEqual(
    edges.map(({ parent, child, calls }) => [parent, child, calls]),
    [['web', 'cart', 1]],
  )
})

test('a consumer that only links to its producer is called by it, whichever bucket either starts in', async () => {
  const rollups = await start()
  const queue = 'messaging.system=kafka messaging.destination.name=orders'
  const produced = drawSpans(`shop send 299s+1ms producer ${queue}\nshop send 299s+2ms producer ${queue}`, origin)
  const consumed = drawSpans(`billing process 301s+1s consumer error link=1 link=2 link=99`, origin, { next: 3 })
  const edgesNow = async () =>
    (await readDependencies(rolledOnly, {})).map(({ parent, child, calls, errors }) => [parent, child, calls, errors])

  rollups.touch(await storeRows(engine, produced))
  nowMs += 2_000_000
  await rollups.runDue()
  assert.deepEqual(await edgesNow(), [['shop', 'kafka/orders', 2, 0]])

  rollups.touch(await storeRows(engine, consumed))
  nowMs += quietMs
  await rollups.runDue()
  assert.deepEqual(await edgesNow(), [['shop', 'billing', 1, 1]])
})

test('a link within a trace, of another kind than consumer, or to no producer, makes no edge', async () => {
  const rollups = await start()
  const spans = drawSpans(
    `
shop send 0s+1s producer peer.service=queue
  shop wait 1ms+1ms
    shop note 1ms+1ms
      billing read 2ms+1ms consumer link=1
audit look 3s+1s server link=1
web get 4s+1s server
mail post 5s+1s consumer link=6`,
    origin,
  )
  rollups.touch(await storeRows(engine, spans))
  nowMs += 2_000_000
  await rollups.runDue()
  assert.deepEqual(
    (await readDependencies(rolledOnly, {})).map(({ parent, child, calls }) => [parent, child, calls]),
    [
      ['shop', 'billing', 1],
      ['shop', 'queue', 1],
    ],
  )
})

/** Above what tests before it made; each one is a later holder. */
let leaseGeneration = 2 ** 31

function leaseInHand(): Lease & { lose(): void } {
  const lost = new AbortController()
  return {
    name: 'upkeep',
    generation: leaseGeneration++,
    isHeld: () => !lost.signal.aborted,
    lost: lost.signal,
    release: () => Promise.resolve(),
    lose: () => lost.abort(),
  }
}

/** The engine of a process where something happens right before its statements that begin with `start`. */
function engineBefore(start: string, happens: () => unknown): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'execute') return typeof value === 'function' ? value.bind(target) : value
      return async (sql: string, options?: QueryOptions) => {
        if (sql.startsWith(start)) await happens()
        await engine.execute(sql, options)
      }
    },
  })
}

test('a run that loses its lease names no generation, and the next holder rolls up what it left', async () => {
  const lease = leaseInHand()
  const rollups = await start({ lease, engine: engineBefore('INSERT INTO edges', () => lease.lose()) })
  rollups.touch(await storeRows(engine, drawSpans(call, origin + second)))
  nowMs += 400_000
  await rollups.runDue()
  assert.ok((await rowsOf('operations')) > 0, 'it was in the middle')
  assert.deepEqual([await rolledSpans(), await rowsOf('rollup_buckets')], [{}, 0])
  const next = await start({ lease: leaseInHand() })
  assert.deepEqual([...next.dirtyBuckets()], [first])
  nowMs += quietMs
  await next.runDue()
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
})

test('a holder that stood still before it named its generation names nothing once another got the lease', async () => {
  const touched = await storeRows(engine, drawSpans(call, origin + second))
  const late = leaseInHand()
  const next = leaseInHand()
  const rollups = await start({
    lease: late,
    engine: engineBefore('INSERT INTO rollup_buckets', () =>
      addStep(engine, {
        name: 'upkeep',
        step: 1,
        generation: next.generation,
        lastGeneration: 0,
        claim: 'next',
        ttlMs: 1,
        released: false,
      }),
    ),
  })
  rollups.touch(touched)
  nowMs += 400_000
  await rollups.runDue()
  assert.ok(late.isHeld(), 'it does not know')
  assert.deepEqual([await rolledSpans(), await rowsOf('rollup_buckets')], [{}, 0])
  const after = await start({ lease: next })
  nowMs += quietMs
  await after.runDue()
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
})

test('rows that count are not deleted by a holder that believes they do not', async () => {
  const rollups = await start()
  rollups.touch(await storeRows(engine, drawSpans(call, origin + second)))
  nowMs += 400_000
  await rollups.runDue()
  const [valid] = await engine.query<[string]>('SELECT max(generation) FROM rollup_buckets')
  await deleteStaleRows(engine, [{ bucket: first, generation: BigInt(valid![0]), empty: false, sinceMs: 0 }])
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
})

test('an owner that does not write finds what others stored, and the buckets that it changed', async () => {
  const rollups = await start({ othersWrite: true })
  await storeRows(engine, drawSpans(call, inside))
  nowMs += 300_000 + graceMs - 1
  await rollups.runDue()
  assert.deepEqual([...rollups.dirtyBuckets()], [], 'an open bucket is left for later')
  nowMs += 1
  await rollups.runDue()
  assert.deepEqual([...rollups.dirtyBuckets()], [first])
  nowMs += quietMs
  assert.equal(await rollups.runDue(), 1)
  assert.deepEqual(await rolledSpans(), { web: 2, cart: 1 })
  assert.equal(await rollups.runDue(), 0, 'nothing came since')

  await storeRows(engine, drawSpans('web GET 0s+1ms server', inside + second, { next: 50 }))
  await rollups.runDue()
  nowMs += quietMs
  await rollups.runDue()
  assert.deepEqual(await rolledSpans(), { web: 3, cart: 1 }, 'late spans')
})

test('an owner that does not write corrects the bucket before, and those that a late span lasts into', async () => {
  const rollups = await start({ othersWrite: true })
  const rollUp = async (): Promise<void> => {
    await rollups.runDue()
    nowMs += quietMs
    await rollups.runDue()
  }
  const [client, server] = drawSpans(callAcross, origin).map((span) => [span])
  await storeRows(engine, client!)
  nowMs += 300_000 + graceMs
  await rollUp()
  assert.deepEqual(await rolledEdges(), ['web bank 1'])
  await storeRows(engine, server!)
  nowMs += 300_000
  await rollUp()
  assert.deepEqual(await rolledEdges(), ['web cart 1'])

  const lasting = drawSpans('job run 0s+900s\n  stock count 650s+1s server', origin, { next: 80 })
  await storeRows(engine, lasting.slice(1))
  nowMs += 600_000
  await rollUp()
  assert.deepEqual(await rolledEdges(), ['web cart 1'])
  await storeRows(engine, lasting.slice(0, 1))
  await rollUp()
  assert.deepEqual((await rolledEdges()).sort(), ['job stock 1', 'web cart 1'])
})
