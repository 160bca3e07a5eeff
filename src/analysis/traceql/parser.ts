/**
 * Text -> tree, by recursive descent. It never throws, whatever the text.
 *
 *     query      = ( pipeline | metrics ) [ [ "|" ] "order by" key { "," key } ] [ "with" "(" name "=" literal { "," … } ")" ]
 *     pipeline   = stage { "|" stage }
 *     stage      = spans | "by(" field { "," field } ")" | "coalesce()" | "select(" name { "," name } ")"
 *     spans      = "{" [ field ] "}" | spans operator spans | "(" pipeline ")" | scalar comparison scalar
 *     scalar     = number | "count()" | aggregate "(" field ")" | scalar arithmetic scalar | "(" pipeline "|" scalar ")"
 *     metrics    = pipeline "|" function [ "by(" name { "," name } ")" ] { "|" second } | math
 *     second     = "topk(" n ")" | "bottomk(" n ")" | comparison number
 *     math       = "(" metrics ")" ( "+" | "-" | "*" | "/" ) …, with numbers too
 *
 * `pipeline "|" scalar` and `metrics` in parentheses look the same up to their last stage, so one function (parsePiped)
 * reads all of them. The place in the query decides which results are allowed.
 */
import { Cursor } from './cursor.ts'
import { lex } from './lexer.ts'
import { parseNumber } from './parse-metrics.ts'
import { isOrder, parseOrder } from './parse-order.ts'
import { parsePiped } from './parse-pipeline.ts'
import type { Problem } from './problem.ts'
import type { Hint, MetricsQuery, OrderKey, Pipeline, Query } from './syntax.ts'

/** The maximum length of a query, in UTF-16 units. */
const charsMax = 65_536

export interface Parsed {
  /** Given when there are no errors. */
  readonly ast: Query | undefined
  /** In the order of their places. */
  readonly errors: readonly Problem[]
}

export function parse(text: string): Parsed {
  if (text.length > charsMax) {
    const message = `the query has ${text.length} characters; at most ${charsMax} are read`
    return { ast: undefined, errors: [{ message, place: { start: 0, end: 1 } }] }
  }
  const { tokens, problems } = lex(text)
  const cursor = new Cursor(text, tokens)
  const ast = cursor.recover([], () => parseQuery(cursor))
  const errors = [...problems, ...cursor.problems].sort((a, b) => a.place.start - b.place.start)
  return { ast: errors.length === 0 ? ast : undefined, errors }
}

function parseQuery(cursor: Cursor): Query {
  if (cursor.isAtEnd) cursor.fail('the query is empty; `{ }` finds every span')
  const { start } = cursor.token.place
  const piped = parsePiped(cursor)
  const bodyPlace = cursor.placeFrom(start)
  const order: OrderKey[] = piped.isOrderNext === true || isOrder(cursor) ? parseOrder(cursor) : []
  const hints = cursor.isWord('with') ? parseHints(cursor) : []
  if (!cursor.isAtEnd) cursor.fail(afterQuery(cursor))
  const { stages, scalar, metrics } = piped
  if (scalar !== undefined && cursor.problems.length === 0) {
    cursor.fail('a number alone finds no traces; compare it with another, as in `{ } | count() > 2`', scalar.place)
  }
  const body: Pipeline | MetricsQuery = metrics ?? { kind: 'pipeline', stages, place: bodyPlace }
  return { kind: 'query', body, order, hints, place: cursor.placeFrom(start) }
}

function afterQuery(cursor: Cursor): string {
  if (cursor.isSymbol(')')) return 'this `)` closes nothing'
  if (cursor.isSymbol('}')) return 'this `}` closes nothing'
  if (cursor.isSymbol('{')) return 'two filters need an operator between them, such as `&&`, `>>` or `|`'
  return `the query should end before ${cursor.describe()}; stages are joined by \`|\``
}

/** `with(most_recent=true, exemplars=100)`. */
function parseHints(cursor: Cursor): Hint[] {
  cursor.take()
  cursor.expect('(', 'after `with`')
  const hints: Hint[] = []
  do {
    const { token } = cursor
    if (token.kind !== 'word')
      cursor.fail(`a hint has a name, as in \`with(most_recent=true)\`, not ${cursor.describe()}`)
    cursor.take()
    cursor.expect('=', `after the hint \`${token.text}\``)
    const value = parseNumber(cursor, `the hint \`${token.text}\` needs a value`)
    hints.push({ name: token.text, value, place: cursor.placeFrom(token.place.start) })
  } while (cursor.takeSymbol(','))
  cursor.expect(')', 'after the hints')
  return hints
}
