/** Finds what no trace can answer: wrong types, and functions with arguments that they do not accept. */
import { InputError } from '../../base/errors.ts'
import { checkLimits } from '../../model/query-limits.ts'
import { asksSpan, numberOf, typeOfField, type Report } from './check-field.ts'
import { checkHints } from './check-hints.ts'
import { predicateOf } from './condition.ts'
import { printField } from './print-field.ts'
import type { Problem } from './problem.ts'
import type {
  Compare,
  FieldExpression,
  Filter,
  Literal,
  MetricsOperand,
  MetricsQuery,
  MetricsStage,
  OverTime,
  Query,
  Scalar,
  ScalarFilter,
  SpansetExpression,
  Stage,
} from './syntax.ts'

/** The problems in the order of their places; none when the query can be answered. */
export function check(query: Query): Problem[] {
  const problems: Problem[] = []
  const report: Report = (message, { place }) => problems.push({ message, place })
  const { body, order, hints } = query
  if (body.kind === 'metrics') {
    checkMetrics(body, report)
    if (order.length > 0) report('`order by` orders traces; series are kept by `topk(n)` or `bottomk(n)`', order[0]!)
  } else checkStages(body.stages, report)
  checkHints(hints, report)
  return problems.sort((a, b) => a.place.start - b.place.start)
}

function checkStages(stages: readonly Stage[], report: Report): void {
  for (const stage of stages) {
    if (stage.kind === 'group') for (const field of stage.by) checkAsked(field, 'by', report)
    else if (stage.kind === 'select') for (const field of stage.fields) checkAsked(field, 'select', report)
    else if (stage.kind !== 'coalesce') checkSpanset(stage, report)
  }
}

function checkSpanset(spanset: SpansetExpression, report: Report): void {
  switch (spanset.kind) {
    case 'filter':
      return checkFilter(spanset, report)
    case 'pipeline':
      return checkStages(spanset.stages, report)
    case 'combination':
      checkSpanset(spanset.left, report)
      return checkSpanset(spanset.right, report)
    case 'scalarFilter':
      return checkScalarFilter(spanset, report)
  }
}

function checkFilter({ where }: Filter, report: Report): void {
  if (where === undefined) return
  const type = typeOfField(where, report)
  if (type === 'wrong') return
  if (type !== 'bool' && type !== 'any') {
    report(`a filter needs a condition, but \`${printField(where)}\` is only a value; compare it with another`, where)
    return
  }
  try {
    checkLimits(predicateOf(where))
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    report(error.message, where)
  }
}

function checkScalarFilter(filter: ScalarFilter, report: Report): void {
  checkScalar(filter.left, report)
  checkScalar(filter.right, report)
  if (isConstant(filter.left) && isConstant(filter.right)) {
    report('a comparison of numbers needs a function of the spans on a side, such as `count() > 2`', filter)
  }
}

function isConstant(scalar: Scalar): boolean {
  if (scalar.kind === 'scalarArithmetic') return isConstant(scalar.left) && isConstant(scalar.right)
  return scalar.kind === 'literal'
}

function checkScalar(scalar: Scalar, report: Report): void {
  switch (scalar.kind) {
    case 'literal':
      if (numberOf(scalar) === undefined) report('functions of spans give numbers, so this must be a number', scalar)
      return
    case 'aggregate':
      if (scalar.of !== undefined) checkNumber(scalar.of, scalar.function, report)
      return
    case 'scalarArithmetic':
      checkScalar(scalar.left, report)
      return checkScalar(scalar.right, report)
    case 'scalarPipeline':
      checkStages(scalar.stages, report)
      checkScalar(scalar.scalar, report)
      if (isConstant(scalar.scalar))
        report('these parentheses end in a constant; end them in a function of the spans', scalar)
  }
}

function checkNumber(field: FieldExpression, name: string, report: Report): void {
  const type = typeOfField(field, report)
  if (type === 'wrong') return
  if (type !== 'number' && type !== 'any')
    report(`\`${name}()\` needs a number of each span, not \`${printField(field)}\``, field)
  else checkAsked(field, name, report)
}

function checkAsked(field: FieldExpression, name: string, report: Report): void {
  if (typeOfField(field, () => undefined) === 'wrong') typeOfField(field, report)
  else if (!asksSpan(field))
    report(`\`${name}()\` needs a value of each span, and \`${printField(field)}\` is the same for all`, field)
  else if (field.kind === 'intrinsic' && field.name === 'parent')
    report('`parent` can only be compared with nil', field)
}

function checkMetrics({ source, stages }: MetricsQuery, report: Report, isOperand = false): void {
  if (source.kind === 'metricsMath') {
    checkOperand(source.left, report)
    checkOperand(source.right, report)
  } else {
    checkStages(source.stages, report)
    if (source.aggregate.kind === 'overTime') checkOverTime(source.aggregate, report)
    else checkCompare(source.aggregate, report)
    if (source.aggregate.kind === 'compare' && (stages.length > 0 || isOperand)) {
      report('`compare()` stands at the end of a query: its series are not numbers to go on with', source.aggregate)
    }
  }
  for (const stage of stages) checkMetricsStage(stage, report)
}

function checkOperand(operand: MetricsOperand, report: Report): void {
  if (operand.kind === 'metrics') return checkMetrics(operand, report, true)
  if (isConstant(operand)) return checkScalar(operand, report)
  report('math with metrics takes metrics queries and constants; a function of a set of spans is neither', operand)
}

function checkOverTime({ function: name, of, quantiles, by }: OverTime, report: Report): void {
  if (of !== undefined) checkNumber(of, name, report)
  for (const quantile of quantiles) {
    const value = numberOf(quantile)
    if (value === undefined || quantile.value.type === 'duration' || value < 0 || value > 1) {
      report('a quantile is a number from 0 to 1, such as `.99`', quantile)
    }
  }
  for (const field of by) checkAsked(field, 'by', report)
}

/** The maximum number of series that `topk` keeps, and of values that `compare` shows for an attribute. */
const keptMax = 1_000n

function checkCompare({ selection, top, window }: Compare, report: Report): void {
  checkFilter(selection, report)
  if (top !== undefined) checkKept(top, report)
  if (window === undefined) return
  const [start, end] = window.map(({ value }) => (value.type === 'int' ? value.value : undefined))
  if (start === undefined || end === undefined || start < 0n || end <= start) {
    report('the times of `compare` are nanoseconds since 1970, and the end is after the start', window[0])
  }
}

function checkMetricsStage(stage: MetricsStage, report: Report): void {
  if (stage.kind !== 'threshold') return checkKept(stage.count, report)
  if (numberOf(stage.value) === undefined) report('series hold numbers, so this must be a number', stage.value)
}

function checkKept(literal: Literal, report: Report): void {
  const { value } = literal
  if (value.type === 'int' && value.value >= 1n && value.value <= keptMax) return
  report(`this is a whole number from 1 to ${keptMax}`, literal)
}
