/**
 * What a store is asked for a query. A store evaluates conditions on one span. Relations, groups and numbers of sets
 * are evaluated on the spans of candidate traces. So a plan says what every matching trace must have:
 *
 *     { a } >> { b } | count() > 2       some span meets a, and some span meets b
 *     { a } !>> { b }                    some span meets b: a trace without a matches too
 *     { a } | { b }                      some span meets both
 */
import { numberOf } from './check-field.ts'
import { allOf, anyOf, predicateOf } from './condition.ts'
import { everything, arithmetic, nothing, type Predicate, type StructureIntrinsic } from '../../model/query.ts'
import { childrenOf } from '../../model/query-limits.ts'
import { either, every, fits, some, type TraceCondition } from './trace-condition.ts'
import type {
  Filter,
  LiteralValue,
  MetricsAggregate,
  MetricsMath,
  MetricsOperand,
  MetricsQuery,
  MetricsStage,
  OrderKey,
  Query,
  Scalar,
  ScalarFilter,
  SpansetExpression,
  Stage,
} from './syntax.ts'

export interface Plan {
  readonly body: SearchPlan | MetricsPlan
  readonly order: readonly OrderKey[]
  readonly hints: ReadonlyMap<string, LiteralValue>
}

export interface SearchPlan extends Bound {
  readonly kind: 'search'
  /** What `compileSearch` evaluates on candidates. */
  readonly stages: readonly Stage[]
}

interface Bound {
  /** Every trace that matches meets this. */
  readonly candidates: TraceCondition
  /** Every span of an answer meets this. */
  readonly spans: Predicate
  /** The answer of a trace is one set: exactly the spans that meet `spans`, so nothing is left to evaluate. */
  readonly isExact: boolean
}

export interface MetricsPlan {
  readonly kind: 'metrics'
  readonly source: MetricsSource
  readonly stages: readonly MetricsStage[]
}

export type MetricsSource =
  | {
      readonly kind: 'select'
      readonly search: SearchPlan
      readonly aggregate: MetricsAggregate
      /** For `compare`: which spans are the selection. */
      readonly selection: SelectionPlan | undefined
    }
  | {
      readonly kind: 'math'
      readonly operator: MetricsMath['operator']
      /** A constant, or series. */
      readonly left: number | MetricsPlan
      readonly right: number | MetricsPlan
    }

export interface SelectionPlan {
  readonly where: Predicate
  readonly isExact: boolean
}

/** For a query that passed `check`: `planOf(query)`. */
export function planOf({ body, order, hints }: Query): Plan {
  return {
    body: body.kind === 'metrics' ? metricsPlan(body) : searchPlan(body.stages),
    order,
    hints: new Map(hints.map(({ name, value }) => [name, value.value])),
  }
}

function searchPlan(stages: readonly Stage[]): SearchPlan {
  return { kind: 'search', stages, ...boundOfStages(stages, { spans: everything, isExact: true }) }
}

function metricsPlan({ source, stages }: MetricsQuery): MetricsPlan {
  if (source.kind === 'metricsMath') {
    const { operator, left, right } = source
    const math = { kind: 'math', operator, left: mathOperand(left), right: mathOperand(right) } as const
    return { kind: 'metrics', source: math, stages }
  }
  const { aggregate } = source
  const selection = aggregate.kind === 'compare' ? conditionOf(aggregate.selection) : undefined
  return {
    kind: 'metrics',
    source: { kind: 'select', search: searchPlan(source.stages), aggregate, selection },
    stages,
  }
}

function mathOperand(operand: MetricsOperand): number | MetricsPlan {
  return operand.kind === 'metrics' ? metricsPlan(operand) : constantOf(operand)
}

function constantOf(scalar: Scalar): number {
  if (scalar.kind === 'literal') return Number(numberOf(scalar))
  if (scalar.kind !== 'scalarArithmetic') return NaN
  return arithmetic[scalar.operator](constantOf(scalar.left), constantOf(scalar.right))
}

/** The spans that a stage gets. */
type Given = Pick<Bound, 'spans' | 'isExact'>

