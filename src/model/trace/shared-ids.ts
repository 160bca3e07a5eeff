/** Who is the parent, where several spans of a trace have one id (rules 7 and 8 in trace-tree.ts). */
import { isCallee, isCaller } from './call-half.ts'
import type { TreeSpans } from './trace-tree.ts'

/** The first of each half of a call whose halves have one id; -1 for none. */
interface Halves {
  caller: number
  callee: number
  readonly calleeOfService: Map<string | number, number>
}

type Columns<Id> = Pick<TreeSpans<Id>, 'ids' | 'parentIds' | 'kinds' | 'services'>

export class SharedIds<Id> {
  readonly #spans: Columns<Id>
  readonly #first = new Map<Id, number>()
  readonly #halves = new Map<Id, Halves>()

  /** Spans are looked at in `order`; those not shown as themselves are left out. */
  constructor(spans: Columns<Id> & { readonly noId: Id }, order: Iterable<number>, shownAs: Int32Array) {
    this.#spans = spans
    for (const span of order) {
      if (shownAs[span] !== span || spans.ids[span] === spans.noId) continue
      const id = spans.ids[span]!
      const first = this.#first.get(id)
      if (first === undefined) this.#first.set(id, span)
      else this.#addHalves(id, first, span)
    }
  }

  #addHalves(id: Id, first: number, span: number): void {
    let halves = this.#halves.get(id)
    if (halves === undefined) {
      halves = { caller: -1, callee: -1, calleeOfService: new Map() }
      this.#halves.set(id, halves)
      this.#addHalf(halves, first)
    }
    this.#addHalf(halves, span)
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
    const { ids, kinds } = this.#spans
    return isCallee(kinds[span]!) ? (this.#halves.get(ids[span]!)?.caller ?? -1) : -1
  }

  /** The span that the parent id of a span names; -1 when there is none. */
  parentOf(span: number): number {
    const { parentIds, services } = this.#spans
    const parentId = parentIds[span]!
    const halves = this.#halves.get(parentId)
    if (halves === undefined || halves.callee < 0) return this.#first.get(parentId) ?? -1
    const service = services[span]!
    const own = halves.calleeOfService.get(service)
    if (own !== undefined) return own
    return halves.caller >= 0 && services[halves.caller] === service ? halves.caller : halves.callee
  }
}
