/**
 * Zipkin v1 spans and their conversion to v2 spans, by the rules of Zipkin itself (zipkin2.v1.V1SpanConverter).
 *
 * A v1 span has no kind: annotations with two-letter values show what happened, and binary annotations carry tags and
 * addresses, each with the endpoint that recorded it. Client and server often share one span:
 *
 *     span 2  cs@web 10 · sr@api 12 · ss@api 18 · cr@web 20 · sa=api
 *     gives   CLIENT web 10 … 20, remote api   and   SERVER api 12 … 18, shared
 *
 * | value | means | value | means |
 * |---|---|---|---|
 * | cs, cr | client sent, received | ms, ws | message sent, on the wire |
 * | sr, ss | server received, sent | mr, wr | message received, from the wire |
 * | sa, ca, ma (binary, no text) | address of the server, client, broker | lc | marks a local span |
 */
import type { PlainAnnotation, PlainEndpoint, PlainSpan, ZipkinKind } from './plain-span.ts'

export interface V1Annotation extends PlainAnnotation {
  readonly endpoint?: PlainEndpoint | undefined
}

export interface V1BinaryAnnotation {
  readonly key: string
  /** Absent for an address annotation, whose value is its endpoint. */
  readonly value?: string | undefined
  readonly endpoint?: PlainEndpoint | undefined
}

export interface V1Span {
  traceId: string
  id: string
  parentId?: string
  name?: string
  /** Microseconds; 0 when absent. */
  timestamp: number
  duration: number
  annotations: V1Annotation[]
  binaryAnnotations: V1BinaryAnnotation[]
  debug: boolean
}

type Core = 'cs' | 'cr' | 'sr' | 'ss' | 'ms' | 'mr' | 'ws' | 'wr'

const kindOfCore: Readonly<Record<Core, ZipkinKind | undefined>> = {
  cs: 'CLIENT',
  cr: 'CLIENT',
  sr: 'SERVER',
  ss: 'SERVER',
  ms: 'PRODUCER',
  mr: 'CONSUMER',
  ws: undefined,
  wr: undefined,
}

/** An annotation whose endpoint is known. */
interface CoreAnnotation extends V1Annotation {
  readonly endpoint: PlainEndpoint
}

/** The v2 spans that one v1 span stands for; at least one. */
export function convertV1(source: V1Span): PlainSpan[] {
  const parts = new V1Parts(source)
  const core = takeAnnotations(source, parts)
  settleRpc(source, parts, core)
  settleMessaging(source, parts, core)
  takeBinaryAnnotations(source, parts, core)
  return parts.spans
}

/** The v2 spans under construction, one for each service that is named. */
class V1Parts {
  readonly #source: V1Span
  readonly spans: PlainSpan[]

