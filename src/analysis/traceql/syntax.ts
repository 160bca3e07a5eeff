/**
 * A TraceQL query as a tree of plain data. `parse` (parser.ts) makes the tree from text, and `print` (print.ts) turns
 * it back into text. `check` (check.ts) finds what no trace can answer. `planOf` (plan.ts) says what a store is asked.
 *
 * The language is described in docs/traceql.md. Each node has its place in the text; nothing else depends on places.
 */
import type { ArithmeticOperator, TypedValue } from '../../model/query.ts'
import type { IntrinsicName } from './intrinsics.ts'

/** Characters [start, end) of the query, in UTF-16 units as JavaScript counts them. */
export interface Place {
  readonly start: number
  readonly end: number
}

interface Node {
  readonly place: Place
}

export interface Query extends Node {
  readonly kind: 'query'
  readonly body: Pipeline | MetricsQuery
  /** Our extension: the order of the traces found; empty when the caller decides. */
  readonly order: readonly OrderKey[]
  readonly hints: readonly Hint[]
}

export interface OrderKey extends Node {
  readonly by: 'duration' | 'start' | 'spans' | 'errors'
  readonly descending: boolean
}

export interface Hint extends Node {
  readonly name: string
  readonly value: Literal
}

// Conditions on one span: the text between braces.

export type FieldExpression = Literal | AttributeName | IntrinsicField | Unary | Binary

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly value: LiteralValue
}

export type LiteralValue = TypedValue

export type AttributeScope = 'nearest' | 'span' | 'resource' | 'event' | 'link' | 'instrumentation'

export interface AttributeName extends Node {
  readonly kind: 'attribute'
  readonly scope: AttributeScope
  readonly key: string
  /** `parent.x`: the attribute of the span above. It can be parsed, but not evaluated yet. */
  readonly ofParent: boolean
}

export interface IntrinsicField extends Node {
  readonly kind: 'intrinsic'
  readonly name: IntrinsicName
}

export interface Unary extends Node {
  readonly kind: 'unary'
  readonly operator: '-' | '!'
  readonly operand: FieldExpression
}

export interface Binary extends Node {
  readonly kind: 'binary'
  readonly operator: FieldOperator
  readonly left: FieldExpression
  readonly right: FieldExpression
}

export type { ArithmeticOperator }
export type OrderOperator = '=' | '!=' | '<' | '<=' | '>' | '>='
export type FieldOperator = ArithmeticOperator | OrderOperator | '=~' | '!~' | '&&' | '||'

// Sets of spans of one trace.

export interface Pipeline extends Node {
  readonly kind: 'pipeline'
  /** At least one. */
  readonly stages: readonly Stage[]
}

export type Stage = SpansetExpression | Group | Coalesce | Select

/** A pipeline here is one in parentheses. */
export type SpansetExpression = Filter | Combination | Pipeline | ScalarFilter

/** `{}` without a condition is every span. */
export interface Filter extends Node {
  readonly kind: 'filter'
  readonly where: FieldExpression | undefined
}

export interface Combination extends Node {
  readonly kind: 'combination'
  readonly operator: SpansetOperator
  readonly left: SpansetExpression
  readonly right: SpansetExpression
}

export type Relation = '>' | '<' | '>>' | '<<' | '~'
export type SpansetOperator = '&&' | '||' | Relation | `!${Relation}` | `&${Relation}`

/** `count() > 2`: keeps a set of spans or drops it as a whole. */
export interface ScalarFilter extends Node {
  readonly kind: 'scalarFilter'
  readonly operator: OrderOperator
  readonly left: Scalar
  readonly right: Scalar
}

/** One number for a set of spans. */
export type Scalar = Literal | Aggregate | ScalarArithmetic | ScalarPipeline

export interface Aggregate extends Node {
  readonly kind: 'aggregate'
  readonly function: AggregateFunction
  /** Undefined for `count`. */
  readonly of: FieldExpression | undefined
}

export type AggregateFunction = 'count' | 'avg' | 'min' | 'max' | 'sum'

export interface ScalarArithmetic extends Node {
  readonly kind: 'scalarArithmetic'
  readonly operator: ArithmeticOperator
  readonly left: Scalar
  readonly right: Scalar
}

/** `({ status = error } | count())`. */
export interface ScalarPipeline extends Node {
  readonly kind: 'scalarPipeline'
  readonly stages: readonly Stage[]
  readonly scalar: Scalar
}

export interface Group extends Node {
  readonly kind: 'group'
  readonly by: readonly FieldExpression[]
}

export interface Coalesce extends Node {
  readonly kind: 'coalesce'
}

export interface Select extends Node {
  readonly kind: 'select'
  readonly fields: readonly (AttributeName | IntrinsicField)[]
}

// Metrics: numbers over time.

export interface MetricsQuery extends Node {
  readonly kind: 'metrics'
  readonly source: MetricsSelect | MetricsMath
  readonly stages: readonly MetricsStage[]
}

export interface MetricsSelect extends Node {
  readonly kind: 'metricsSelect'
  readonly stages: readonly Stage[]
  readonly aggregate: MetricsAggregate
}

export interface MetricsMath extends Node {
  readonly kind: 'metricsMath'
  readonly operator: '+' | '-' | '*' | '/'
  readonly left: MetricsOperand
  readonly right: MetricsOperand
}

/** A scalar here is a constant. */
export type MetricsOperand = MetricsQuery | Scalar

export type MetricsAggregate = OverTime | Compare

export interface OverTime extends Node {
  readonly kind: 'overTime'
  readonly function: OverTimeFunction
  /** Undefined for `rate` and `count_over_time`. */
  readonly of: FieldExpression | undefined
  /** For `quantile_over_time`; otherwise empty. */
  readonly quantiles: readonly Literal[]
  readonly by: readonly (AttributeName | IntrinsicField)[]
}

export type OverTimeFunction =
  | 'rate'
  | 'count_over_time'
  | 'min_over_time'
  | 'max_over_time'
  | 'sum_over_time'
  | 'avg_over_time'
  | 'quantile_over_time'
  | 'histogram_over_time'

export interface Compare extends Node {
  readonly kind: 'compare'
  readonly selection: Filter
  /** Values shown for each attribute. */
  readonly top: Literal | undefined
  /** Nanoseconds since the epoch; both or none. */
  readonly window: readonly [start: Literal, end: Literal] | undefined
}

export type MetricsStage = TopStage | ThresholdStage

export interface TopStage extends Node {
  readonly kind: 'topk' | 'bottomk'
  readonly count: Literal
}

export interface ThresholdStage extends Node {
  readonly kind: 'threshold'
  readonly operator: OrderOperator
  readonly value: Literal
}
