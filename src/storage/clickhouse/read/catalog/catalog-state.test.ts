import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { drawSpans, second } from '../../../../../test/support/test-spans.ts'
import { storeRows, temporaryEngine } from '../../../../../test/support/temporary-store.ts'
import { readAttributeValues } from './attributes.ts'
import { readClusters } from './clusters.ts'
import { readNodes } from './nodes.ts'
import { readSystem } from './system.ts'
import { failingErrorRatio, nodeState, staleAfterNs } from './node-state.ts'

const engine = await temporaryEngine({ after })
const origin = 1_795_000_200n * second

/** Two clusters: in `eu` pay fails; in the environment `old` everything ended 20 minutes before the rest. */
const traces = `
web GET 1200s+200ms server @k8s.cluster.name=eu @k8s.pod.name=web-1 @k8s.pod.ip=10.0.0.1 @host.name=n1 @service.version=1.0
  pay charge 1201s+50ms server error @k8s.cluster.name=eu @k8s.pod.name=pay-1 @host.name=n1
    pay INSERT 1201s+10ms client db.system.name=postgresql db.namespace=orders @k8s.cluster.name=eu @k8s.pod.name=pay-1 @host.name=n1
legacy run 0s+1s @deployment.environment=old @service.instance.id=7
pay charge 100s+1ms server @k8s.cluster.name=eu @k8s.pod.name=pay-1 @host.name=n1
lone tick 1190s+1s user.id=7 size=42 share=0.5 retry=true`
const touched = await storeRows(engine, drawSpans(traces, origin))
const facts = { irregular: new Set(['user.id']), resource: new Set(['host.name', 'service.version']) }
const context = { engine, facts, rollups: { dirtyBuckets: () => touched } }
const time = { range: {}, nowNs: origin + 1300n * second }

test('of a range without spans the system is empty', async () => {
  assert.deepEqual(await readSystem(context, { ...time, range: { endNs: origin - second } }), {
    architecture: { services: 0, nodes: 0, clusters: 0, edges: 0 },
    components: [],
    state: 'empty',
  })
})

test('nodes have address, version and cluster', async () => {
  const nodes = await readNodes(context, time)
  const lines = nodes.map(({ type, id, service, address, version, cluster, state }) =>
    [type, id, service, address, version, cluster, state].join(' | '),
  )
  assert.deepEqual(lines.sort(), [
    'database | postgresql/orders |  |  |  |  | up',
    'host | n1 |  |  |  | eu | failing',
    'pod | pay-1 | pay |  |  | eu | failing',
    'pod | web-1 | web | 10.0.0.1 | 1.0 | eu | up',
    'service_instance | 7 | legacy |  |  | old | stale',
    'service_instance | lone | lone |  |  |  | up',
    'service_instance | pay@pay-1 | pay | n1 |  | eu | failing',
    'service_instance | web@web-1 | web | 10.0.0.1 | 1.0 | eu | up',
  ])
})

test('clusters gather their nodes', async () => {
  assert.deepEqual(await readClusters(context, time), [
    { name: '', type: 'none', size: 1, state: 'up', services: ['lone'] },
    { name: 'eu', type: 'k8s_cluster', size: 5, state: 'degraded', services: ['pay', 'web'] },
    { name: 'old', type: 'deployment_environment', size: 1, state: 'stale', services: ['legacy'] },
  ])
})

test('the system is degraded when a component fails in its newest bucket', async () => {
  const system = await readSystem(context, time)
  assert.deepEqual(system.architecture, { services: 4, nodes: 8, clusters: 2, edges: 2 })
  assert.deepEqual(system.components, [
    { name: 'legacy', type: 'service', state: 'stale' },
    { name: 'lone', type: 'service', state: 'up' },
    { name: 'pay', type: 'service', state: 'failing' },
    { name: 'web', type: 'service', state: 'up' },
    { name: 'postgresql/orders', type: 'database', state: 'up' },
  ])
  assert.equal(system.state, 'degraded')
  const earlier = await readSystem(context, { ...time, range: { endNs: origin + 1100n * second } })
  assert.equal(earlier.state, 'up')
})

test('values of dedicated, map and resource keys, most frequent first', async () => {
  const of = async (key: string): Promise<[string, number][]> =>
    (await readAttributeValues(context, { key, range: {}, limit: 5 })).map(({ value, spans }) => [value, spans])
  assert.deepEqual(await of('user.id'), [['7', 1]])
  assert.deepEqual(await of('db.namespace'), [['orders', 1]])
  assert.deepEqual(await of('size'), [['42', 1]])
  assert.deepEqual(await of('share'), [['0.5', 1]])
  assert.deepEqual(await of('retry'), [['true', 1]])
  assert.deepEqual(await of('host.name'), [['n1', 4]])
  assert.deepEqual(await of("no'such"), [])
  assert.deepEqual(
    await readAttributeValues(context, { key: 'host.name', range: { startNs: origin + 1201n * second }, limit: 5 }),
    [{ value: 'n1', spans: 2 }],
  )
})

test('a node goes stale after five minutes, and fails from a fifth of its calls on', () => {
  const seen = { lastSeenNs: 0n, calls: 10, errors: 10 * failingErrorRatio }
  assert.equal(nodeState(seen, staleAfterNs), 'stale')
  assert.equal(nodeState(seen, staleAfterNs - 1n), 'failing')
  assert.equal(nodeState({ ...seen, errors: seen.errors - 1 }, 0n), 'up')
  assert.equal(nodeState({ lastSeenNs: 0n, calls: 0, errors: 0 }, 0n), 'up')
})
