/** What every `Reader` must answer about the whole: services, who calls whom, nodes, clusters, the system, attributes. */
import assert from 'node:assert/strict'
import { drawSpans, second } from '../support/test-spans.ts'
import { assertCancelled, origin, type ContractTest, type ReaderSubject } from './reader.ts'

/** Two clusters: in `eu` pay fails; in the environment `old` everything ended 20 minutes before the rest. */
const drawn = `
web GET 1200s+200ms server @k8s.cluster.name=eu @k8s.pod.name=web-1 @k8s.pod.ip=10.0.0.1 @host.name=n1 @service.version=1.0
  web call 1201s+60ms client @k8s.cluster.name=eu @k8s.pod.name=web-1 @k8s.pod.ip=10.0.0.1 @host.name=n1 @service.version=1.0
    pay charge 1201s+50ms server error @k8s.cluster.name=eu @k8s.pod.name=pay-1 @host.name=n1
      pay INSERT 1201s+10ms client db.system.name=postgresql db.namespace=orders @k8s.cluster.name=eu @k8s.pod.name=pay-1 @host.name=n1
legacy run 0s+1s @deployment.environment=old @service.instance.id=7
pay charge 100s+1ms server @k8s.cluster.name=eu @k8s.pod.name=pay-1 @host.name=n1
lone tick 1190s+1s user.id=7 size=42 share=0.5 retry=true`
const time = { range: {}, nowNs: origin + 1300n * second }

async function services(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const { reader } = subject
  assert.deepEqual(
    (await reader.readServices({})).map(({ name, calls, errors, spans }) => [name, calls, errors, spans]),
    [
      ['legacy', 1, 0, 1],
      ['lone', 1, 0, 1],
      ['pay', 2, 1, 3],
      ['web', 1, 0, 2],
    ],
  )
  const pay = await reader.readOperations('pay', {})
  assert.deepEqual(
    pay.map(({ name, kind, calls, errors, totalNs }) => [name, kind, calls, errors, totalNs]),
    [
      ['charge', 2, 2, 1, 51_000_000n],
      ['INSERT', 3, 1, 0, 10_000_000n],
    ],
  )
  assert.deepEqual(await reader.readOperations('nobody', {}), [])
  const edges = await reader.readDependencies({})
  assert.deepEqual(
    edges.map(({ parent, child, childType, calls, errors }) => [parent, child, childType, calls, errors]),
    [
      ['pay', 'postgresql/orders', 'database', 1, 0],
      ['web', 'pay', 'service', 1, 1],
    ],
  )
}

async function ofRange(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const range = { startNs: origin + 99n * second, endNs: origin + 101n * second }
  const found = await subject.reader.readServices(range)
  assert.deepEqual(
    found.map(({ name, calls }) => [name, calls]),
    [['pay', 1]],
  )
  assert.equal(found[0]!.lastSeenNs, origin + 100n * second)
  // What comes next is there at once.
  await subject.store(drawSpans('pay charge 100s+1ms server', origin, { next: 50 }))
  assert.equal((await subject.reader.readServices(range))[0]!.calls, 2)
}

