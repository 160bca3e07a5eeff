/**
 * A large batch as a series of small ones, for work that must not hold the event loop. The slices are views of the
 * batch's columns, so they live only as long as the batch. Added in order they give the same rows.
 *
 *   10,000 spans                    -> 3 slices of up to 4096 rows
 *   one span with 40,000 attributes -> 2 slices without rows, which begin that span's attributes, and one with the span
 */
import type { AttributeColumns } from './attribute-columns.ts'
import type { EventBatch } from './event-batch.ts'
import type { SpanBatch } from './span-batch.ts'

type Batch = SpanBatch | EventBatch

/** The maximum number of attributes in one slice, or other parts of the same cost: a few milliseconds for each step. */
const weightMax = 1 << 14
/** The cost of a row without attributes, and of a span event or a link, counted in attributes. */
const rowWeight = 4
const listItemWeight = 8

/** Whether a batch comes in several slices; nearly all come in one. */
export function isLarge(batch: Batch): boolean {
  return weightOf(batch) > weightMax
}

/**
 * The batch itself when it is small. With `wholeRows` the attributes of a row stay in one slice, however many they are.
 */
export function* slicesOf<B extends Batch>(batch: B, { wholeRows = false } = {}): Generator<B> {
  if (!isLarge(batch)) {
    yield batch
    return
  }
  const lists = batch.signal === 'spans' ? { events: batch.events, links: batch.links } : undefined
  const { ends } = batch.attributes
  let from = 0
  let entry = 0
  while (from < batch.rows) {
    let to = from
    let weight = 0
    while (to < batch.rows) {
      const attributes = ends[to]! - (to === from ? entry : ends[to - 1]!)
      const items = (lists?.events.get(to)?.length ?? 0) + (lists?.links.get(to)?.length ?? 0)
      weight += rowWeight + attributes + items * listItemWeight
      if (weight > weightMax && to > from) break
      to++
      if (weight > weightMax) break
    }
    // Only the first row of a slice can be too large: its attributes come in slices of their own.
    while (!wholeRows && ends[from]! - entry > weightMax) {
      yield sliceOf(batch, { from, to: from, entry, entryEnd: entry + weightMax })
      entry += weightMax
    }
    const entryEnd = ends[to - 1]!
    yield sliceOf(batch, { from, to, entry, entryEnd })
    entry = entryEnd
    from = to
  }
}

function weightOf(batch: Batch): number {
  const base = batch.rows * rowWeight + batch.attributes.keys.length
  if (batch.signal === 'events' || base > weightMax) return base
  let items = 0
  for (const list of batch.events.values()) items += list.length
  for (const list of batch.links.values()) items += list.length
  return base + items * listItemWeight
}

interface Range {
  /** Rows [from, to). */
  readonly from: number
  readonly to: number
  /** Attributes [entry, entryEnd). Those past the end of the last row belong to the first row of the next slice. */
  readonly entry: number
  readonly entryEnd: number
}

function sliceOf<B extends Batch>(batch: B, range: Range): B {
  const slice: Batch = batch.signal === 'spans' ? sliceOfSpans(batch, range) : sliceOfEvents(batch, range)
  return slice as B
}

function sliceOfSpans(batch: SpanBatch, range: Range): SpanBatch {
  const { from, to } = range
  const { ranges } = batch
  return {
    ...batch,
    ...sharedOf(batch, range),
    traceIds: batch.traceIds.subarray(from * 16, to * 16),
    spanIds: batch.spanIds.subarray(from * 8, to * 8),
    parentSpanIds: batch.parentSpanIds.subarray(from * 8, to * 8),
    startTimes: batch.startTimes.subarray(from, to),
    durations: batch.durations.subarray(from, to),
    kinds: batch.kinds.subarray(from, to),
    statuses: batch.statuses.subarray(from, to),
    names: batch.names.subarray(from, to),
    flags: batch.flags.subarray(from, to),
    droppedEvents: batch.droppedEvents.subarray(from, to),
    droppedLinks: batch.droppedLinks.subarray(from, to),
    traceStates: batch.traceStates.subarray(from * 2, to * 2),
    statusMessages: batch.statusMessages.subarray(from * 2, to * 2),
    ...(ranges === undefined
      ? {}
      : { ranges: { starts: ranges.starts.subarray(from, to), ends: ranges.ends.subarray(from, to) } }),
    events: listsOf(batch.events, range),
    links: listsOf(batch.links, range),
  }
}

function sliceOfEvents(batch: EventBatch, range: Range): EventBatch {
  const { from, to } = range
  return {
    ...batch,
    ...sharedOf(batch, range),
    times: batch.times.subarray(from, to),
    observedTimes: batch.observedTimes.subarray(from, to),
    timeGiven: batch.timeGiven.subarray(from, to),
    traceIds: batch.traceIds.subarray(from * 16, to * 16),
    spanIds: batch.spanIds.subarray(from * 8, to * 8),
    severityNumbers: batch.severityNumbers.subarray(from, to),
    severityTexts: batch.severityTexts.subarray(from, to),
    types: batch.types.subarray(from, to),
    flags: batch.flags.subarray(from, to),
    bodyTypes: batch.bodyTypes.subarray(from, to),
    bodies: batch.bodies.subarray(from * 2, to * 2),
  }
}

type Shared = Pick<
  SpanBatch,
  'rows' | 'resources' | 'scopes' | 'resourceIndexes' | 'scopeIndexes' | 'droppedAttributes' | 'attributes'
>

function sharedOf(batch: Batch, range: Range): Shared {
  const { from, to } = range
  const resources = used(batch.resources, batch.resourceIndexes.subarray(from, to))
  const scopes = used(batch.scopes, batch.scopeIndexes.subarray(from, to))
  return {
    rows: to - from,
    resources: resources.items,
    resourceIndexes: resources.indexes,
    scopes: scopes.items,
    scopeIndexes: scopes.indexes,
    droppedAttributes: batch.droppedAttributes.subarray(from, to),
    attributes: attributesOf(batch.attributes, range),
  }
}

function attributesOf(columns: AttributeColumns, { from, to, entry, entryEnd }: Range): AttributeColumns {
  return {
    ends: columns.ends.subarray(from, to).map((end) => end - entry),
    keys: columns.keys.subarray(entry, entryEnd),
    types: columns.types.subarray(entry, entryEnd),
    a: columns.a.subarray(entry, entryEnd),
    b: columns.b.subarray(entry, entryEnd),
  }
}

/**
 * The part of a list that a slice refers to, and the indexes into that part, because adding a slice reads all its
 * items.
 */
function used<T>(items: readonly T[], indexes: Uint32Array): { items: readonly T[]; indexes: Uint32Array } {
  let first = items.length
  let last = -1
  for (const index of indexes) {
    if (index < first) first = index
    if (index > last) last = index
  }
  if (last < 0) return { items: [], indexes }
  return { items: items.slice(first, last + 1), indexes: first === 0 ? indexes : indexes.map((index) => index - first) }
}

function listsOf<T>(lists: ReadonlyMap<number, T>, { from, to }: Range): Map<number, T> {
  const found = new Map<number, T>()
  if (lists.size === 0) return found
  for (let row = from; row < to; row++) {
    const list = lists.get(row)
    if (list !== undefined) found.set(row - from, list)
  }
  return found
}
