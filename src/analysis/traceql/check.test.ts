import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { query as randomQuery } from '../../../test/support/random-traceql.ts'
import { check } from './check.ts'
import { parse } from './parser.ts'
import { print } from './print.ts'

/** The query, the text that the carets mark, and the message. */
const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['{ duration }', 'duration', /a filter needs a condition, but `duration` is only a value/],
  ['{ 1 + .a }', '1 + .a', /a filter needs a condition/],
  ['{ "x" }', '"x"', /a filter needs a condition/],
  ['{ duration > "1s" }', 'duration > "1s"', /different types: .*; write 1s without quotes/],
  ['{ status = "error" }', 'status = "error"', /different types: .*; write error without quotes/],
  ['{ kind = "server" }', 'kind = "server"', /write server without quotes/],
  ['{ name = 5 }', 'name = 5', /`name` is a text, and `5` is a number/],
  ['{ name = error }', 'name = error', /`name` is a text, and `error` is a status/],
  ['{ .a = error }', '.a = error', /the attribute `.a` holds no status; write `status = error`/],
  ['{ server = .a }', 'server = .a', /holds no kind; write `kind = server`/],
  ['{ status > ok }', 'status > ok', /`>` needs an order, and a status has none/],
  ['{ kind <= server }', 'kind <= server', /needs an order, and a kind of span has none/],
  ['{ .a > true }', '.a > true', /needs an order, and true or false has none/],
  ['{ status = server }', 'status = server', /`status` is a status, and `server` is a kind of span/],
  ['{ (.a = 1) > (.b = 2) }', '(.a = 1) > (.b = 2)', /needs an order/],
  ['{ .a > nil }', '.a > nil', /`>` cannot compare with nil/],
  ['{ nil = nil }', 'nil = nil', /`nil` is compared with an attribute/],
  ['{ name = nil }', 'name = nil', /`name` is never nil/],
  ['{ span:parentID = nil }', 'span:parentID = nil', /roots are found by `\{ nestedSetParent < 0 \}`/],
  ['{ resource.service.name != nil }', 'resource.service.name != nil', /every span has a service name/],
  ['{ .a + 1 = nil }', '.a + 1 = nil', /only an attribute can be nil/],
  ['{ parent = 5 }', 'parent = 5', /`parent` can only be compared with nil/],
  ['{ parent = parent }', 'parent = parent', /can only be compared with nil/],
  ['{ duration =~ "x" }', 'duration', /`=~` looks at texts, but `duration` is a number/],
  ['{ .a =~ .b }', '.b', /`=~` needs a pattern in quotes on its right/],
  ['{ .a !~ 5 }', '5', /`!~` needs a pattern in quotes/],
  ['{ .a =~ "(" }', '"("', /cannot read the pattern "\(".*RE2 syntax/],
  ['{ .a =~ "(?=x)" }', '"(?=x)"', /cannot read the pattern/],
  ['{ name + 1 = 2 }', 'name', /`\+` needs a number, but `name` is a text/],
  ['{ -status = 2 }', 'status', /`-` needs a number/],
  ['{ .a = 1 && duration }', 'duration', /`&&` needs true or false, but `duration` is a number/],
  ['{ !name }', 'name', /`!` needs true or false/],
  ['{ parent.a = 1 }', 'parent.a', /attributes of the parent cannot be asked/],
  ['{ } | by(5)', '5', /`by\(\)` needs a value of each span, and `5` is the same for all/],
  ['{ } | by(.a + name)', 'name', /`\+` needs a number/],
  ['{ } | select(parent.a)', 'parent.a', /attributes of the parent/],
  ['{ } | avg(name) > 1', 'name', /`avg\(\)` needs a number of each span, not `name`/],
  ['{ } | sum(5) > 1', '5', /the same for all/],
  ['{ } | count() > "x"', '"x"', /must be a number/],
  ['1 > 2', '1 > 2', /needs a function of the spans on a side/],
  ['({ } | 2) > 1', '({ } | 2)', /end in a constant/],
  ['{ } | quantile_over_time(duration, 99)', '99', /a quantile is a number from 0 to 1/],
  ['{ } | quantile_over_time(duration, -.5)', '-.5', /a quantile is a number from 0 to 1/],
  ['{ } | rate() by(parent.a)', 'parent.a', /attributes of the parent/],
  ['{ } | max_over_time(name)', 'name', /needs a number of each span/],
  ['{ } | rate() | topk(0)', '0', /a whole number from 1 to 1000/],
  ['{ } | rate() | bottomk(1.5)', '1.5', /a whole number/],
  ['{ } | rate() | > "x"', '"x"', /must be a number/],
  ['{ } | compare({ name })', 'name', /a filter needs a condition/],
  ['{ } | compare({ }, 5000)', '5000', /a whole number from 1 to 1000/],
  ['{ } | compare({ }, 5, 20, 10)', '20', /the end is after the start/],
  ['{ } | compare({ }) | topk(3)', 'compare({ })', /stands at the end of a query/],
  ['({ } | compare({ })) / 2', 'compare({ })', /stands at the end of a query/],
  ['({ } | rate()) / count()', 'count()', /takes metrics queries and constants/],
  ['{ } | rate() | order by start', 'start', /`order by` orders traces/],
  ['{ } with(most_recnt=true)', 'most_recnt=true', /did you mean `most_recent`\?/],
  ['{ } with(most_recent=5)', '5', /the hint `most_recent` takes true or false/],
  ['{ } with(sample=2)', '2', /takes true or false or a share from 0 to 1/],
  ['{ } with(sample=true, sample=true)', 'sample=true', /given twice/],
  [`{ .a = 1${' && .a = 1'.repeat(250)} }`, `.a = 1${' && .a = 1'.repeat(250)}`, /more than 250 conditions/],
  [`{ ${'('.repeat(40)}.a${' = (.b = 1))'.repeat(40)} }`, '', /become more than 1000/],
]

