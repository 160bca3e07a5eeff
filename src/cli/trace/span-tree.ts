/** A trace as a tree in the order in which it is drawn: parents before children, siblings by start. */
import { serviceOf } from './otlp-json.ts'
import type { OtlpSpan, Resource, TracesData } from './otlp-json.ts'

export interface TreeSpan {
  readonly span: OtlpSpan
  readonly resource: Resource | undefined
  readonly service: string
  /** Nanoseconds from the trace's start. */
  readonly start: number
  readonly end: number
  readonly isError: boolean
  readonly children: TreeSpan[]
  /** Time in which no child ran, nanoseconds. */
  self: number
}

export interface SpanTree {
  /** Spans without a parent. More than one when a trace has several roots. */
  readonly roots: readonly TreeSpan[]
  /** Tops of parts whose parent is not among the spans. */
  readonly orphans: readonly TreeSpan[]
  readonly spans: readonly TreeSpan[]
  /** Nanoseconds since 1970 of the first start. */
  readonly startNanos: bigint
  /** From the first start to the last end, nanoseconds. */
  readonly duration: number
  readonly errorCount: number
}

export function buildSpanTree(data: TracesData): SpanTree {
  const { spans, startNanos } = readSpans(data)
  const byId = new Map<string, TreeSpan>()
  // An id that came twice (a client and a server span may share one): the first keeps the children.
  for (const item of spans) if (!byId.has(item.span.spanId)) byId.set(item.span.spanId, item)
  const roots: TreeSpan[] = []
  const orphans: TreeSpan[] = []
  for (const item of spans) {
    const parentId = item.span.parentSpanId
    const parent = parentId === undefined || parentId === '' ? undefined : byId.get(parentId)
    if (parentId === undefined || parentId === '') roots.push(item)
    else if (parent === undefined || parent === item) orphans.push(item)
    else parent.children.push(item)
  }
  for (const item of topsOfCycles(spans, [...roots, ...orphans])) {
    const siblings = byId.get(item.span.parentSpanId ?? '')?.children ?? []
    siblings.splice(siblings.indexOf(item), 1)
    orphans.push(item)
  }
  for (const item of spans) item.self = selfTime(item)
  return {
    roots,
    orphans,
    spans,
    startNanos,
    duration: spans.reduce((end, item) => Math.max(end, item.end), 0),
    errorCount: spans.filter((item) => item.isError).length,
  }
}

/** Spans by start time, ties in the order of arrival. Offsets are exact below 2^53 ns, 104 days. */
function readSpans(data: TracesData): { spans: TreeSpan[]; startNanos: bigint } {
  const read = (data.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans ?? []).flatMap((scope) =>
      (scope.spans ?? []).map((span) => ({ span, resource, service: serviceOf(resource) })),
    ),
  )
  const startOf = (span: OtlpSpan) => BigInt(span.startTimeUnixNano ?? 0)
  const startNanos = read.reduce<bigint | undefined>(
    (least, { span }) => (least === undefined || startOf(span) < least ? startOf(span) : least),
    undefined,
  )
  const spans = read.map(({ span, resource, service }): TreeSpan => {
    const start = Number(startOf(span) - (startNanos ?? 0n))
    const end = Math.max(start, Number(BigInt(span.endTimeUnixNano ?? 0) - (startNanos ?? 0n)))
    return { span, resource, service, start, end, isError: span.status?.code === 2, children: [], self: 0 }
  })
  return { spans: spans.sort((a, b) => a.start - b.start), startNanos: startNanos ?? 0n }
}

/** Spans that no top leads to are parents of each other in a ring: the earliest of each ring is to become a top. */
function topsOfCycles(spans: readonly TreeSpan[], tops: readonly TreeSpan[]): TreeSpan[] {
  const reached = new Set<TreeSpan>()
  const reach = (top: TreeSpan): void => {
    const open = [top]
    for (let item = open.pop(); item !== undefined; item = open.pop()) {
      if (reached.has(item)) continue
      reached.add(item)
      for (const child of item.children) open.push(child)
    }
  }
  for (const top of tops) reach(top)
  const cut: TreeSpan[] = []
  for (const item of spans) {
    if (reached.has(item)) continue
    cut.push(item)
    reach(item)
  }
  return cut
}

/** Duration minus the union of the children's intervals; children are sorted by start. */
function selfTime({ start, end, children }: TreeSpan): number {
  let covered = 0
  let until = start
  for (const child of children) {
    const from = Math.max(until, child.start)
    const to = Math.min(end, child.end)
    if (to > from) {
      covered += to - from
      until = to
    }
  }
  return end - start - covered
}

export interface TreeLine {
  readonly item: TreeSpan
  readonly depth: number
  /** Whether this and each of its ancestors is the last of its siblings, from the top. */
  readonly isLast: readonly boolean[]
}

/** The tree under one top, line by line. No recursion: traces may be thousands of spans deep. */
export function* treeLines(top: TreeSpan): Generator<TreeLine> {
  const open: TreeLine[] = [{ item: top, depth: 0, isLast: [] }]
  for (let line = open.pop(); line !== undefined; line = open.pop()) {
    yield line
    const { item, depth, isLast } = line
    for (let index = item.children.length - 1; index >= 0; index -= 1) {
      const child = item.children[index]
      if (child !== undefined) {
        // Beyond what is drawn, the flags are not needed, and keeping them all would take depth^2 memory.
        const flags = depth < indentLevelsMax ? [...isLast, index === item.children.length - 1] : isLast
        open.push({ item: child, depth: depth + 1, isLast: flags })
      }
    }
  }
}

/** Levels of indentation that can be drawn at all. */
const indentLevelsMax = 200
