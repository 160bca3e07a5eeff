/**
 * Conditions on the spans of one trace, which a store turns into one question. They are kept small: a condition that would
 * be too large for a store asks for less, so that it lets more traces through. That is always right, as candidates are
 * evaluated.
 */
import { InputError } from '../../base/errors.ts'
import { checkLimits, childrenOf } from '../../model/query-limits.ts'
import { everything, type Operand, type Predicate } from '../../model/query.ts'

export type TraceCondition =
  /** Met when some span meets it. */
  | { readonly kind: 'some'; readonly where: Predicate }
  | { readonly kind: 'and'; readonly of: readonly TraceCondition[] }
  | { readonly kind: 'or'; readonly of: readonly TraceCondition[] }

/** Conditions on spans of one condition on a trace; a predicate of a store has as many at most. */
const conditionsMax = 250

export function some(where: Predicate): TraceCondition {
  return { kind: 'some', where }
}

/** All that fit; one that is left out is not needed to hold. */
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

/** Any; none of them may be left out, so too many are no condition at all. */
export function either(of: readonly TraceCondition[]): TraceCondition {
  if (of.reduce((size, condition) => size + sizeOf(condition), 0) > conditionsMax) return some(everything)
  return of.length === 1 ? of[0]! : { kind: 'or', of }
}

/** Whether a store would take it. Stops counting at the limits, so a tree that shares its branches costs no more. */
export function fits(predicate: Predicate): boolean {
  try {
    checkLimits(predicate)
    return true
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}

/** Of predicates that fit. */
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
