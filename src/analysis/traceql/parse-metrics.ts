/** Parses functions that turn sets of spans into numbers over time, and the stages after them. */
import type { Cursor } from './cursor.ts'
import { orderOperators } from './join.ts'
import { parseField, parseLiteral, parseNames, parseSignedNumber } from './parse-field.ts'
import { parseFilter } from './parse-filter.ts'
import type { Compare, Literal, MetricsStage, OrderOperator, OverTime, OverTimeFunction } from './syntax.ts'

/** Whether each function takes a field. */
const overTime: Readonly<Record<OverTimeFunction, boolean>> = {
  rate: false,
  count_over_time: false,
  min_over_time: true,
  max_over_time: true,
  sum_over_time: true,
  avg_over_time: true,
  quantile_over_time: true,
  histogram_over_time: true,
}

export function isOverTime(name: string): name is OverTimeFunction {
  return Object.hasOwn(overTime, name)
}

export function parseAggregateOverTime(cursor: Cursor): OverTime {
  const token = cursor.take() as { readonly text: OverTimeFunction; readonly place: OverTime['place'] }
  const name = token.text
  cursor.take()
  if (overTime[name] && cursor.isSymbol(')')) cursor.fail(`\`${name}()\` needs a field, as in \`${name}(duration)\``)
  if (!overTime[name] && !cursor.isSymbol(')')) cursor.fail(`\`${name}()\` takes nothing; filter the spans before it`)
  const of = overTime[name] ? parseField(cursor) : undefined
  const quantiles: Literal[] = []
  if (name === 'quantile_over_time') {
    const needed =
      '`quantile_over_time` needs quantiles from 0 to 1 behind its field, as in `quantile_over_time(duration, .99)`'
    if (cursor.isSymbol(')')) cursor.fail(needed)
    while (cursor.takeSymbol(',')) quantiles.push(parseNumber(cursor, needed))
  }
  cursor.expect(')', `after what \`${name}\` takes`)
  const by = parseBy(cursor)
  return { kind: 'overTime', function: name, of, quantiles, by, place: cursor.placeFrom(token.place.start) }
}

function parseBy(cursor: Cursor): OverTime['by'] {
  if (!cursor.isWord('by')) return []
  cursor.take()
  cursor.expect('(', 'after `by`')
  const names = parseNames(cursor)
  cursor.expect(')', 'after the fields of `by`')
  return names
}

/** A literal with an optional sign. `needed` is the message when there is none. */
export function parseNumber(cursor: Cursor, needed: string): Literal {
  cursor.countOperator()
  const { start } = cursor.token.place
  const literal = cursor.takeSymbol('-') ? parseSignedNumber(cursor, start) : parseLiteral(cursor)
  return literal ?? cursor.fail(`${needed}; there is ${cursor.describe()}`)
}

/** `compare({filter}[, topN[, startNs, endNs]])`. */
export function parseCompare(cursor: Cursor): Compare {
  const { start } = cursor.take().place
  cursor.take()
  if (!cursor.isSymbol('{')) cursor.fail('`compare` takes a filter first, as in `compare({ status = error })`')
  const selection = parseFilter(cursor)
  const numbers: Literal[] = []
  while (cursor.takeSymbol(',')) {
    numbers.push(parseNumber(cursor, '`compare` takes a filter, then a number of values, then a start and an end'))
  }
  cursor.expect(')', 'after what `compare` takes')
  const place = cursor.placeFrom(start)
  const [top, from, to] = numbers
  if (numbers.length > 3 || (from !== undefined && to === undefined)) {
    cursor.fail(
      '`compare` takes a filter, a number of values, and both a start and an end in nanoseconds, or neither',
      place,
    )
  }
  return { kind: 'compare', selection, top, window: from === undefined ? undefined : [from, to!], place }
}

/** `topk(5)`, `bottomk(5)` or `> 10`. */
export function parseMetricsStage(cursor: Cursor): MetricsStage {
  const { token } = cursor
  const { start } = token.place
  if (token.kind === 'word' && (token.text === 'topk' || token.text === 'bottomk')) {
    cursor.take()
    cursor.expect('(', `after \`${token.text}\``)
    const count = parseNumber(cursor, `\`${token.text}\` takes the number of series to keep`)
    cursor.expect(')', `after the number of \`${token.text}\``)
    return { kind: token.text, count, place: cursor.placeFrom(start) }
  }
  if (token.kind === 'symbol' && orderOperators.includes(token.text)) {
    cursor.take()
    const value = parseNumber(cursor, `\`${token.text}\` needs a number on its right`)
    return { kind: 'threshold', operator: token.text as OrderOperator, value, place: cursor.placeFrom(start) }
  }
  return cursor.fail(
    `after a metrics function come only \`topk(n)\`, \`bottomk(n)\` and a comparison such as \`> 10\`, not ${cursor.describe()}`,
  )
}
