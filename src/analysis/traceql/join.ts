/** Joins two sets of spans, numbers or metrics queries with an operator. */
import type {
  ArithmeticOperator,
  MetricsMath,
  MetricsQuery,
  OrderOperator,
  Place,
  Scalar,
  SpansetExpression,
  SpansetOperator,
  Stage,
} from './syntax.ts'

/** What an expression between pipes may be. */
export type Expression = SpansetExpression | Scalar | MetricsQuery

export const orderOperators: readonly string[] = ['=', '!=', '<', '<=', '>', '>='] satisfies OrderOperator[]
const arithmetic: readonly string[] = ['+', '-', '*', '/', '%', '^'] satisfies ArithmeticOperator[]
const seriesOperators: readonly string[] = ['+', '-', '*', '/'] satisfies MetricsMath['operator'][]
export const spansetOperators: readonly string[] = [
  ...(['&&', '||', '>', '<', '>>', '<<', '~'] as const),
  ...(['!>', '!<', '!>>', '!<<', '!~', '&>', '&<', '&>>', '&<<', '&~'] as const),
] satisfies SpansetOperator[]
export function isScalar(node: Expression | Stage): node is Scalar {
  return (
    node.kind === 'literal' ||
    node.kind === 'aggregate' ||
    node.kind === 'scalarArithmetic' ||
    node.kind === 'scalarPipeline'
  )
}

/** `Omit` of each member of a union. */
export type WithoutPlace<Node> = Node extends { place: Place } ? Omit<Node, 'place'> : never

/** The node without its place, or a message that says what is wrong. */
export function joinOf(left: Expression, operator: string, right: Expression): WithoutPlace<Expression> | string {
  if (left.kind === 'metrics' || right.kind === 'metrics') return joinSeries(left, operator, right)
  if (isScalar(left) && isScalar(right)) {
    if (orderOperators.includes(operator)) {
      return { kind: 'scalarFilter', operator: operator as OrderOperator, left, right }
    }
    if (arithmetic.includes(operator)) {
      return { kind: 'scalarArithmetic', operator: operator as ArithmeticOperator, left, right }
    }
    return `\`${operator}\` cannot join two numbers; compare each of them, as in \`count() > 2 && max(duration) > 1s\``
  }
  if (isScalar(left) || isScalar(right)) {
    return `\`${operator}\` cannot join a set of spans and a number; count the set, as in \`{ … } | count() > 2\``
  }
  if (spansetOperators.includes(operator)) {
    return { kind: 'combination', operator: operator as SpansetOperator, left, right }
  }
  return `\`${operator}\` cannot join two sets of spans; sets are joined by && || > >> < << ~ and their ! and & forms`
}

function joinSeries(left: Expression, operator: string, right: Expression): WithoutPlace<MetricsQuery> | string {
  const isOperand = (node: Expression): node is MetricsQuery | Scalar => node.kind === 'metrics' || isScalar(node)
  if (!isOperand(left) || !isOperand(right)) return `\`${operator}\` cannot join a metrics query and a set of spans`
  if (orderOperators.includes(operator)) {
    return `a metrics query is compared in a stage of its own: \`… | rate() | ${operator} 10\``
  }
  if (!seriesOperators.includes(operator)) return `\`${operator}\` cannot join metrics queries; + - * / can`
  const place = { start: left.place.start, end: right.place.end }
  const source = { kind: 'metricsMath', operator: operator as MetricsMath['operator'], left, right, place } as const
  return { kind: 'metrics', source, stages: [] }
}