  constructor(source: V1Span) {
    this.#source = source
    this.spans = [this.#fresh()]
  }

  get first(): PlainSpan {
    return this.spans[0]!
  }

  /** The span of the endpoint's service; the first one when there is no endpoint. */
  of(endpoint: PlainEndpoint | undefined): PlainSpan {
    if (endpoint === undefined) return this.first
    for (const span of this.spans) {
      span.localEndpoint ??= endpoint
      if (isSameService(span.localEndpoint, endpoint)) return span
    }
    return this.add(endpoint)
  }

  add(endpoint: PlainEndpoint): PlainSpan {
    const span = { ...this.#fresh(), localEndpoint: endpoint }
    this.spans.push(span)
    return span
  }

  #fresh(): PlainSpan {
    const { traceId, id, parentId, name, debug } = this.#source
    const span: PlainSpan = { traceId, id, annotations: [], tags: noTags(), debug }
    if (parentId !== undefined) span.parentId = parentId
    if (name !== undefined) span.name = name
    return span
  }
}

/** Without a prototype, so that any key is only a key. */
function noTags(): Record<string, string> {
  return Object.create(null) as Record<string, string>
}

function isSameService(a: PlainEndpoint, b: PlainEndpoint): boolean {
  return (a.serviceName ?? '') === (b.serviceName ?? '')
}

function takeAnnotations(source: V1Span, parts: V1Parts): Map<Core, CoreAnnotation> {
  const core = new Map<Core, CoreAnnotation>()
  for (const { timestamp, value, endpoint } of source.annotations) {
    const span = parts.of(endpoint)
    if (endpoint !== undefined && Object.hasOwn(kindOfCore, value)) {
      core.set(value as Core, { timestamp, value, endpoint })
      const kind = kindOfCore[value as Core]
      if (kind !== undefined) span.kind = kind
    } else span.annotations!.push({ timestamp, value })
  }
  // A sender that knows only start and duration still sends the end annotation: the start follows from it.
  for (const [start, end] of [
    ['cs', 'cr'],
    ['sr', 'ss'],
  ] as const) {
    const last = core.get(end)
    const isEndOfSpan =
      source.timestamp > 0 && source.duration > 0 && source.timestamp + source.duration === last?.timestamp
    if (!core.has(start) && last !== undefined && isEndOfSpan) {
      core.set(start, { timestamp: source.timestamp, value: start, endpoint: last.endpoint })
    }
  }
  return core
}

function settleRpc(source: V1Span, parts: V1Parts, core: ReadonlyMap<Core, CoreAnnotation>): void {
  const [cs, cr, sr, ss] = (['cs', 'cr', 'sr', 'ss'] as const).map((name) => core.get(name))
  if (cs !== undefined && sr !== undefined) {
    setSpanTimes(source, parts, cs, cr)
    const client = parts.of(cs.endpoint)
    const server = serverOrNew(parts, { from: cs, to: sr, kinds: ['CLIENT', 'SERVER'] })
    server.shared = true
    server.timestamp = sr.timestamp
    if (ss !== undefined) server.duration = ss.timestamp - sr.timestamp
    if (cr === undefined && source.duration === 0) delete client.duration
  } else if (cs !== undefined && cr !== undefined) setSpanTimes(source, parts, cs, cr)
  else if (sr !== undefined && ss !== undefined) setSpanTimes(source, parts, sr, ss)
  else keepIncomplete(source, parts, core)
  // v1 had no shared flag: a server that left timestamp or duration to the client shared its span.
  const leftToClient = source.timestamp === 0 || (ss !== undefined && source.duration === 0)
  if (cs === undefined && sr !== undefined && leftToClient) parts.of(sr.endpoint).shared = true
}

function settleMessaging(source: V1Span, parts: V1Parts, core: ReadonlyMap<Core, CoreAnnotation>): void {
  const [ms, mr, ws, wr] = (['ms', 'mr', 'ws', 'wr'] as const).map((name) => core.get(name))
  if (ms !== undefined && mr !== undefined) {
    const producer = parts.of(ms.endpoint)
    const consumer = serverOrNew(parts, { from: ms, to: mr, kinds: ['PRODUCER', 'CONSUMER'] })
    consumer.shared = true
    consumer.timestamp = (wr ?? mr).timestamp
    if (wr !== undefined) consumer.duration = mr.timestamp - wr.timestamp
    producer.timestamp = ms.timestamp
    if (ws !== undefined) producer.duration = ws.timestamp - ms.timestamp
  } else if (ms !== undefined) setSpanTimes(source, parts, ms, ws)
  else if (mr !== undefined) setSpanTimes(source, parts, wr ?? mr, wr === undefined ? undefined : mr)
  else {
    for (const wire of [ws, wr]) {
      if (wire !== undefined)
        parts.of(wire.endpoint).annotations!.push({ timestamp: wire.timestamp, value: wire.value })
    }
  }
}

/** The server's or consumer's half; a service that calls itself gets its own span for it. */
function serverOrNew(
  parts: V1Parts,
  { from, to, kinds }: { from: CoreAnnotation; to: CoreAnnotation; kinds: readonly [ZipkinKind, ZipkinKind] },
): PlainSpan {
  if (!isSameService(from.endpoint, to.endpoint)) return parts.of(to.endpoint)
  parts.of(from.endpoint).kind = kinds[0]
  const server = parts.add(to.endpoint)
  server.kind = kinds[1]
  return server
}

function setSpanTimes(source: V1Span, parts: V1Parts, begin: CoreAnnotation, end: CoreAnnotation | undefined): void {
  const span = parts.of(begin.endpoint)
  if (source.timestamp > 0 && source.duration > 0) {
    span.timestamp = source.timestamp
    span.duration = source.duration
  } else {
    span.timestamp = begin.timestamp
    if (end !== undefined) span.duration = end.timestamp - begin.timestamp
  }
}

/** When half of a request is missing, the other half stays an annotation if it cannot be a time of the span. */
function keepIncomplete(source: V1Span, parts: V1Parts, core: ReadonlyMap<Core, CoreAnnotation>): void {
  for (const span of parts.spans) {
    const [start, end] = span.kind === 'CLIENT' ? (['cs', 'cr'] as const) : (['sr', 'ss'] as const)
    if (span.kind !== 'CLIENT' && span.kind !== 'SERVER') continue
    const begin = core.get(start)
    const finish = core.get(end)
    if (begin !== undefined) span.timestamp = begin.timestamp
    if (finish !== undefined) span.annotations!.push({ timestamp: finish.timestamp, value: finish.value })
  }
  if (source.timestamp > 0) {
    parts.first.timestamp = source.timestamp
    if (source.duration > 0) parts.first.duration = source.duration
  }
}

function takeBinaryAnnotations(source: V1Span, parts: V1Parts, core: ReadonlyMap<Core, CoreAnnotation>): void {
  const addresses = new Map<string, PlainEndpoint | undefined>()
  for (const { key, value, endpoint } of source.binaryAnnotations) {
    if (value === undefined) addresses.set(key, endpoint)
    else {
      const span = parts.of(endpoint)
      if (key !== 'lc' || value !== '') span.tags![key] = value
    }
  }
  const [ca, sa, ma] = ['ca', 'sa', 'ma'].map((key) => addresses.get(key))
  const client = core.get('cs') ?? core.get('cr')
  const server = core.get('sr') ?? core.get('ss')
  if (client === undefined && server === undefined && (ca !== undefined || sa !== undefined)) {
    addUnclaimedAddresses(parts, ca, sa)
    return
  }
  if (ca !== undefined && server !== undefined && !isSameEndpoint(ca, server.endpoint)) {
    // The client's port under the server's own name would look like a service that calls itself.
    const { serviceName: _, ...address } = ca
    parts.of(server.endpoint).remoteEndpoint = isSameService(ca, server.endpoint) ? address : ca
  }
  if (sa !== undefined && client !== undefined) parts.of(client.endpoint).remoteEndpoint = sa
  for (const message of [core.get('ms'), core.get('mr')]) {
    if (ma !== undefined && message !== undefined) parts.of(message.endpoint).remoteEndpoint = ma
  }
}

/** Addresses without any annotation that shows who called: enough for an edge of the service graph. */
function addUnclaimedAddresses(parts: V1Parts, ca: PlainEndpoint | undefined, sa: PlainEndpoint | undefined): void {
  const span = ca !== undefined && sa !== undefined ? parts.of(ca) : parts.first
  if (sa === undefined) span.kind = 'SERVER'
  const remote = sa ?? ca
  if (remote !== undefined) span.remoteEndpoint = remote
}

function isSameEndpoint(a: PlainEndpoint, b: PlainEndpoint): boolean {
  return isSameService(a, b) && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6 && (a.port ?? 0) === (b.port ?? 0)
}
