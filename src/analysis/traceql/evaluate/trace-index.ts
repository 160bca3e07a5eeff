/**
 * The spans of one trace by their place in its tree. A span's position is its number in a depth-first walk from the
 * tops, with siblings in order of start. So the spans below a span have the positions right after it:
 *
 *     a                position 0, last 3
 *       b              position 1, last 2
 *         c            position 2, last 2
 *       d              position 3, last 3
 *
 * A parent that was never received has a position too, so that its orphans are siblings; it is in no set of spans. A span
 * that was received twice has one position.
 */
import type { View } from '../../../model/evaluate/evaluate.ts'
import type { Held } from '../../../model/evaluate/held-value.ts'
import { spanView, type TraceFacts } from '../../../model/evaluate/span-view.ts'
import { int, originOf, type Origin } from '../../../model/evaluate/view-parts.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import { buildTraceTree, type TraceTree } from '../../../model/trace/trace-tree.ts'

export class TraceIndex {
  /** The position above; -1 for tops. */
  readonly parents: Int32Array
  /** The last position below it, or its own position when nothing is below. */
  readonly lasts: Int32Array
  /** Positions of the spans, ascending. */
  readonly spans: readonly number[]
  readonly #rows: readonly SpanRow[]
  readonly #entries: Int32Array
  readonly #views: (View | undefined)[]
  readonly #facts: TraceFacts
  readonly #origins = new Origins()
  #structure: Structure | undefined

  /** Spans of one trace, in any order. */
  constructor(rows: readonly SpanRow[]) {
    const tree = treeOf(rows, this.#origins)
    this.#rows = rows
    this.#entries = tree.preOrder
    this.#views = Array.from({ length: tree.preOrder.length })
    this.#facts = factsOf(rows)
    this.parents = parentPositions(tree)
    this.lasts = lastPositions(this.parents)
    this.spans = Array.from(tree.preOrder.keys()).filter((position) => tree.preOrder[position]! < rows.length)
  }

  /** The row of a position that is a span. */
  rowAt(position: number): SpanRow {
    return this.#rows[this.#entries[position]!]!
  }

  viewAt(position: number): View {
    return (this.#views[position] ??= this.#viewOf(position))
  }

  #viewOf(position: number): View {
    const view = spanView(this.rowAt(position), this.#facts, (json) => this.#origins.read(json))
    return { ...view, intrinsic: (name) => this.#structureAt(name, position) ?? view.intrinsic(name) }
  }

  #structureAt(name: string, position: number): readonly Held[] | undefined {
    switch (name) {
      case 'childCount':
        return [int(BigInt(this.#walk().childCounts[position]!))]
      case 'nestedSetLeft':
        return [int(BigInt(this.#walk().lefts[position]!))]
      case 'nestedSetRight':
        return [int(BigInt(this.#walk().rights[position]!))]
      case 'nestedSetParent':
        return [int(BigInt(this.#leftOfParent(position)))]
      default:
        return undefined
    }
  }

  #leftOfParent(position: number): number {
    if (this.rowAt(position).parentSpanId === '') return -1
    const parent = this.parents[position]!
    return parent < 0 ? 0 : this.#walk().lefts[parent]!
  }

  #walk(): Structure {
    return (this.#structure ??= structureOf(this.parents, this.lasts, this.spans))
  }
}

/**
 * The spans of a trace share few resources and scopes, and reading one costs more than everything else done for a span.
 */
class Origins {
  readonly #read = new Map<string, Origin>()

  read(json: string): Origin {
    let origin = this.#read.get(json)
    if (origin === undefined) this.#read.set(json, (origin = originOf(json)))
    return origin
  }
}

function treeOf(rows: readonly SpanRow[], origins: Origins): TraceTree {
  const origin = rows.reduce(
    (least, { startTimeUnixNano: start }) => (start < least ? start : least),
    rows[0]?.startTimeUnixNano ?? 0n,
  )
  return buildTraceTree({
    count: rows.length,
    ids: rows.map(({ spanId }) => spanId),
    parentIds: rows.map(({ parentSpanId }) => parentSpanId),
    noId: '',
    kinds: rows.map(({ kind }) => kind),
    starts: rows.map(({ startTimeUnixNano }) => Number(startTimeUnixNano - origin)),
    lengths: rows.map(({ durationNano }) => Number(durationNano)),
    names: rows.map(({ name }) => name),
    services: rows.map(({ resource }) => origins.read(resource).serviceName ?? ''),
  })
}

/** The same as in the store's summary of a trace: the root that starts first names it. */
function factsOf(rows: readonly SpanRow[]): TraceFacts {
  let root: SpanRow | undefined
  let [start, end] = [rows[0]?.startTimeUnixNano ?? 0n, rows[0]?.startTimeUnixNano ?? 0n]
  for (const row of rows) {
    const { startTimeUnixNano, durationNano } = row
    if (startTimeUnixNano < start) start = startTimeUnixNano
    if (startTimeUnixNano + durationNano > end) end = startTimeUnixNano + durationNano
    if (row.parentSpanId === '' && (root === undefined || startTimeUnixNano < root.startTimeUnixNano)) root = row
  }
  return {
    rootName: root?.name ?? '',
    rootService: root === undefined ? '' : (originOf(root.resource).serviceName ?? ''),
    durationNs: end - start,
  }
}

function parentPositions({ preOrder, parents, size }: TraceTree): Int32Array {
  const positions = new Int32Array(size).fill(-1)
  preOrder.forEach((entry, position) => (positions[entry] = position))
  return preOrder.map((entry) => (parents[entry]! < 0 ? -1 : positions[parents[entry]!]!))
}

function lastPositions(parents: Int32Array): Int32Array {
  const lasts = Int32Array.from(parents.keys())
  for (let position = parents.length - 1; position >= 0; position--) {
    const parent = parents[position]!
    if (parent >= 0 && lasts[position]! > lasts[parent]!) lasts[parent] = lasts[position]!
  }
  return lasts
}

interface Structure {
  readonly childCounts: Uint32Array
  /** 0 for parents that were never received. */
  readonly lefts: Uint32Array
  readonly rights: Uint32Array
}

function structureOf(parents: Int32Array, lasts: Int32Array, spans: readonly number[]): Structure {
  const size = parents.length
  const [childCounts, lefts, rights] = [new Uint32Array(size), new Uint32Array(size), new Uint32Array(size)]
  const isSpan = new Uint8Array(size)
  for (const position of spans) isSpan[position] = 1
  /** The number of spans before each position, and of spans above it. */
  const [before, above] = [new Uint32Array(size + 1), new Uint32Array(size)]
  for (let position = 0; position < size; position++) {
    before[position + 1] = before[position]! + isSpan[position]!
    const parent = parents[position]!
    if (parent < 0) continue
    childCounts[parent]!++
    above[position] = above[parent]! + isSpan[parent]!
  }
  for (const position of spans) {
    // The walk has entered each span before this one, and has left those that are not above it.
    lefts[position] = 1 + 2 * before[position]! - above[position]!
    rights[position] = lefts[position]! + 2 * (before[lasts[position]! + 1]! - before[position]!) - 1
  }
  return { childCounts, lefts, rights }
}
