/** Turns OTLP JSON into columns in order of arrival, and keeps the parsed spans to show details from later. */
import { kinds, serviceName, statusError } from './otlp-json.ts'
import type { OtlpResource, OtlpScope, OtlpSpan, OtlpTraces } from './otlp-json.ts'
import { parseUnixNano } from './time.ts'

export interface SourceSpan {
  readonly span: OtlpSpan
  readonly resource: OtlpResource | undefined
  readonly scope: OtlpScope | undefined
}

export interface SpanList {
  readonly traceId: string
  readonly count: number
  readonly startNano: bigint
  readonly sources: readonly SourceSpan[]
  readonly id: BigUint64Array
  /** 0 for none. */
  readonly parentId: BigUint64Array
  /** Nanoseconds from `startNano`. */
  readonly start: Float64Array
  readonly length: Float64Array
  readonly names: readonly string[]
  readonly services: readonly string[]
  readonly name: Uint32Array
  readonly service: Uint16Array
  /** Number of the resource that a span came from. Each resource has its own clock. */
  readonly resource: Uint32Array
  readonly kind: Uint8Array
  readonly isError: Uint8Array
  readonly unfinished: Uint8Array
}

const knownKinds = new Set<number>(Object.values(kinds))

export function parseSpanId(text: string | undefined): bigint {
  return text !== undefined && /^[0-9a-fA-F]{16}$/.test(text) ? BigInt('0x' + text) : 0n
}

function collect(traces: OtlpTraces): { sources: SourceSpan[]; resourceOf: number[] } {
  const sources: SourceSpan[] = []
  const resourceOf: number[] = []
  const resources = new Map<string, number>()
  for (const { resource, scopeSpans } of traces.resourceSpans ?? []) {
    const key = JSON.stringify(resource?.attributes ?? [])
    if (!resources.has(key)) resources.set(key, resources.size)
    for (const { scope, spans } of scopeSpans ?? []) {
      for (const span of spans ?? []) {
        sources.push({ span, resource, scope })
        resourceOf.push(resources.get(key)!)
      }
    }
  }
  return { sources, resourceOf }
}

class Interned {
  readonly list: string[] = []
  readonly #index = new Map<string, number>()
  add(text: string): number {
    const known = this.#index.get(text)
    if (known !== undefined) return known
    this.#index.set(text, this.list.length)
    return this.list.push(text) - 1
  }
}

/** Columns of all spans. A span whose end is missing or before its start is unfinished and has length 0. */
export function decodeSpans(traces: OtlpTraces): SpanList {
  const { sources, resourceOf } = collect(traces)
  const count = sources.length
  const names = new Interned()
  const services = new Interned()
  const startNanos = sources.map(({ span }) => parseUnixNano(span.startTimeUnixNano))
  const startNano = startNanos.reduce((least, at) => (at !== 0n && (least === 0n || at < least) ? at : least), 0n)
  const list = {
    traceId: (sources[0]?.span.traceId ?? '').toLowerCase(),
    count,
    startNano,
    sources,
    id: new BigUint64Array(count),
    parentId: new BigUint64Array(count),
    start: new Float64Array(count),
    length: new Float64Array(count),
    names: names.list,
    services: services.list,
    name: new Uint32Array(count),
    service: new Uint16Array(count),
    resource: Uint32Array.from(resourceOf),
    kind: new Uint8Array(count),
    isError: new Uint8Array(count),
    unfinished: new Uint8Array(count),
  }
  sources.forEach(({ span, resource }, i) => {
    const start = startNanos[i]!
    const end = parseUnixNano(span.endTimeUnixNano)
    list.id[i] = parseSpanId(span.spanId)
    list.parentId[i] = parseSpanId(span.parentSpanId)
    list.start[i] = start === 0n ? 0 : Number(start - startNano)
    list.length[i] = end > start ? Number(end - start) : 0
    list.unfinished[i] = end === 0n || end < start ? 1 : 0
    list.name[i] = names.add(span.name || '(no name)')
    list.service[i] = services.add(serviceName(resource))
    list.kind[i] = knownKinds.has(span.kind ?? 0) ? span.kind! : 0
    list.isError[i] = span.status?.code === statusError ? 1 : 0
  })
  return list
}
