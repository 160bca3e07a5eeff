/**
 * Which spans of a batch meet a query, by the evaluator on the batch's columns. Only the values in the query are read.
 */
import { parseTypedAttributes, type AttributeValue } from '../../model/attributes.ts'
import { compileTest, type Place, type View } from '../../model/evaluate/evaluate.ts'
import type { Held } from '../../model/evaluate/held-value.ts'
import { int, text, valuesUnder } from '../../model/evaluate/view-parts.ts'
import type { Intrinsic, SpanQuery } from '../../model/query.ts'
import type { SpanBatch, SpanEvent, SpanLink } from '../../model/span-batch.ts'
import { entryText, idText, referredText, valueOf, withoutZeros } from '../../model/span-row-reader.ts'

/** 1 for each row that meets the query, else 0; `undefined` when only the store can tell for some row. */
export function matchingRows(batch: SpanBatch, { where, startNs, endNs }: SpanQuery): Uint8Array | undefined {
  const isMet = compileTest(where)
  const view = new RowView(batch)
  const found = new Uint8Array(batch.rows)
  for (let row = 0; row < batch.rows; row++) {
    const start = batch.startTimes[row]!
    if ((startNs !== undefined && start < startNs) || (endNs !== undefined && start >= endNs)) continue
    view.row = row
    found[row] = isMet(view) ? 1 : 0
    if (view.isUncertain) return undefined
  }
  return found
}

/** One row at a time. */
class RowView implements View {
  readonly own = 'span'
  row = 0
  /** The query needs something that the batch does not have, or a value that a store may see differently. */
  isUncertain = false
  readonly #batch: SpanBatch
  readonly #entries = new Map<string, number>()

  constructor(batch: SpanBatch) {
    this.#batch = batch
  }

  hasWord(): boolean {
    return false
  }

  attribute(place: Place, key: string): AttributeValue[] {
    const { resources, resourceIndexes, scopes, scopeIndexes, events, links } = this.#batch
    switch (place) {
      case 'span':
        return this.#sure(this.#ownValues(key))
      case 'resource':
        return this.#sure(valuesUnder(key, resources[resourceIndexes[this.row]!]!.attributes))
      case 'instrumentation':
        return this.#sure(valuesUnder(key, scopes[scopeIndexes[this.row]!]!.attributes))
      case 'event':
        return listValues(events.get(this.row), key)
      case 'link':
        return listValues(links.get(this.row), key)
    }
  }

  intrinsic(name: Intrinsic['name']): readonly Held[] {
    const { row } = this
    const batch = this.#batch
    switch (name) {
      case 'name':
        return [text(entryText(batch, batch.names[row]!))]
      case 'duration':
        return [int(batch.durations[row]!)]
      case 'startTime':
        return [int(batch.startTimes[row]!)]
      case 'status':
        return [{ type: 'status', value: batch.statuses[row]! }]
      case 'statusMessage':
        return [text(referredText(batch.arena, batch.statusMessages, row))]
      case 'kind':
        return [{ type: 'kind', value: batch.kinds[row]! }]
      case 'service':
        return [text(batch.resources[batch.resourceIndexes[row]!]!.serviceName)]
      case 'traceId':
        return [text(idText(batch.traceIds, row, 16))]
      case 'spanId':
        return [text(idText(batch.spanIds, row, 8))]
      case 'parentId': {
        const id = withoutZeros(idText(batch.parentSpanIds, row, 8))
        return id === '' ? [] : [text(id)]
      }
      default:
        return this.#listIntrinsic(name)
    }
  }

  #listIntrinsic(name: Intrinsic['name']): readonly Held[] {
    const { scopes, scopeIndexes, startTimes, events, links } = this.#batch
    const scope = scopes[scopeIndexes[this.row]!]!
    switch (name) {
      case 'instrumentationName':
        return [text(scope.name)]
      case 'instrumentationVersion':
        return [text(scope.version)]
      case 'eventName':
        return (events.get(this.row) ?? []).map((event) => text(event.name))
      case 'eventTimeSinceStart':
        return (events.get(this.row) ?? []).map((event) => int(event.timeUnixNano - startTimes[this.row]!))
      case 'linkTraceId':
        return (links.get(this.row) ?? []).map(({ traceId }) => text(idText(traceId, 0, 16)))
      case 'linkSpanId':
        return (links.get(this.row) ?? []).map(({ spanId }) => text(idText(spanId, 0, 8)))
      case 'rootName':
      case 'rootService':
      case 'traceDuration':
        this.isUncertain = true
        return []
      default:
        return []
    }
  }

  #ownValues(key: string): AttributeValue[] {
    const { ends, keys } = this.#batch.attributes
    const entry = this.#entryOf(key)
    const values: AttributeValue[] = []
    if (entry < 0) return values
    for (let at = this.row === 0 ? 0 : ends[this.row - 1]!; at < ends[this.row]!; at++) {
      if (keys[at] === entry) values.push(valueOf(this.#batch, this.#batch.attributes, at))
    }
    return values
  }

  /** The number of a text in the batch's dictionary, or -1. */
  #entryOf(key: string): number {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const { arena, dictionary } = this.#batch
    const bytes = Buffer.from(key)
    const entry = dictionary.starts.findIndex(
      (start, i) => dictionary.lengths[i] === bytes.length && bytes.compare(arena, start, start + bytes.length) === 0,
    )
    this.#entries.set(key, entry)
    return entry
  }

  /** When a key has several values, it is not specified which of them a search in the store compares. */
  #sure(values: AttributeValue[]): AttributeValue[] {
    if (values.length > 1) this.isUncertain = true
    return values
  }
}

function listValues(list: readonly (SpanEvent | SpanLink)[] | undefined, key: string): AttributeValue[] {
  return (list ?? []).flatMap(({ attributes }) => valuesUnder(key, parseTypedAttributes(attributes)))
}