async function nodes(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const found = await subject.reader.readNodes(time)
  const lines = found.map(({ type, id, service, address, version, cluster, state }) =>
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
  assert.deepEqual(await subject.reader.readClusters(time), [
    { name: '', type: 'none', size: 1, state: 'up', services: ['lone'] },
    { name: 'eu', type: 'k8s_cluster', size: 5, state: 'degraded', services: ['pay', 'web'] },
    { name: 'old', type: 'deployment_environment', size: 1, state: 'stale', services: ['legacy'] },
  ])
}

async function system(subject: ReaderSubject): Promise<void> {
  const { reader } = subject
  assert.deepEqual(await reader.readSystem(time), {
    architecture: { services: 0, nodes: 0, clusters: 0, edges: 0 },
    components: [],
    state: 'empty',
  })
  await subject.store(drawSpans(drawn, origin))
  const found = await reader.readSystem(time)
  assert.deepEqual(found.architecture, { services: 4, nodes: 8, clusters: 2, edges: 2 })
  assert.deepEqual(found.components, [
    { name: 'legacy', type: 'service', state: 'stale' },
    { name: 'lone', type: 'service', state: 'up' },
    { name: 'pay', type: 'service', state: 'failing' },
    { name: 'web', type: 'service', state: 'up' },
    { name: 'postgresql/orders', type: 'database', state: 'up' },
  ])
  assert.equal(found.state, 'degraded')
  const earlier = await reader.readSystem({ ...time, range: { endNs: origin + 1100n * second } })
  assert.equal(earlier.state, 'up')
}

/** A service that sends only log records is a component as well. */
async function systemOfEvents(subject: ReaderSubject): Promise<void> {
  const sent = (service: string, at: bigint): Parameters<ReaderSubject['store']>[1] => [
    { timeNs: origin + at * second, service, body: 'up', resource: { 'host.name': 'n1' } },
  ]
  await subject.store([], sent('router', 1290n))
  const alone = await subject.reader.readSystem(time)
  assert.deepEqual(alone.components, [{ name: 'router', type: 'service', state: 'up' }])
  assert.equal(alone.state, 'up')
  assert.equal(alone.architecture.services, 1)
  await subject.store(drawSpans(drawn, origin), [...sent('pay', 1290n)!, ...sent('ghost', 3n)!])
  const beside = await subject.reader.readSystem(time)
  assert.deepEqual(
    beside.components.map(({ name, state }) => `${name} ${state}`),
    ['ghost stale', 'legacy stale', 'lone up', 'pay failing', 'router up', 'web up', 'postgresql/orders up'],
  )
}

async function attributes(subject: ReaderSubject): Promise<void> {
  await subject.store(drawSpans(drawn, origin))
  const { reader } = subject
  const keys = await reader.readAttributeKeys({})
  const spansOf = (scope: string, key: string): number | undefined =>
    keys.find((found) => found.scope === scope && found.key === key)?.spans
  assert.deepEqual(
    [spansOf('span', 'db.namespace'), spansOf('span', 'size'), spansOf('resource', 'host.name')],
    [1, 1, 5],
  )
  const of = async (key: string, range = {}): Promise<[string, number][]> =>
    (await reader.readAttributeValues({ key, range, limit: 5 })).map(({ value, spans }) => [value, spans])
  assert.deepEqual(await of('user.id'), [['7', 1]])
  assert.deepEqual(await of('db.namespace'), [['orders', 1]])
  assert.deepEqual(await of('size'), [['42', 1]])
  assert.deepEqual(await of('share'), [['0.5', 1]])
  assert.deepEqual(await of('retry'), [['true', 1]])
  assert.deepEqual(await of('host.name'), [['n1', 5]])
  assert.deepEqual(await of("no'such"), [])
  assert.deepEqual(await of('host.name', { startNs: origin + 1201n * second }), [['n1', 3]])
}

async function valuesOnBoth(subject: ReaderSubject): Promise<void> {
  const { reader } = subject
  await subject.store(
    drawSpans(
      `
web a 0s+1s zone=eu peer.service=bank @zone=eu @peer.service=bank
web b 1s+1s zone=us @zone=eu
web c 2s+1s @zone=eu @peer.service=bank
web d 3s+1s zone=eu`,
      origin,
    ),
  )
  const of = async (key: string): Promise<[string, number][]> =>
    (await reader.readAttributeValues({ key, range: {}, limit: 5 })).map(({ value, spans }) => [value, spans])
  assert.deepEqual(await of('zone'), [
    ['eu', 4],
    ['us', 1],
  ])
  assert.deepEqual(await of('peer.service'), [['bank', 2]])
}

async function cancelled({ reader }: ReaderSubject): Promise<void> {
  await assertCancelled((options) => reader.readServices({}, options))
  await assertCancelled((options) => reader.readOperations('web', {}, options))
  await assertCancelled((options) => reader.readDependencies({}, options))
}

async function cancelledNodes({ reader }: ReaderSubject): Promise<void> {
  await assertCancelled((options) => reader.readNodes(time, options))
  await assertCancelled((options) => reader.readClusters(time, options))
  await assertCancelled((options) => reader.readSystem(time, options))
}

async function cancelledAttributes({ reader }: ReaderSubject): Promise<void> {
  await assertCancelled((options) => reader.readAttributeKeys({}, options))
  await assertCancelled((options) => reader.readAttributeValues({ key: 'size', range: {}, limit: 5 }, options))
}

export const figureQuestions: readonly ContractTest[] = [
  { name: 'services, operations and who calls whom', needs: 'figures', run: services },
  { name: 'figures are of the range, and of what came last', needs: 'figures', run: ofRange },
  { name: 'figures can be cancelled', needs: 'figures', run: cancelled },
  { name: 'nodes have address, version and cluster, and clusters gather them', needs: 'nodes', run: nodes },
  { name: 'the system is degraded when a component fails in its newest bucket', needs: 'nodes', run: system },
  { name: 'what sends only events is a component', needs: 'nodes', run: systemOfEvents },
  { name: 'nodes can be cancelled', needs: 'nodes', run: cancelledNodes },
  { name: 'attributes can be cancelled', needs: 'attributes', run: cancelledAttributes },
  { name: 'attribute keys in use and their values', needs: 'attributes', run: attributes },
  { name: 'a span whose resource has the same value counts once for it', needs: 'attributes', run: valuesOnBoth },
]
