/** What flows between the stages of a query: sets of spans of one trace. */
import type { Held } from '../../../model/evaluate/held-value.ts'
import type { TraceIndex } from './trace-index.ts'

export interface Spanset {
  /** Positions in the trace's index, ascending; at least one. */
  readonly spans: readonly number[]
  /** The values by which `by` formed the set. */
  readonly labels: readonly Label[]
  /** The numbers that scalar filters computed for the set. */
  readonly numbers: readonly NamedNumber[]
}

export interface Label {
  /** As in the query: `resource.service.name`. */
  readonly name: string
  /** None when the spans have no value. */
  readonly values: readonly Held[]
}

export interface NamedNumber {
  /** As in the query: `avg(duration)`. */
  readonly name: string
  readonly value: number
}

/** A stage: sets in, sets out, in the same order. */
export type Step = (sets: readonly Spanset[], index: TraceIndex) => readonly Spanset[]

/** What a stage keeps of one set: no spans when it drops the set. */
export type Choice = (set: Spanset, index: TraceIndex) => Pick<Spanset, 'spans' | 'numbers'>
