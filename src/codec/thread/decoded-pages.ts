/**
 * A decoded request on its way from the decoding thread to the main one. Columns are transferred without a copy.
 * Objects are copied, and reading them blocks the main thread, so they come in pages. The main thread requests each
 * page after it has read the previous one.
 *
 *   head · texts* · resources* · scopes* · events* · links* · (the end)
 */
import { isMarkedAsUntransferable } from 'node:worker_threads'
import type { InputCode } from '../../base/errors.ts'
import type { Resource, Scope } from '../../model/resource.ts'
import type { SpanEvent, SpanLink } from '../../model/span-batch.ts'
import type { Batch, Decoded } from '../codec.ts'

export type ToThread =
  | { readonly kind: 'decode'; readonly codec: string; readonly body: Uint8Array; readonly receivedAtMs: number }
  | { readonly kind: 'more' }

/** Rows, and items that belong to them: a long list may come in several parts. */
type Lists<T> = readonly (readonly [row: number, items: readonly T[]])[]

export type FromThread =
  | { readonly kind: 'head'; readonly decoded: Decoded }
  | { readonly kind: 'texts'; readonly items: readonly string[] }
  | { readonly kind: 'resources'; readonly items: readonly Resource[] }
  | { readonly kind: 'scopes'; readonly items: readonly Scope[] }
  | { readonly kind: 'events'; readonly items: Lists<SpanEvent> }
  | { readonly kind: 'links'; readonly items: Lists<SpanLink> }
  | { readonly kind: 'end' }
  | { readonly kind: 'refused'; readonly code: InputCode; readonly message: string; readonly at: string | undefined }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string | undefined }

/** The approximate bytes of objects in a page, which take about five milliseconds to read. */
const pageWeightMax = 1 << 18
/** The assumed size of an object without its texts. */
const objectWeight = 128

/** Every page of the decoded request, the head first; `transfer` lists the buffers that move with a page. */
export function* pagesOf(decoded: Decoded): Generator<{ page: FromThread; transfer: ArrayBuffer[] }> {
  const { batch } = decoded
  const spans = batch.signal === 'spans' ? batch : undefined
  const bare: Batch = {
    ...batch,
    texts: [],
    resources: [],
    scopes: [],
    ...(spans === undefined ? {} : { events: new Map(), links: new Map() }),
  }
  const columns = batch.traceIds.buffer as ArrayBuffer
  const arena = batch.arena.buffer as ArrayBuffer
  const transfer = [columns, arena].filter((buffer) => !isMarkedAsUntransferable(buffer))
  yield { page: { kind: 'head', decoded: { ...decoded, batch: bare } }, transfer }
  for (const items of pieces(batch.texts, (text) => text.length)) yield plain({ kind: 'texts', items })
  for (const items of pieces(batch.resources, resourceWeight)) yield plain({ kind: 'resources', items })
  for (const items of pieces(batch.scopes, resourceWeight)) yield plain({ kind: 'scopes', items })
  for (const items of listPieces(spans?.events)) yield plain({ kind: 'events', items })
  for (const items of listPieces(spans?.links)) yield plain({ kind: 'links', items })
  yield plain({ kind: 'end' })
}

function plain(page: FromThread): { page: FromThread; transfer: ArrayBuffer[] } {
  return { page, transfer: [] }
}

function resourceWeight({ json, attributes }: Resource | Scope): number {
  return json.length * 2 + attributes.length * objectWeight
}

function* pieces<T>(items: readonly T[], weigh: (item: T) => number): Generator<T[]> {
  let piece: T[] = []
  let weight = 0
  for (const item of items) {
    piece.push(item)
    weight += objectWeight + weigh(item)
    if (weight < pageWeightMax) continue
    yield piece
    piece = []
    weight = 0
  }
  if (piece.length > 0) yield piece
}

type ListItem = { readonly attributes: string }

function* listPieces<T extends ListItem>(lists: ReadonlyMap<number, readonly T[]> = new Map()): Generator<Lists<T>> {
  let piece: [number, T[]][] = []
  let weight = 0
  for (const [row, items] of lists) {
    let part: T[] = []
    piece.push([row, part])
    for (const item of items) {
      part.push(item)
      weight += objectWeight + item.attributes.length
      if (weight < pageWeightMax) continue
      yield piece
      part = []
      piece = [[row, part]]
      weight = 0
    }
  }
  if (piece.length > 0) yield piece
}

/** Joins the pages of one request again. */
export class PageJoiner {
  #decoded: Decoded | undefined
  readonly #texts: string[] = []
  readonly #resources: Resource[] = []
  readonly #scopes: Scope[] = []
  readonly #events = new Map<number, SpanEvent[]>()
  readonly #links = new Map<number, SpanLink[]>()

  add(page: FromThread): void {
    switch (page.kind) {
      case 'head':
        this.#decoded = page.decoded
        break
      case 'texts':
        for (const text of page.items) this.#texts.push(text)
        break
      case 'resources':
        for (const resource of page.items) this.#resources.push(resource)
        break
      case 'scopes':
        for (const scope of page.items) this.#scopes.push(scope)
        break
      case 'events':
        join(this.#events, page.items)
        break
      case 'links':
        join(this.#links, page.items)
    }
  }

  /** Call this once, after the last page. */
  finish(): Decoded {
    const decoded = this.#decoded!
    const shared = { texts: this.#texts, resources: this.#resources, scopes: this.#scopes }
    const batch: Batch =
      decoded.batch.signal === 'spans'
        ? { ...decoded.batch, ...shared, events: this.#events, links: this.#links }
        : { ...decoded.batch, ...shared }
    return { ...decoded, batch }
  }
}

function join<T>(to: Map<number, T[]>, lists: Lists<T>): void {
  for (const [row, items] of lists) {
    if (items.length === 0) continue
    const list = to.get(row)
    if (list === undefined) to.set(row, [...items])
    else for (const item of items) list.push(item)
  }
}
