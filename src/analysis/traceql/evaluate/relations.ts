/**
 * Relations between two sets of spans of one trace. A set is a list of ascending positions (trace-index.ts). Each
 * relation takes time proportional to the sizes of the sets, times the logarithm of the first. The size of the trace
 * does not matter, because a query may relate many small sets.
 */
import type { Relation, SpansetOperator } from '../syntax.ts'
import type { TraceIndex } from './trace-index.ts'

type Positions = readonly number[]

/** The spans that an operator on two sets returns, ascending. */
export function related(operator: SpansetOperator, left: Positions, right: Positions, index: TraceIndex): Positions {
  if (operator === '&&') return left.length > 0 && right.length > 0 ? union(left, right) : []
  if (operator === '||') return union(left, right)
  const sign = operator[0]
  const relation = (sign === '!' || sign === '&' ? operator.slice(1) : operator) as Relation
  const isRelated = tests[relation](left, index)
  if (sign === '!') return right.filter((position) => !isRelated(position))
  const found = right.filter(isRelated)
  // A span of the left side takes part when it has the opposite relation to a span of the right side.
  return sign === '&' ? union(left.filter(tests[opposites[relation]](right, index)), found) : found
}

const opposites: Readonly<Record<Relation, Relation>> = { '>': '<', '<': '>', '>>': '<<', '<<': '>>', '~': '~' }

type PositionTest = (position: number) => boolean

/**
 * For the left set, a function that says whether a span of the right set has the relation to any span of the left set.
 */
const tests: Readonly<Record<Relation, (left: Positions, index: TraceIndex) => PositionTest>> = {
  /** The child of one. */
  '>'(left, { parents }) {
    const set = new Set(left)
    return (position) => set.has(parents[position]!)
  },
  /** The parent of one. */
  '<'(left, { parents }) {
    const set = new Set(left.map((position) => parents[position]!))
    return (position) => set.has(position)
  },
  /** Below one: the subtree of a span before it reaches this position. */
  '>>'(left, { lasts }) {
    const reaches: number[] = []
    let reach = -1
    for (const position of left) reaches.push((reach = Math.max(reach, lasts[position]!)))
    return (position) => {
      const before = countBelow(left, position)
      return before > 0 && reaches[before - 1]! >= position
    }
  },
  /** Above one: the first of them after it is below it. */
  '<<'(left, { lasts }) {
    return (position) => {
      const next = left[countBelow(left, position + 1)]
      return next !== undefined && next <= lasts[position]!
    }
  },
  /** A sibling of one, under the same parent. Roots have no parent, so they are not siblings. */
  '~'(left, { parents }) {
    const counts = new Map<number, number>()
    for (const position of left) counts.set(parents[position]!, (counts.get(parents[position]!) ?? 0) + 1)
    const set = new Set(left)
    return (position) => {
      const parent = parents[position]!
      return parent >= 0 && (counts.get(parent) ?? 0) > (set.has(position) ? 1 : 0)
    }
  },
}

/** How many of the ascending positions are below a bound. */
function countBelow(positions: Positions, bound: number): number {
  let [low, high] = [0, positions.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (positions[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}

/** The positions of both sets: ascending, each once. */
export function union(left: Positions, right: Positions): Positions {
  if (left.length === 0) return right
  if (right.length === 0) return left
  const merged: number[] = []
  let [i, j] = [0, 0]
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i] ?? Infinity, right[j] ?? Infinity]
    merged.push(Math.min(a, b))
    if (a <= b) i++
    if (b <= a) j++
  }
  return merged
}

/** All positions of many lists: ascending, each once. Faster than a `union` for each list. */
export function unionOf(lists: readonly Positions[]): Positions {
  if (lists.length < 2) return lists[0] ?? []
  return [...new Set(lists.flat())].sort((a, b) => a - b)
}