for (const [text, marked, message] of mistakes) {
  test(`${text.slice(0, 60)} cannot be answered`, () => {
    const { ast, errors } = parse(text)
    assert.deepEqual(errors, [])
    const problems = check(ast!)
    assert.equal(problems.length, 1, JSON.stringify(problems))
    assert.match(problems[0]!.message, message)
    const { start, end } = problems[0]!.place
    if (marked !== '') assert.equal(text.slice(start, end), marked)
  })
}

const right = [
  '{ .a }',
  '{ true }',
  '{ .a = nil || span.b != nil || parent = nil || nil != parent }',
  '{ duration > 2 * span.budget && 5 < .a && .a = .b }',
  '{ .a = "5" && .a = 5 && .a = 5.5 && .a = 5s && .a = true && true = .a }',
  '{ (.a = 1) = (.b = 2) && (.a = 1) != true }',
  '{ status = error && status != ok && kind = server && name =~ "a.*" && .x !~ `\\d` }',
  '{ trace:id = "1234" && span:childCount > 2 && nestedSetParent < 0 && event:timeSinceStart > -5s }',
  '{ .a = 1 } >> { .b = 2 } | by(name, .a + 1) | coalesce() | select(.a) | avg(duration) + 1s > 2s',
  '({ .a } | count()) > ({ .b } | count())',
  '{ } | quantile_over_time(duration, 0, .5, 1) by(name) | topk(10) | > 1',
  '(({ } | rate()) / ({ } | rate()) + 1) * 100 with(exemplars=true)',
  '{ } | compare({ status = error }, 10, 1, 2)',
  '{ } | order by duration desc with(most_recent=true, sample=0.1, debug_x=1, job_size=5)',
]
for (const text of right) {
  test(`${text} can be answered`, () => {
    const { ast, errors } = parse(text)
    assert.deepEqual(errors, [])
    assert.deepEqual(check(ast!), [])
  })
}

test('any tree can be checked, and each problem points into its text', () => {
  let wrong = 0
  fc.assert(
    fc.property(randomQuery, (tree) => {
      const text = print(tree)
      const problems = check(parse(text).ast!)
      for (const { place } of problems) assert.ok(place.start < place.end && place.end <= text.length)
      wrong += problems.length === 0 ? 0 : 1
    }),
    { numRuns: 1000, seed: 13 },
  )
  assert.ok(wrong > 300 && wrong < 990, `${wrong} of 1000 were wrong`)
})
