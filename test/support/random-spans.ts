/** Random traces for property tests of the store (fast-check): several services and buckets, all kinds of peers. */
import * as fc from 'fast-check'
import { hexId, type TestEvent, type TestSpan } from './test-spans.ts'

/** One span, to be placed under an earlier span of its trace. */
const seed = fc.record({
  trace: fc.integer({ min: 1, max: 12 }),
  /** Which earlier span of the trace is the parent; none when 0. */
  parent: fc.nat(6),
  isOrphan: fc.integer({ min: 0, max: 15 }),
  /** From the start of the trace, or of the parent. */
  offsetMs: fc.nat(50_000),
  durationUs: fc.oneof(fc.nat(1000), fc.nat(5_000_000), fc.integer({ min: 290_000_000, max: 700_000_000 })),
  service: fc.constantFrom('web', 'cart', 'pay', 'stock'),
  name: fc.constantFrom('GET /', 'reserve', 'charge', 'SELECT', ''),
  kind: fc.nat(5),
  status: fc.constantFrom(0, 0, 1, 2),
  hasLinks: fc.boolean(),
  attributes: fc.constantFrom<TestSpan['attributes']>(
    {},
    { 'db.system.name': 'postgresql', 'db.namespace': 'orders' },
    { 'db.system': 'mysql', 'db.name': 'old' },
    { 'db.system': 'redis', 'server.address': 'cache-1' },
    { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
    { 'peer.service': 'bank', 'http.response.status_code': 503 },
    { 'server.address': 'api.example', 'user.id': 'u1', retry: true, 'net.peer.name': 'unused' },
    { 'net.peer.name': 'old.example', size: 42, share: 0.5 },
  ),
  resource: fc.constantFrom<Record<string, string>>(
    {},
    { 'host.name': 'node-1', 'deployment.environment': 'test' },
    { 'host.name': 'node-2', 'k8s.pod.name': 'p-1', 'k8s.cluster.name': 'c1' },
    { 'service.instance.id': 'i-1', 'service.namespace': 'shop', 'service.version': '1.2' },
  ),
})

/** Traces begin within 25 minutes of `originNs`: five buckets and the ends of two more. */
export function randomSpans(originNs: bigint): fc.Arbitrary<TestSpan[]> {
  const starts = fc.array(fc.nat(1_500_000), { minLength: 13, maxLength: 13 })
  return fc.tuple(fc.array(seed, { minLength: 1, maxLength: 90 }), starts).map(([seeds, startsMs]) => {
    const traces = new Map<number, TestSpan[]>()
    const all: TestSpan[] = []
    return seeds.map((one, i) => {
      const before = traces.get(one.trace) ?? []
      const parent = one.parent === 0 ? undefined : before[one.parent - 1]
      const baseNs = parent?.startNs ?? originNs + BigInt(startsMs[one.trace]!) * 1_000_000n
      const startNs = baseNs + BigInt(one.offsetMs) * 1_000_000n + 7n
      const span: TestSpan = {
        traceId: hexId(one.trace, 32),
        spanId: hexId(i + 1, 16),
        parentSpanId: parent?.spanId ?? (one.isOrphan === 0 ? hexId(0xfff000 + i, 16) : ''),
        service: one.service,
        name: one.name,
        kind: one.kind,
        status: one.status,
        startNs,
        durationNs: BigInt(one.durationUs) * 1000n,
        attributes: one.attributes,
        resource: one.resource,
        links: one.hasLinks ? all.filter((other) => mayAnswer(startNs, other.startNs)).slice(0, 5) : [],
      }
      all.push(span)
      traces.set(one.trace, [...before, span])
      return span
    })
  })
}

/** Whether the store looks for a call at `callNs` when a consumer that starts at `startNs` links to it. */
function mayAnswer(startNs: bigint, callNs: bigint): boolean {
  return startNs >= callNs && startNs < callNs + 60_000_000_000n
}

export function randomEvents(originNs: bigint): fc.Arbitrary<TestEvent[]> {
  const event = fc.record({
    timeNs: fc.nat(1_500_000).map((ms) => originNs + BigInt(ms) * 1_000_000n + 3n),
    service: fc.constantFrom('web', 'cron'),
    body: fc.constantFrom('started', 'cannot charge'),
    resource: fc.constantFrom<Record<string, string>>({}, { 'host.name': 'node-1' }, { 'host.name': 'node-9' }),
  })
  return fc.array(event, { maxLength: 12 })
}
