/**
 * Runs of spans in order of arrival. A run is what consecutive spans of one record share, 40 bytes. A request has about
 * as many runs as it has resources.
 */
import type { Position } from '../../model/log.ts'
import type { Resource, Scope } from '../../model/resource.ts'

export interface Run {
  readonly position: Position
  /** When the record was handed over, by the clock of this process. */
  readonly atMs: number
  /** The origin of all its spans; `undefined` when they cannot be read one by one. */
  readonly origin: Origin | undefined
}

export interface Origin {
  readonly resource: Resource
  readonly scope: Scope
}

const capacityMin = 64

export class RunRing {
  #firsts = new Float64Array(capacityMin)
  #positions = new Float64Array(capacityMin)
  #times = new Float64Array(capacityMin)
  #resources: (Resource | undefined)[] = []
  #scopes: (Scope | undefined)[] = []
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#firsts.length * 40
  }

  /** `first` is the number of the run's first span, higher than all before. */
  push(first: number, { position, atMs, origin }: Run): void {
    if (this.#size === this.#firsts.length) this.#grow()
    const at = this.#at(this.#size++)
    this.#firsts[at] = first
    this.#positions[at] = position
    this.#times[at] = atMs
    this.#resources[at] = origin?.resource
    this.#scopes[at] = origin?.scope
  }

  /** The oldest run; there must be one. */
  get oldest(): Run {
    return this.#runAt(this.#head)
  }

  /** Number of the first span of the second oldest run; `undefined` when there is none. */
  get secondFirst(): number | undefined {
    return this.#size < 2 ? undefined : this.#firsts[this.#at(1)]
  }

  shift(): void {
    this.#resources[this.#head] = undefined
    this.#scopes[this.#head] = undefined
    this.#head = this.#at(1)
    this.#size--
  }

  /** The run of the span with this number. The span must be in one. */
  runOf(span: number): Run {
    let low = 0
    let high = this.#size - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#firsts[this.#at(middle)]! <= span) low = middle
      else high = middle - 1
    }
    return this.#runAt(this.#at(low))
  }

  #runAt(at: number): Run {
    const [resource, scope] = [this.#resources[at], this.#scopes[at]]
    const origin = resource === undefined || scope === undefined ? undefined : { resource, scope }
    return { position: this.#positions[at] as Position, atMs: this.#times[at]!, origin }
  }

  #at(index: number): number {
    return (this.#head + index) & (this.#firsts.length - 1)
  }

  /** Called only when the ring is full. */
  #grow(): void {
    const turned = (column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const wider = new Float64Array(column.length * 2)
      wider.set(column.subarray(this.#head))
      wider.set(column.subarray(0, this.#head), column.length - this.#head)
      return wider
    }
    this.#firsts = turned(this.#firsts)
    this.#positions = turned(this.#positions)
    this.#times = turned(this.#times)
    this.#resources = [...this.#resources.slice(this.#head), ...this.#resources.slice(0, this.#head)]
    this.#scopes = [...this.#scopes.slice(this.#head), ...this.#scopes.slice(0, this.#head)]
    this.#head = 0
  }
}
