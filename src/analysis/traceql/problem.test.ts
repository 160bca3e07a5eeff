import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from './parser.ts'
import { showProblem } from './problem.ts'

/** The query, the text that the carets mark, and the message. */
const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['{ .a == 1 }', '==', /`==` is not an operator: `=` compares/],
  ['{ .a <> 1 }', '<>', /`!=` is "not equal"/],
  ['{ .a => 1 }', '=>', /`>=` is "at least"/],
  ['{ .a = 1 & .b = 2 }', '&', /`&&` joins two conditions/],
  ['{ .a = 1 and .b = 2 }', 'and', /`and` is written `&&`/],
  ['{ .a = 1 OR .b = 2 }', 'OR', /`or` is written `\|\|`/],
  ['{ not .a }', 'not', /`not` is written `!`/],
  ['{ .a in ("x") }', 'in', /write `=~ "a\|b"`/],
  ["{ .a = 'x y' }", "'x y'", /a text is in double quotes: write "x y"/],
  ['{ .a = "x }', '"x }', /the text has no closing `"`/],
  ['{ .a = `x }', '`x }', /no closing backtick/],
  ['{ .a = "x\\d" }', '\\d', /`\\d` is not an escape; write `\\\\d`/],
  ['{ span."a b = 1 }', '"a b = 1 }', /a quoted part needs a closing `"`/],
  ['{ span.a"b" = 1 }', '"', /a quoted part of an attribute starts after a dot/],
  ['{ .a = 1', '', /the filter has no closing `}`/],
  ['{ .a = 1 | count() > 2', '|', /the filter has no closing `}`/],
  ['{ .a = 1, .b = 2 }', ',', /joined by `&&` or `\|\|`, not by a comma/],
  ['{ .a = 1 .b = 2 }', '.b', /an operator or `}` is expected before `.b`/],
  ['{ (.a = 1 }', '}', /`\)` is missing after the expression, before `}`/],
  ['{ duratoin > 1s }', 'duratoin', /unknown name `duratoin`; did you mean `duration`\?/],
  ['{ span:naem = "x" }', 'span:naem', /unknown intrinsic `span:naem`; did you mean `span:name`\?/],
  ['{ Status = error }', 'Status', /did you mean `status`\?/],
  ['{ status = ERROR }', 'ERROR', /did you mean `error`\?/],
  ['{ .a = checkout }', 'checkout', /a text "checkout"/],
  ['{ http.method = "GET" }', 'http.method', /`http.` is not a scope; write `.http.method`, `span.http.method`/],
  ['{ spam.a = 1 }', 'spam.a', /`spam.` is not a scope; did you mean `span`\?/],
  ['{ duration > 1sec }', '1sec', /`sec` is not a unit: .* units are ns, us, ms, s, m, h, d, w, y/],
  ['{ duration > 5x3 }', '5x3', /cannot read the number `5x3`/],
  ['{ duration > 300y }', '300y', /at most 292 years/],
  ['{ .a = 9223372036854775808 }', '9223372036854775808', /an integer is between -9223372036854775808 and/],
  ['{ .a = 1e999 }', '1e999', /too large/],
  ['{ .a !< 3 }', '!<', /between values write `>=`/],
  ['{ .a >> .b }', '>>', /stands between sets of spans/],
  ['{ . = 1 }', '.', /the name of the attribute is missing after the dot/],
  ['{ .a = }', '}', /expected a value or the name of an attribute, not `}`/],
  ['', '', /the query is empty; `{ }` finds every span/],
  ['duration > 1s', 'duration', /a condition on spans stands in braces: `{ duration … }`/],
  ['.a = 1', '.a', /a condition on spans stands in braces/],
  ['{} {}', '{', /two filters need an operator between them/],
  ['{} = {}', '=', /`=` cannot join two sets of spans/],
  ['{} > 2', '>', /cannot join a set of spans and a number; count the set/],
  ['{} | count()', 'count()', /a number alone finds no traces; compare it/],
  ['{} | count() | {}', '{', /compared before the next stage/],
  ['{} | count(.a) > 1', '.a', /`count\(\)` counts spans and takes nothing/],
  ['{} | avg() > 1', ')', /`avg\(\)` needs a field, as in `avg\(duration\)`/],
  ['{} | cuont() > 1', 'cuont', /unknown function `cuont`; did you mean `count`\?/],
  ['{} | > 2', '>', /`>` needs something on its left/],
  ['{} | rate(duration)', 'duration', /`rate\(\)` takes nothing/],
  ['{} | quantile_over_time(duration)', ')', /needs quantiles from 0 to 1/],
  ['{} | rate() | count() > 2', 'count', /only `topk\(n\)`, `bottomk\(n\)` and a comparison/],
  ['{} | topk(3)', 'topk', /comes after a metrics function/],
  ['rate()', 'rate()', /needs a set of spans before it/],
  ['({} | rate()) > 2', '>', /compared in a stage of its own: `… \| rate\(\) \| > 10`/],
  ['({} | rate()) && {}', '&&', /cannot join a metrics query and a set of spans/],
  ['({} | rate()) % 2', '%', /cannot join metrics queries; \+ - \* \/ can/],
  ['{} | compare(.a)', '.a', /`compare` takes a filter first/],
  ['{} | compare({}, 1, 2)', 'compare({}, 1, 2)', /both a start and an end in nanoseconds, or neither/],
  ['{} | select()', ')', /expected the name of an attribute, not `\)`/],
  ['{} with(5=1)', '5', /a hint has a name/],
  ['{} | order by size', 'size', /ordered by duration, start, spans or errors, not by `size`/],
  ['{} | order duration', 'duration', /`order` is followed by `by`/],
  ['{})', ')', /this `\)` closes nothing/],
  ['!{}', '!', /`!` negates a condition inside braces/],
  ['{ .a = 1 } # x', '#', /unexpected character `#`/],
]

for (const [text, marked, message] of mistakes) {
  test(`${text} is an error at ${marked === '' ? 'its end' : marked}`, () => {
    const [first] = parse(text).errors
    assert.match(first!.message, message)
    assert.equal(text.slice(first!.place.start, first!.place.end), marked)
  })
}

test('a query with several mistakes names each of them', () => {
  const { errors } = parse('{ .a == 1 } | { duratoin > 1s } | cuont() > 2 | { .b = }')
  assert.deepEqual(
    errors.map(({ message }) => message.slice(0, 23)),
    ['`==` is not an operator', 'unknown name `duratoin`', 'unknown function `cuont', 'expected a value or the'],
  )
})

test('a problem is shown with the line and carets below the place', () => {
  const text = '{ status = error }\n  | by(servcie)'
  assert.equal(
    showProblem(text, parse(text).errors[0]!),
    [
      'unknown name `servcie`; an attribute is written `.servcie`, a text "servcie" (line 2)',
      '    | by(servcie)',
      '         ^^^^^^^',
    ].join('\n'),
  )
  const long = `{ .a = "${'x'.repeat(200)}" && duratoin > 1s && .b = "${'y'.repeat(200)}" }`
  const [, line, carets] = showProblem(long, parse(long).errors[0]!).split('\n')
  assert.equal(line!.length, 2 + 122)
  assert.equal(line!.slice(carets!.indexOf('^'), carets!.length), 'duratoin')
})
