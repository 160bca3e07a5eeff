/**
 * Parses stages with `|` between them, and the expressions of sets of spans and of numbers that a stage may be. They
 * contain each other through parentheses, so they are in one file.
 */
import type { Cursor } from './cursor.ts'
import { suggestion } from './intrinsics.ts'
import { isScalar, joinOf, orderOperators, type Expression } from './join.ts'
import { bindingOf, bindings, rightBinding } from './operators.ts'
import { parseField, parseLiteral, parseNames, parseSignedNumber } from './parse-field.ts'
import { aggregateFunctions, parseAggregate, parseFilter } from './parse-filter.ts'
import { isOverTime, parseAggregateOverTime, parseCompare, parseMetricsStage } from './parse-metrics.ts'
import { isOrder } from './parse-order.ts'
import type { FieldExpression, MetricsAggregate, MetricsQuery, Scalar, SpansetExpression, Stage } from './syntax.ts'

/** Functions that may begin a stage; for suggestions. */
const stageFunctions = [
  aggregateFunctions,
  'by coalesce select rate count_over_time min_over_time max_over_time sum_over_time avg_over_time'.split(' '),
  'quantile_over_time histogram_over_time compare topk bottomk with'.split(' '),
].flat()

/** A pipeline, which ends in a set of spans, a number, or numbers over time. */
export interface Piped {
  readonly stages: readonly Stage[]
  readonly scalar?: Scalar
  /** When given, `stages` is empty. */
  readonly metrics?: MetricsQuery
  /** The last `|` was read and `order by` follows. */
  readonly isOrderNext?: boolean
}

export function parsePiped(cursor: Cursor): Piped {
  const { start } = cursor.token.place
  const stages: Stage[] = []
  let end: Scalar | MetricsQuery | undefined
  do {
    cursor.countOperator()
    if (isOrder(cursor) && (stages.length > 0 || end !== undefined))
      return { ...pipedOf(stages, end), isOrderNext: true }
    cursor.recover(['|'], () => {
      if (end !== undefined && end.kind !== 'metrics') cursor.fail(uncompared)
      if (end !== undefined) return (end = withStage(cursor, end))
      const stage = parseStage(cursor)
      if (stage.kind === 'overTime' || stage.kind === 'compare') return (end = metricsOf(cursor, start, stages, stage))
      if (stage.kind !== 'metrics' && !isScalar(stage)) return stages.push(stage)
      if (stage.kind === 'metrics' && stages.length > 0)
        cursor.fail('a metrics query stands alone or in math', stage.place)
      end = stage
    })
  } while (cursor.takeSymbol('|'))
  return pipedOf(stages, end)
}

const uncompared = 'a number of a set of spans is compared before the next stage, as in `| count() > 2`'

function pipedOf(stages: readonly Stage[], end: Scalar | MetricsQuery | undefined): Piped {
  if (end === undefined) return { stages }
  return end.kind === 'metrics' ? { stages: [], metrics: end } : { stages, scalar: end }
}

function metricsOf(cursor: Cursor, start: number, stages: readonly Stage[], aggregate: MetricsAggregate): MetricsQuery {
  const place = cursor.placeFrom(start)
  if (stages.length === 0) {
    const name = aggregate.kind === 'compare' ? 'compare' : aggregate.function
    cursor.report(`\`${name}()\` needs a set of spans before it, as in \`{ } | ${name}()\``, aggregate.place)
  }
  return { kind: 'metrics', source: { kind: 'metricsSelect', stages, aggregate, place }, stages: [], place }
}

function withStage(cursor: Cursor, query: MetricsQuery): MetricsQuery {
  const stage = parseMetricsStage(cursor)
  return { ...query, stages: [...query.stages, stage], place: cursor.placeFrom(query.place.start) }
}