function boundOfStages(stages: readonly Stage[], given: Given): Bound {
  let { spans, isExact } = given
  let conditions: TraceCondition[] = []
  for (const stage of stages) {
    if (stage.kind === 'select') continue
    if (stage.kind === 'group' || stage.kind === 'coalesce') {
      // Two sets are not one, even when they hold the same spans together.
      isExact &&= stage.kind === 'coalesce'
      continue
    }
    const bound = boundOf(stage, { spans, isExact })
    // Two filters in a row: the later condition includes the earlier one.
    if (stage.kind === 'filter' && conditions.at(-1)?.kind === 'some') conditions = conditions.slice(0, -1)
    conditions.push(bound.candidates)
    ;({ spans, isExact } = bound)
  }
  const candidates = conditions.length === 0 ? some(spans) : every(conditions)
  return { candidates, spans, isExact }
}

function boundOf(spanset: SpansetExpression, given: Given): Bound {
  switch (spanset.kind) {
    case 'filter': {
      const { where, isExact } = conditionOf(spanset)
      const both = allOf(given.spans, where)
      // The filter alone fits, or `check` would have refused it.
      const isSmall = fits(both)
      const spans = isSmall ? both : where
      return { candidates: some(spans), spans, isExact: isExact && given.isExact && isSmall }
    }
    case 'pipeline':
      return boundOfStages(spanset.stages, given)
    case 'scalarFilter':
      return boundOfScalars(spanset, given)
    case 'combination': {
      const [left, right] = [boundOf(spanset.left, given), boundOf(spanset.right, given)]
      const both = every([left.candidates, right.candidates])
      const { spans: together, isWhole } = anySpan([left, right])
      switch (spanset.operator[0]) {
        case '|':
          return {
            candidates: either([left.candidates, right.candidates]),
            spans: together,
            isExact: left.isExact && right.isExact && isWhole,
          }
        case '&':
          return { candidates: both, spans: together, isExact: false }
        case '!':
          return { candidates: right.candidates, spans: right.spans, isExact: false }
        default:
          return { candidates: both, spans: right.spans, isExact: false }
      }
    }
  }
}

/** A count of nothing is 0, so one side may be empty; with both empty there are no spans to give. */
function boundOfScalars({ left, right }: ScalarFilter, given: Given): Bound {
  const bounds = [...boundsOfScalar(left, given), ...boundsOfScalar(right, given)]
  return {
    candidates: either(bounds.map(({ candidates }) => candidates)),
    spans: anySpan(bounds).spans,
    isExact: false,
  }
}

/** The condition that spans of any of these meet. */
function anySpan(bounds: readonly Bound[]): { readonly spans: Predicate; readonly isWhole: boolean } {
  const spans = anyOf(...bounds.map((bound) => bound.spans))
  const isWhole = fits(spans)
  return { spans: isWhole ? spans : everything, isWhole }
}

function boundsOfScalar(scalar: Scalar, given: Given): Bound[] {
  switch (scalar.kind) {
    case 'literal':
      return []
    case 'aggregate':
      return [{ ...given, candidates: some(given.spans) }]
    case 'scalarArithmetic':
      return [...boundsOfScalar(scalar.left, given), ...boundsOfScalar(scalar.right, given)]
    case 'scalarPipeline':
      return [boundOfStages(scalar.stages, given)]
  }
}

function conditionOf({ where }: Filter): SelectionPlan {
  const predicate = where === undefined ? everything : predicateOf(where)
  const isExact = !asksStructure(predicate)
  return { where: isExact ? predicate : widened(predicate, true), isExact }
}

const structureNames = new Set<string>([
  'childCount',
  'nestedSetLeft',
  'nestedSetRight',
  'nestedSetParent',
] satisfies StructureIntrinsic[])

function asksStructure(predicate: Predicate): boolean {
  const waiting: ReturnType<typeof childrenOf>[number][] = [predicate]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'intrinsic' && structureNames.has(next.name)) return true
    waiting.push(...childrenOf(next))
  }
  return false
}

/**
 * A condition that a store cannot evaluate counts as met, and below a negation as not met, so that no span is missed.
 */
function widened(predicate: Predicate, isMet: boolean): Predicate {
  switch (predicate.kind) {
    case 'and':
      return allOf(...predicate.of.map((each) => widened(each, isMet)))
    case 'or':
      return anyOf(...predicate.of.map((each) => widened(each, isMet)))
    case 'not': {
      const of = widened(predicate.of, !isMet)
      return of === everything ? nothing : of === nothing ? everything : { kind: 'not', of }
    }
    default:
      return !asksStructure(predicate) ? predicate : isMet ? everything : nothing
  }
}
