/** A trace as a tree in drawing order: parents before children, siblings by start. */
import { buildTraceTree } from '../../model/trace/trace-tree.ts'
import { treeNotes } from '../../model/trace/tree-notes.ts'
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
  /** Nanoseconds in which no child ran. */
  self: number
}

export interface SpanTree {
  /** Roots of the tree, by start. A trace may have several. */
  readonly roots: readonly TreeSpan[]
  /** Spans whose parent was never received; those with the same parent are next to each other. */
  readonly orphans: readonly TreeSpan[]
  /** Each span exactly once. */
  readonly spans: readonly TreeSpan[]
  /** Oddities of the tree, in words. */
  readonly notes: readonly string[]
  /** Start of the earliest span, nanoseconds since 1970. */
  readonly startNanos: bigint
  /** Nanoseconds from the first start to the last end. */
  readonly duration: number
  readonly errorCount: number
}

export function buildSpanTree(data: TracesData): SpanTree {
  const { spans, startNanos } = readSpans(data)
  const tree = buildTraceTree({
    count: spans.length,
    ids: spans.map(({ span }) => span.spanId),
    parentIds: spans.map(({ span }) => span.parentSpanId ?? ''),
    noId: '',
    kinds: spans.map(({ span }) => span.kind ?? 0),
    starts: spans.map(({ start }) => start),
    lengths: spans.map(({ start, end }) => end - start),
    names: spans.map(({ span }) => span.name ?? ''),
    services: spans.map(({ service }) => service),
  })
  const roots: TreeSpan[] = []
  const orphans: TreeSpan[] = []
  const shown: TreeSpan[] = []
  for (const entry of tree.preOrder) {
    const item = spans[entry]
    if (item === undefined) continue
    shown.push(item)
    const above = tree.parents[entry]!
    if (above < 0) roots.push(item)
    else if (above >= tree.count) orphans.push(item)
    else spans[above]!.children.push(item)
  }
  for (const item of shown) item.self = selfTime(item)
  return {
    roots,
    orphans,
    spans: shown,
    notes: treeNotes(tree).map(({ text }) => text),
    startNanos,
    duration: shown.reduce((end, item) => Math.max(end, item.end), 0),
    errorCount: shown.filter((item) => item.isError).length,
  }
}

/** Offsets are exact below 2^53 ns, 104 days. */
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
  return { spans, startNanos: startNanos ?? 0n }
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
  /** For this span and each of its ancestors, from the root: whether it is the last of its siblings. */
  readonly isLast: readonly boolean[]
}

/** The tree below one root, line by line. Not recursive, because traces may be thousands of spans deep. */
export function* treeLines(top: TreeSpan): Generator<TreeLine> {
  const open: TreeLine[] = [{ item: top, depth: 0, isLast: [] }]
  for (let line = open.pop(); line !== undefined; line = open.pop()) {
    yield line
    const { item, depth, isLast } = line
    for (let index = item.children.length - 1; index >= 0; index -= 1) {
      const child = item.children[index]
      if (child !== undefined) {
        // Deeper levels are not drawn, and keeping the flags of all of them would take depth^2 memory.
        const flags = depth < indentLevelsMax ? [...isLast, index === item.children.length - 1] : isLast
        open.push({ item: child, depth: depth + 1, isLast: flags })
      }
    }
  }
}

/** The maximum number of indentation levels that are drawn. */
const indentLevelsMax = 200
