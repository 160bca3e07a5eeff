/** Finds the parent when several spans of a trace have one id (rules 7 and 8 in trace-tree.ts). */
import { isCallee, isCaller } from './call-half.ts'
import type { TreeSpans } from './trace-tree.ts'

/** Where the spans of an id are. */
export interface IdIndex<Id> {
  /** The first span with each id. */
  readonly first: ReadonlyMap<Id, number>
  /** For each span, the first span with its id; itself when it has no id. */
  readonly firstOf: Int32Array
}

export function indexIds<Id>(
  { count, ids, noId }: Pick<TreeSpans<Id>, 'count' | 'ids' | 'noId'>,
  order: Iterable<number>,
): IdIndex<Id> {
  const first = new Map<Id, number>()
  const firstOf = new Int32Array(count)
  for (const span of order) {
    const id = ids[span]!
    const known = id === noId ? span : first.get(id)
    firstOf[span] = known ?? span
    if (known === undefined) first.set(id, span)
  }
  return { first, firstOf }
}

/** For a call whose halves have one id, the first span of each half; -1 for none. */
interface Halves {
  caller: number
  callee: number
  readonly calleeOfService: Map<string | number, number>
}

type Columns<Id> = Pick<TreeSpans<Id>, 'parentIds' | 'kinds' | 'services'>

export class SharedIds<Id> {
  readonly #spans: Columns<Id>
  readonly #index: IdIndex<Id>
  readonly #shownAs: Int32Array
  /** The key is the first span with the id. */
  readonly #halves = new Map<number, Halves>()

  /** Spans are added in `order`; those not shown as themselves are left out. */
  constructor(spans: Columns<Id>, order: Iterable<number>, { index, shownAs }: SharedIdsOptions<Id>) {
    this.#spans = spans
    this.#index = index
    this.#shownAs = shownAs
    for (const span of order) {
      const first = index.firstOf[span]!
      if (first === span || shownAs[span] !== span) continue
      let halves = this.#halves.get(first)
      if (halves === undefined) {
        halves = { caller: -1, callee: -1, calleeOfService: new Map() }
        this.#halves.set(first, halves)
        this.#addHalf(halves, shownAs[first]!)
      }
      this.#addHalf(halves, span)
    }
  }

  #addHalf(halves: Halves, span: number): void {
    const { kinds, services } = this.#spans
    const service = services[span]!
    if (isCaller(kinds[span]!) && halves.caller < 0) halves.caller = span
    if (!isCallee(kinds[span]!)) return
    if (halves.callee < 0) halves.callee = span
    if (!halves.calleeOfService.has(service)) halves.calleeOfService.set(service, span)
  }

  /** The client half that a server half hangs under; -1 when the span is no such half. */
  callerHalfOf(span: number): number {
    return isCallee(this.#spans.kinds[span]!) ? (this.#halves.get(this.#index.firstOf[span]!)?.caller ?? -1) : -1
  }

  /** The span that the parent id of a span names; -1 when there is none. */
  parentOf(span: number): number {
    const { parentIds, services } = this.#spans
    const first = this.#index.first.get(parentIds[span]!)
    if (first === undefined) return -1
    const halves = this.#halves.get(first)
    if (halves === undefined || halves.callee < 0) return this.#shownAs[first]!
    const service = services[span]!
    const own = halves.calleeOfService.get(service)
    if (own !== undefined) return own
    return halves.caller >= 0 && services[halves.caller] === service ? halves.caller : halves.callee
  }
}

interface SharedIdsOptions<Id> {
  readonly index: IdIndex<Id>
  readonly shownAs: Int32Array
}
