/** Computes numbers of sets of spans, such as `count()`. */
import { arithmetic, type ArithmeticOperator } from '../../../model/query.ts'
import { numberOf } from '../check-field.ts'
import { printScalar } from '../print.ts'
import type { Aggregate, AggregateFunction, OrderOperator, Scalar, ScalarFilter, Stage } from '../syntax.ts'
import { compileNumbers } from './field-values.ts'
import { union, unionOf } from './relations.ts'
import type { Choice, NamedNumber, Spanset, Step } from './spanset.ts'
import type { TraceIndex } from './trace-index.ts'

interface Computed {
  /** Undefined when no span has a number; then every comparison is false. */
  readonly value: number | undefined
  /** The spans that were looked at. */
  readonly spans: readonly number[]
  readonly numbers: readonly NamedNumber[]
}

type Compute = (set: Spanset, index: TraceIndex) => Computed
export type CompileStages = (stages: readonly Stage[]) => Step

/** Keeps the spans that were looked at, or none. */
export function compileScalarFilter({ operator, left, right }: ScalarFilter, compileStages: CompileStages): Choice {
  const [leftOf, rightOf] = [compileScalar(left, compileStages), compileScalar(right, compileStages)]
  return (set, index) => {
    const [a, b] = [leftOf(set, index), rightOf(set, index)]
    const isMet = a.value !== undefined && b.value !== undefined && comparisons[operator](a.value, b.value)
    if (!isMet) return { spans: [], numbers: [] }
    return { spans: union(a.spans, b.spans), numbers: [...a.numbers, ...b.numbers] }
  }
}

const comparisons: Readonly<Record<OrderOperator, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b && !Number.isNaN(a) && !Number.isNaN(b),
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

function compileScalar(scalar: Scalar, compileStages: CompileStages): Compute {
  switch (scalar.kind) {
    case 'literal': {
      const value = Number(numberOf(scalar))
      return () => ({ value, spans: [], numbers: [] })
    }
    case 'aggregate':
      return compileAggregate(scalar)
    case 'scalarArithmetic': {
      const { operator, left, right } = scalar
      return compileArithmetic(operator, compileScalar(left, compileStages), compileScalar(right, compileStages))
    }
    case 'scalarPipeline': {
      // The number of all spans that the pipeline finds, whatever sets they are in.
      const [step, compute] = [compileStages(scalar.stages), compileScalar(scalar.scalar, compileStages)]
      const name = printScalar(scalar)
      return (set, index) => {
        const spans = unionOf(step([set], index).map((found) => found.spans))
        const { value } = compute({ spans, labels: [], numbers: [] }, index)
        return { value, spans, numbers: value === undefined ? [] : [{ name, value }] }
      }
    }
  }
}

function compileArithmetic(operator: ArithmeticOperator, left: Compute, right: Compute): Compute {
  return (set, index) => {
    const [a, b] = [left(set, index), right(set, index)]
    const isKnown = a.value !== undefined && b.value !== undefined
    return {
      value: isKnown ? arithmetic[operator](a.value, b.value) : undefined,
      spans: union(a.spans, b.spans),
      numbers: [...a.numbers, ...b.numbers],
    }
  }
}

function compileAggregate(aggregate: Aggregate): Compute {
  const { function: name, of } = aggregate
  const label = printScalar(aggregate)
  const numbersOf = of === undefined ? () => [1] : compileNumbers(of)
  return ({ spans }, index) => {
    const total = new Total()
    for (const position of spans) for (const number of numbersOf(index.viewAt(position))) total.add(number)
    const value = total.get(name)
    return { value, spans, numbers: value === undefined ? [] : [{ name: label, value }] }
  }
}

class Total {
  #count = 0
  #sum = 0
  #min = Infinity
  #max = -Infinity

  add(number: number): void {
    this.#count++
    this.#sum += number
    if (number < this.#min) this.#min = number
    if (number > this.#max) this.#max = number
  }

  get(name: AggregateFunction): number | undefined {
    if (name === 'count') return this.#count
    if (this.#count === 0) return undefined
    switch (name) {
      case 'avg':
        return this.#sum / this.#count
      case 'min':
        return this.#min
      case 'max':
        return this.#max
      case 'sum':
        return this.#sum
    }
  }
}
