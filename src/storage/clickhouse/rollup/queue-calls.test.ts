/** Edges over a queue that neither parents nor links tell. */
import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { drawSpans, second } from '../../../../test/support/test-spans.ts'
import { emptyStore, storeRows, temporaryEngine } from '../../../../test/support/temporary-store.ts'
import { readDependencies } from '../read/catalog/dependencies.ts'
import { edgeOptionsSql } from './edges-sql.ts'
import { startRollups, type Rollups } from './scheduler.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second
let rollups: Rollups
let nowMs = 0
beforeEach(async () => {
  await emptyStore(engine)
  nowMs = Number(origin / 1_000_000n) + 3_600_000
  rollups = await startRollups({
    engine,
    intervalMs: 1e9,
    now: () => nowMs,
    onProblem: (message, error) => assert.fail(`${message}: ${String(error)}`),
  })
})

const orders = 'messaging.system=kafka messaging.destination.name=orders'

/** Edges of all that is drawn, the same before and after it is rolled up. */
async function edges(drawn: string): Promise<unknown[]> {
  rollups.touch(await storeRows(engine, drawSpans(drawn, origin)))
  const read = async (): Promise<unknown[]> =>
    (await readDependencies({ engine, rollups }, {}))
      .filter(({ childType }) => childType === 'service')
      .map(({ parent, child, calls, errors }) => [parent, child, calls, errors])
  const open = await read()
  nowMs += 60_000
  assert.ok((await rollups.runDue()) > 0)
  assert.deepEqual(await read(), open)
  return open
}

test('a consumer that begins a trace is called by the last producer of its queue', async () => {
  const found = await edges(`
web send 1s+1ms producer ${orders}
app send 2s+1ms producer ${orders}
app send 3s+1ms producer messaging.system=kafka messaging.destination.name=mails
app send 3s+1ms producer messaging.system=rabbitmq messaging.destination.name=orders
billing process 1500ms+1s consumer ${orders}
billing process 3s+1s consumer ${orders}
billing process 4s+1s consumer error ${orders}`)
  assert.deepEqual(found, [
    ['app', 'billing', 2, 1],
    ['web', 'billing', 1, 0],
  ])
})

test('a message may wait five minutes, also over the end of a bucket, and comes after it was sent', async () => {
  const found = await edges(`
web send 200s+1ms producer ${orders}
billing process 499s+1s consumer ${orders}
audit process 501s+1s consumer ${orders}
early process 199s+1s consumer ${orders}`)
  assert.deepEqual(found, [['web', 'billing', 1, 0]])
})

test('a parent or a link says more than the queue, and no call is counted twice', async () => {
  const found = await edges(`
web send 1s+1ms producer ${orders}
app send 2s+1ms producer ${orders}
  billing process 3s+1s consumer ${orders}
audit process 4s+1s consumer ${orders} link=1
app process 5s+1s consumer ${orders}`)
  assert.deepEqual(found, [
    ['app', 'billing', 1, 0],
    ['web', 'audit', 1, 0],
  ])
})

test('a store without queues, links and old names is not asked for them', async () => {
  const interval = [{ fromNs: origin, toNs: origin + 300n * second }]
  const options = async (drawn: string): Promise<unknown[]> => {
    await storeRows(engine, drawSpans(drawn, origin))
    return (await engine.query<(string | number)[]>(edgeOptionsSql(interval)))[0]!.map(Number)
  }
  assert.deepEqual(await options('web send 1s+1ms producer net.peer.port=1'), [0, 0, 0])
  assert.deepEqual(await options(`billing process 2s+1s consumer ${orders}`), [0, 0, 1])
  assert.deepEqual(await options('web send 3s+1ms producer\nbilling process 4s+1s consumer link=1'), [0, 1, 1])
  assert.deepEqual(await options('web call 5s+1ms client net.peer.name=x'), [1, 1, 1])
})
