/**
 * Conditions on the spans of one trace, which a store turns into one query. They are kept small: a condition that is
 * too large for a store is weakened, so that more traces match. The result stays right, because the candidates are
 * evaluated afterwards.
 */
import { InputError } from '../../base/errors.ts'
import { checkLimits, childrenOf } from '../../model/query-limits.ts'
import { everything, type Operand, type Predicate } from '../../model/query.ts'

export type TraceCondition =
  /** Met when some span meets it. */
  | { readonly kind: 'some'; readonly where: Predicate }
  | { readonly kind: 'and'; readonly of: readonly TraceCondition[] }
  | { readonly kind: 'or'; readonly of: readonly TraceCondition[] }

/** The maximum number of span conditions in one trace condition; the same as in a store's predicate. */
const conditionsMax = 250

export function some(where: Predicate): TraceCondition {
  return { kind: 'some', where }
}

/** All that fit must be met. Leaving some out only lets more traces through. */
export function every(of: readonly TraceCondition[]): TraceCondition {
  let size = 0
  const fitting = of.filter((condition) => {
    const more = sizeOf(condition)
    if (size + more > conditionsMax) return false
    size += more
    return true
  })
  if (fitting.length === 0) return some(everything)
  return fitting.length === 1 ? fitting[0]! : { kind: 'and', of: fitting }
}

/** Any of them must be met. None may be left out, so too many become a condition that every trace meets. */
export function either(of: readonly TraceCondition[]): TraceCondition {
  if (of.reduce((size, condition) => size + sizeOf(condition), 0) > conditionsMax) return some(everything)
  return of.length === 1 ? of[0]! : { kind: 'or', of }
}

/** Whether a store accepts it. Counting stops at the limits, so a tree with shared branches costs no more. */
export function fits(predicate: Predicate): boolean {
  try {
    checkLimits(predicate)
    return true
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}

/** The number of comparisons, for predicates that fit. */
function sizeOf(condition: TraceCondition): number {
  const waiting: (TraceCondition | Predicate | Operand)[] = [condition]
  let size = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'some') waiting.push(next.where)
    else if (next.kind === 'compare') size++
    else if (next.kind === 'and' || next.kind === 'or') waiting.push(...next.of)
    else waiting.push(...childrenOf(next))
  }
  return size
}
