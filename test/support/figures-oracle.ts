/** The plain answers to the questions about services, edges and nodes: loops over all spans, as slow as they are clear. */
import type { TestEvent, TestSpan } from './test-spans.ts'

export interface Range {
  readonly startNs?: bigint
  readonly endNs?: bigint
}

export interface Stored {
  readonly spans: readonly TestSpan[]
  readonly events: readonly TestEvent[]
}

const isEntry = ({ kind }: TestSpan): boolean => kind === 2 || kind === 5
const isError = ({ status }: TestSpan): boolean => status === 2

function within(timeNs: bigint, { startNs, endNs }: Range): boolean {
  return (startNs === undefined || timeNs >= startNs) && (endNs === undefined || timeNs < endNs)
}

export function spansWithin(spans: readonly TestSpan[], range: Range): TestSpan[] {
  return spans.filter(({ startNs }) => within(startNs, range))
}

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

const last = (spans: readonly TestSpan[]): bigint =>
  spans.reduce((max, { startNs }) => (startNs > max ? startNs : max), -(1n << 63n))

export function services({ spans }: Stored, range: Range) {
  return [...groupBy(spansWithin(spans, range), ({ service }) => service)]
    .map(([name, own]) => {
      const entries = own.filter(isEntry)
      const calls = entries.length > 0 ? entries : own.filter(({ parentSpanId }) => parentSpanId === '')
      return {
        name,
        spans: own.length,
        calls: calls.length,
        errors: calls.filter(isError).length,
        lastSeenNs: last(own),
        durations: calls.map(({ durationNs }) => durationNs),
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function operations({ spans }: Stored, service: string, range: Range) {
  const own = spansWithin(spans, range).filter((span) => span.service === service)
  return [...groupBy(own, ({ name, kind }) => `${name}\0${kind}`).values()].map((group) => ({
    name: group[0]!.name,
    kind: group[0]!.kind,
    calls: group.length,
    errors: group.filter(isError).length,
    totalNs: group.reduce((sum, { durationNs }) => sum + durationNs, 0n),
    durations: group.map(({ durationNs }) => durationNs),
  }))
}

interface Call {
  readonly span: TestSpan
  readonly parent: string
  readonly child: string
  readonly childType: string
}

/** Parents and answers count wherever they lie. */
function callsOf({ spans }: Stored, range: Range): Call[] {
  const byId = groupBy(spans, ({ traceId, spanId }) => traceId + spanId)
  const byParent = groupBy(
    spans.filter(({ parentSpanId }) => parentSpanId !== ''),
    ({ traceId, parentSpanId }) => traceId + parentSpanId,
  )
  const linked = new Set(spans.flatMap(linksOf))
  return spansWithin(spans, range).flatMap((span): Call[] => {
    const calls: Call[] = []
    const parent = byId.get(span.traceId + span.parentSpanId)?.[0]
    if (span.parentSpanId !== '' && parent !== undefined && parent.service !== span.service) {
      calls.push({ span, parent: parent.service, child: span.service, childType: 'service' })
    }
    const producers = linksOf(span).flatMap((id) => byId.get(id) ?? [])
    for (const producer of new Set(producers.filter(({ kind }) => kind === 4).map(({ service }) => service))) {
      if (producer !== span.service) calls.push({ span, parent: producer, child: span.service, childType: 'service' })
    }
    const queued = queueProducer(span, spans)
    if (queued !== undefined && queued !== span.service) {
      calls.push({ span, parent: queued, child: span.service, childType: 'service' })
    }
    const answered = linked.has(span.traceId + span.spanId)
    const answers = (byParent.get(span.traceId + span.spanId) ?? []).filter(({ kind }) => kind > 1)
    const peer = peerOf(span)
    if ((span.kind === 3 || span.kind === 4) && answers.length === 0 && !answered && peer !== undefined) {
      calls.push({ span, parent: span.service, ...peer })
    }
    return calls
  })
}

/** What a consumer links to in other traces: trace id and span id. */
function linksOf({ kind, traceId, links = [] }: TestSpan): string[] {
  if (kind !== 5) return []
  return links.filter((link) => link.traceId !== traceId).map((link) => link.traceId + link.spanId)
}

/** Service of the last producer of five minutes before a consumer that has neither parent nor links, by their queue. */
function queueProducer(span: TestSpan, spans: readonly TestSpan[]): string | undefined {
  const queue = queueOf(span)
  if (span.kind !== 5 || span.parentSpanId !== '' || (span.links ?? []).length > 0 || queue === undefined)
    return undefined
  const before = spans.filter(
    (other) =>
      other.kind === 4 &&
      queueOf(other) === queue &&
      other.startNs <= span.startNs &&
      other.startNs >= span.startNs - 300_000_000_000n,
  )
  return before.sort((a, b) => (a.startNs < b.startNs ? 1 : -1))[0]?.service
}

function queueOf({ attributes }: TestSpan): string | undefined {
  const [system, name] = [attributes['messaging.system'], attributes['messaging.destination.name']]
  return system === undefined || name === undefined ? undefined : JSON.stringify([system, name])
}

function peerOf({ attributes: a }: TestSpan): { child: string; childType: string } | undefined {
  const text = (...keys: string[]): string =>
    String(keys.map((key) => a[key]).find((value) => value !== undefined) ?? '')
  const joined = (system: string, name: string): string => (name === '' ? system : `${system}/${name}`)
  const address = text('server.address', 'net.peer.name')
  const database = text('db.system.name', 'db.system')
  if (database !== '') {
    return { childType: 'database', child: joined(database, text('db.namespace', 'db.name') || address) }
  }
  const queue = text('messaging.system')
  if (queue !== '') return { childType: 'messaging', child: joined(queue, text('messaging.destination.name')) }
  const child = text('peer.service') || address
  return child === '' ? undefined : { childType: 'external', child }
}

export function dependencies(stored: Stored, range: Range) {
  const edges = groupBy(callsOf(stored, range), ({ parent, child, childType }) => [parent, child, childType].join('\0'))
  return [...edges.values()].map((calls) => ({
    parent: calls[0]!.parent,
    child: calls[0]!.child,
    childType: calls[0]!.childType,
    calls: calls.length,
    errors: calls.filter(({ span }) => isError(span)).length,
    durations: calls.map(({ span }) => span.durationNs),
  }))
}

interface Sighting {
  readonly type: string
  readonly id: string
  /** Of a service instance only: it is part of what it is. */
  readonly owner: string
  readonly service: string
  readonly timeNs: bigint
  readonly span: number
  readonly event: number
  readonly error: number
}

export function nodes(stored: Stored, range: Range) {
  const seen = [
    ...spansWithin(stored.spans, range).flatMap((span) =>
      sightingsOf(span.service, span.resource, {
        timeNs: span.startNs,
        span: 1,
        event: 0,
        error: isError(span) ? 1 : 0,
      }),
    ),
    ...stored.events
      .filter(({ timeNs }) => within(timeNs, range))
      .flatMap((event) =>
        sightingsOf(event.service, event.resource, { timeNs: event.timeNs, span: 0, event: 1, error: 0 }),
      ),
    ...callsOf(stored, range)
      .filter(({ childType }) => childType !== 'service')
      .map(({ span, child, childType }) => ({
        type: childType,
        id: child,
        owner: '',
        service: '',
        timeNs: span.startNs,
        span: 1,
        event: 0,
        error: isError(span) ? 1 : 0,
      })),
  ]
  return [...groupBy(seen, ({ type, id, owner }) => [type, id, owner].join('\0')).values()].map((group) => {
    const times = group.map(({ timeNs }) => timeNs).sort((a, b) => (a < b ? -1 : 1))
    const names = new Set(group.map(({ service }) => service))
    const sum = (of: (sighting: Sighting) => number): number => group.reduce((total, one) => total + of(one), 0)
    return {
      type: group[0]!.type,
      id: group[0]!.id,
      service: names.size === 1 ? group[0]!.service : '',
      firstSeenNs: times[0]!,
      lastSeenNs: times.at(-1)!,
      spans: sum(({ span }) => span),
      events: sum(({ event }) => event),
      errors: sum(({ error }) => error),
    }
  })
}

type Counts = Pick<Sighting, 'timeNs' | 'span' | 'event' | 'error'>

function sightingsOf(service: string, resource: Readonly<Record<string, string>>, counts: Counts): Sighting[] {
  const host = resource['host.name'] ?? ''
  const pod = resource['k8s.pod.name'] ?? ''
  const place = pod === '' ? host : pod
  const instance = resource['service.instance.id'] ?? (place === '' ? service : `${service}@${place}`)
  const found: Sighting[] = [{ type: 'service_instance', id: instance, owner: service, service, ...counts }]
  if (host !== '') found.push({ type: 'host', id: host, owner: '', service, ...counts })
  if (pod !== '') found.push({ type: 'pod', id: pod, owner: '', service, ...counts })
  return found
}

/** Rows with each key: spans by their own attributes, spans and events by their resource's. */
export function attributeKeys(stored: Stored, range: Range): Map<string, number> {
  const counts = new Map<string, number>()
  const add = (scope: string, key: string): void =>
    void counts.set(`${scope} ${key}`, (counts.get(`${scope} ${key}`) ?? 0) + 1)
  for (const { attributes, resource } of spansWithin(stored.spans, range)) {
    for (const key of Object.keys(attributes)) add('span', key)
    for (const key of ['service.name', ...Object.keys(resource)]) add('resource', key)
  }
  for (const { timeNs, resource } of stored.events) {
    if (within(timeNs, range)) for (const key of ['service.name', ...Object.keys(resource)]) add('resource', key)
  }
  return counts
}

/** Whether a t-digest could give the value: it lies between the neighbours of the exact one. */
export function isQuantile(value: bigint, level: number, durations: readonly bigint[]): boolean {
  if (durations.length === 0) return value === 0n
  const sorted = [...durations].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const at = level * (sorted.length - 1)
  const reach = 1 + Math.ceil(sorted.length / 50)
  const low = sorted[Math.max(0, Math.floor(at) - reach)]!
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(at) + reach)]!
  // States hold Float32: seven digits.
  return Number(value) >= Number(low) * 0.999999 - 1 && Number(value) <= Number(high) * 1.000001 + 1
}
