/** A query -> text. `parse(print(query))` gives the same tree, and printing that gives the same text. */
import { bindingOf, bindings, rightBinding } from './operators.ts'
import { inParentheses, leftBinding, printField, printLiteral, printName } from './print-field.ts'
import type {
  Aggregate,
  MetricsAggregate,
  MetricsOperand,
  MetricsQuery,
  MetricsStage,
  OverTime,
  Query,
  Scalar,
  SpansetExpression,
  Stage,
} from './syntax.ts'

export function print({ body, order, hints }: Query): string {
  const parts = [body.kind === 'metrics' ? printMetrics(body) : printStages(body.stages)]
  if (order.length > 0) {
    parts.push(`| order by ${order.map(({ by, descending }) => by + (descending ? ' desc' : '')).join(', ')}`)
  }
  if (hints.length > 0) {
    parts.push(`with(${hints.map(({ name, value }) => `${name}=${printLiteral(value.value)}`).join(', ')})`)
  }
  return parts.join(' ')
}

function printStages(stages: readonly Stage[]): string {
  return stages.map(printStage).join(' | ')
}

function printStage(stage: Stage): string {
  switch (stage.kind) {
    case 'group':
      return `by(${stage.by.map(printField).join(', ')})`
    case 'coalesce':
      return 'coalesce()'
    case 'select':
      return `select(${stage.fields.map(printName).join(', ')})`
    default:
      return printSpanset(stage, bindings.logic)
  }
}

function printSpanset(spanset: SpansetExpression, loosest: number): string {
  switch (spanset.kind) {
    case 'filter':
      return spanset.where === undefined ? '{ }' : `{ ${printField(spanset.where)} }`
    case 'pipeline':
      return `(${printStages(spanset.stages)})`
    case 'combination':
      return joined(spanset, printSpanset, loosest)
    case 'scalarFilter':
      return joined(spanset, printOperand, loosest)
  }
}

/** A number of a set of spans. Its text is also its name in answers, such as `count()`. */
export function printScalar(scalar: Scalar): string {
  return printOperand(scalar, bindings.logic)
}

function printOperand(scalar: Scalar, loosest: number): string {
  switch (scalar.kind) {
    case 'literal':
      return printLiteral(scalar.value)
    case 'aggregate':
      return printAggregate(scalar)
    case 'scalarArithmetic':
      return joined(scalar, printOperand, loosest)
    case 'scalarPipeline':
      return `(${printStages(scalar.stages)} | ${printScalar(scalar.scalar)})`
  }
}

function printAggregate({ function: name, of }: Aggregate): string {
  return `${name}(${of === undefined ? '' : printField(of)})`
}

interface Joined<Operand> {
  readonly operator: string
  readonly left: Operand
  readonly right: Operand
}

function joined<Operand>(
  { operator, left, right }: Joined<Operand>,
  printOne: (operand: Operand, loosest: number) => string,
  loosest: number,
): string {
  const binding = bindingOf(operator)!
  const text = `${printOne(left, leftBinding(binding))} ${operator} ${printOne(right, rightBinding(binding))}`
  return inParentheses(text, binding < loosest)
}

function printMetrics({ source, stages }: MetricsQuery): string {
  const first =
    source.kind === 'metricsMath'
      ? joined(source, printMetricsOperand, bindings.logic)
      : [...source.stages.map(printStage), printMetricsAggregate(source.aggregate)].join(' | ')
  return [first, ...stages.map(printMetricsStage)].join(' | ')
}

function printMetricsOperand(operand: MetricsOperand, loosest: number): string {
  if (operand.kind !== 'metrics') return printOperand(operand, loosest)
  const isMath = operand.source.kind === 'metricsMath' && operand.stages.length === 0
  if (!isMath) return `(${printMetrics(operand)})`
  return joined(operand.source as Joined<MetricsOperand>, printMetricsOperand, loosest)
}

function printMetricsAggregate(aggregate: MetricsAggregate): string {
  if (aggregate.kind === 'overTime') return printOverTime(aggregate)
  const { selection, top, window } = aggregate
  const numbers = [...(top === undefined ? [] : [top]), ...(window ?? [])]
  return `compare(${[printStage(selection), ...numbers.map(({ value }) => printLiteral(value))].join(', ')})`
}

function printOverTime({ function: name, of, quantiles, by }: OverTime): string {
  const given = [...(of === undefined ? [] : [printField(of)]), ...quantiles.map(({ value }) => printLiteral(value))]
  return `${name}(${given.join(', ')})${by.length === 0 ? '' : ` by(${by.map(printName).join(', ')})`}`
}

function printMetricsStage(stage: MetricsStage): string {
  return stage.kind === 'threshold'
    ? `${stage.operator} ${printLiteral(stage.value.value)}`
    : `${stage.kind}(${printLiteral(stage.count.value)})`
}