function parseStage(cursor: Cursor): Expression | Stage | MetricsAggregate {
  const { token } = cursor
  if (token.kind === 'symbol' && orderOperators.includes(token.text)) {
    cursor.fail(`\`${token.text}\` needs something on its left, such as \`count() ${token.text} 2\``)
  }
  if (token.kind !== 'word' || !isCall(cursor)) return parseExpression(cursor)
  if (isOverTime(token.text)) return parseAggregateOverTime(cursor)
  switch (token.text) {
    case 'by':
      return parseGroup(cursor)
    case 'coalesce':
      cursor.take()
      cursor.take()
      cursor.expect(')', 'after `coalesce(`, which takes nothing')
      return { kind: 'coalesce', place: cursor.placeFrom(token.place.start) }
    case 'select': {
      cursor.take()
      cursor.take()
      const fields = parseNames(cursor)
      cursor.expect(')', 'after the fields of `select`')
      return { kind: 'select', fields, place: cursor.placeFrom(token.place.start) }
    }
    case 'compare':
      return parseCompare(cursor)
    case 'topk':
    case 'bottomk':
      return cursor.fail(
        `\`${token.text}()\` comes after a metrics function, as in \`{ } | rate() by(name) | ${token.text}(5)\``,
      )
    default:
      return parseExpression(cursor)
  }
}

function parseGroup(cursor: Cursor): Stage {
  const { start } = cursor.take().place
  cursor.take()
  const by: FieldExpression[] = [parseField(cursor)]
  while (cursor.takeSymbol(',')) {
    cursor.countOperator()
    by.push(parseField(cursor))
  }
  cursor.expect(')', 'after the fields of `by`')
  return { kind: 'group', by, place: cursor.placeFrom(start) }
}

/** An expression whose operators all bind at least as tightly as this. */
function parseExpression(cursor: Cursor, loosest: number = bindings.logic): Expression {
  const { start } = cursor.token.place
  let left = parseOperand(cursor)
  for (;;) {
    const { token } = cursor
    const binding = token.kind === 'symbol' ? bindingOf(token.text) : undefined
    if (token.kind !== 'symbol' || binding === undefined || binding < loosest) return left
    cursor.take()
    cursor.countOperator()
    const read = (): Expression => parseExpression(cursor, rightBinding(binding))
    const right = token.text === '^' ? cursor.nested(read) : read()
    const join = joinOf(left, token.text, right)
    const place = cursor.placeFrom(start)
    left = typeof join === 'string' ? cursor.fail(join, token.place) : { ...join, place }
  }
}

function parseOperand(cursor: Cursor): Expression {
  const { token } = cursor
  const { start } = token.place
  if (cursor.isSymbol('{')) return parseFilter(cursor)
  if (cursor.takeSymbol('(')) return cursor.nested(() => parseParentheses(cursor, start))
  if (cursor.takeSymbol('-')) {
    return parseSignedNumber(cursor, start) ?? cursor.fail('`-` stands before a number here, or between two numbers')
  }
  if (token.kind === 'literal') return parseLiteral(cursor)!
  if (token.kind === 'word' && isCall(cursor) && aggregateFunctions.includes(token.text)) return parseAggregate(cursor)
  return cursor.fail(unexpected(cursor))
}

/** Whether the word is followed by a parenthesis. */
function isCall({ following }: Cursor): boolean {
  return following.kind === 'symbol' && following.text === '('
}

function unexpected(cursor: Cursor): string {
  const { token } = cursor
  if (token.kind === 'word' && isCall(cursor)) {
    const near = suggestion(token.text, stageFunctions)
    return `unknown function \`${token.text}\`${near === '' ? '; the functions are in docs/traceql.md' : near}`
  }
  if (token.kind === 'attribute' || token.kind === 'word') {
    return `a condition on spans stands in braces: \`{ ${cursor.text.slice(token.place.start, token.place.end)} … }\``
  }
  if (cursor.isSymbol('!')) return '`!` negates a condition inside braces, as in `{ !(.a = 1) }`'
  const found = token.kind === 'end' ? 'the query ends' : `there is ${cursor.describe()}`
  return `a filter such as \`{ status = error }\` is expected, but ${found}`
}

function parseParentheses(cursor: Cursor, start: number): Expression {
  const { stages, scalar, metrics } = parsePiped(cursor)
  cursor.expect(')', 'after what the parentheses hold')
  const place = cursor.placeFrom(start)
  if (metrics !== undefined) return metrics
  if (scalar !== undefined) return stages.length === 0 ? scalar : { kind: 'scalarPipeline', stages, scalar, place }
  const [only] = stages
  if (stages.length === 1 && isSpanset(only!)) return only
  return { kind: 'pipeline', stages, place }
}

function isSpanset(stage: Stage): stage is SpansetExpression {
  return stage.kind !== 'group' && stage.kind !== 'coalesce' && stage.kind !== 'select'
}
