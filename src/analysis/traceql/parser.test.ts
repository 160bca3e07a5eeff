import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { query as randomQuery, withoutPlaces } from '../../../test/support/random-traceql.ts'
import { parse } from './parser.ts'
import { print } from './print.ts'

test('printing and parsing a tree gives the same tree, and printing that gives the same text', () => {
  fc.assert(
    fc.property(randomQuery, (tree) => {
      const text = print(tree)
      const { ast, errors } = parse(text)
      assert.deepEqual(errors, [], text)
      assert.deepEqual(withoutPlaces(ast), tree, text)
      assert.equal(print(ast!), text)
    }),
    { numRuns: 1500, seed: 11 },
  )
})

/** A query and its printed form, whose parentheses show how it was read. */
const readings: readonly (readonly [string, string])[] = [
  ['{}', '{ }'],
  ['{.a=1}', '{ .a = 1 }'],
  // && and || bind equally, from the left.
  ['{ .a || .b && .c }', '{ .a || .b && .c }'],
  ['{ .a || (.b && .c) }', '{ .a || (.b && .c) }'],
  ['{ (.a || .b) && .c }', '{ .a || .b && .c }'],
  ['{ !.a = .b }', '{ !.a = .b }'],
  ['{ !(.a = .b) }', '{ !(.a = .b) }'],
  ['{ !(.a * .b) }', '{ !.a * .b }'],
  ['{ (!.a) * .b }', '{ (!.a) * .b }'],
  ['{ !(.a + .b) }', '{ !(.a + .b) }'],
  ['{ 2 ^ 3 ^ 2 = .a }', '{ 2 ^ 3 ^ 2 = .a }'],
  ['{ (2 ^ 3) ^ 2 = .a }', '{ (2 ^ 3) ^ 2 = .a }'],
  ['{ -.a ^ 2 = 1 }', '{ -.a ^ 2 = 1 }'],
  ['{ -(.a ^ 2) = 1 }', '{ -(.a ^ 2) = 1 }'],
  ['{ 1 - 2 - 3 = .a }', '{ 1 - 2 - 3 = .a }'],
  ['{ 1 - (2 - 3) = .a }', '{ 1 - (2 - 3) = .a }'],
  ['{ (1 + 2) * 3 > .a }', '{ (1 + 2) * 3 > .a }'],
  ['{ .a = 1 = true }', '{ .a = 1 = true }'],
  // Sets of spans.
  ['{.a}>{.b}>>{.c}', '{ .a } > { .b } >> { .c }'],
  ['{.a}>({.b}>>{.c})', '{ .a } > ({ .b } >> { .c })'],
  ['{.a}||{.b}&&{.c}', '{ .a } || { .b } && { .c }'],
  ['{.a}&&{.b}>{.c}', '{ .a } && { .b } > { .c }'],
  ['({.a}&&{.b})>{.c}', '({ .a } && { .b }) > { .c }'],
  ['(({.a}))', '{ .a }'],
  ['({.a}|count()>1)&&{.b}', '({ .a } | count() > 1) && { .b }'],
  ['{}!<{.b}', '{ } !< { .b }'],
  ['{.a}&>>{.b}', '{ .a } &>> { .b }'],
  ['{.a}!~{.b}', '{ .a } !~ { .b }'],
  ['count()>2', 'count() > 2'],
  ['({.a}|count())>({.b}|count())', '({ .a } | count()) > ({ .b } | count())'],
  ['{.a}|avg(duration)+1s>2*max(.b)', '{ .a } | avg(duration) + 1s > 2 * max(.b)'],
  [
    '{.a} | by ( resource.service.name ) | coalesce( ) | select ( .a , name )',
    '{ .a } | by(resource.service.name) | coalesce() | select(.a, name)',
  ],
  // Metrics.
  ['{.a}|rate()by(name,.b)|topk(5)|>10', '{ .a } | rate() by(name, .b) | topk(5) | > 10'],
  ['{}|quantile_over_time(duration,.99,0.9)by(span:name)', '{ } | quantile_over_time(duration, 0.99, 0.9) by(name)'],
  ['({.a}|rate())/({.b}|rate())*100', '({ .a } | rate()) / ({ .b } | rate()) * 100'],
  ['100-({.a}|rate())', '100 - ({ .a } | rate())'],
  ['(({.a}|rate())/({.b}|rate()))|topk(3)', '({ .a } | rate()) / ({ .b } | rate()) | topk(3)'],
  ['{}|compare({status=error},10,1,2)', '{ } | compare({ status = error }, 10, 1, 2)'],
  ['{}|histogram_over_time(duration)', '{ } | histogram_over_time(duration)'],
  ['{} with(most_recent=true,exemplars=10)', '{ } with(most_recent=true, exemplars=10)'],
  // Names and values.
  ['{span."a b".c=1}', '{ span."a b.c" = 1 }'],
  ['{."a\\"b\\\\"=1}', '{ ."a\\"b\\\\" = 1 }'],
  ['{.a-b=1}', '{ .a-b = 1 }'],
  ['{.a -1=1}', '{ .a - 1 = 1 }'],
  ['{."5"=.5}', '{ ."5" = 0.5 }'],
  ['{parent.a=1&&parent.span.b=2}', '{ parent.a = 1 && parent.span.b = 2 }'],
  ['{trace:duration>1d2h}', '{ traceDuration > 26h }'],
  ['{duration>1.5s}', '{ duration > 1.5s }'],
  ['{event:timeSinceStart>-100us}', '{ event:timeSinceStart > -100us }'],
  ['{.a=minInt||.a=maxInt}', '{ .a = -9223372036854775808 || .a = 9223372036854775807 }'],
  ['{.a=`x"\\d`}', '{ .a = "x\\"\\\\d" }'],
  ['{.a="\\u00e4\\x41\\101\\n"}', '{ .a = "äAA\\n" }'],
  ['{.a=1e3||.a=1.0}', '{ .a = 1000.0 || .a = 1.0 }'],
  ['{ .a = 1 // one\n && /* both */ .b = 2 }', '{ .a = 1 && .b = 2 }'],
  // Our extension.
  ['{} | order by duration desc, start asc', '{ } | order by duration desc, start'],
  ['{} order by errors with(most_recent=true)', '{ } | order by errors with(most_recent=true)'],
]

for (const [text, expected] of readings) {
  test(`${text} is read as ${expected}`, () => {
    const { ast, errors } = parse(text)
    assert.deepEqual(errors, [])
    assert.equal(print(ast!), expected)
  })
}

test('each node has its place', () => {
  const text = ' { .a = 1 && name =~ "x" } | count() > 2'
  const { body } = parse(text).ast!
  assert.ok(body.kind === 'pipeline')
  const at = ({ place }: { readonly place: { readonly start: number; readonly end: number } }) =>
    text.slice(place.start, place.end)
  assert.deepEqual(body.stages.map(at), ['{ .a = 1 && name =~ "x" }', 'count() > 2'])
  const [filter] = body.stages
  assert.ok(filter?.kind === 'filter' && filter.where?.kind === 'binary')
  assert.deepEqual([filter.where, filter.where.left, filter.where.right].map(at), [
    '.a = 1 && name =~ "x"',
    '.a = 1',
    'name =~ "x"',
  ])
})

test('parsing any text ends with a tree, or with errors that point into the text', () => {
  const words = 'count by rate with order compare nil status and'.split(' ')
  const signs = '{ } ( ) | || && ! - >> &> = =~ !~ .a span."b " ` 1 1s .5 // /* \\ ^ ,'.split(' ')
  const pieces = fc.constantFrom(...words, ...signs, "'x'", ' ', '\n')
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
    // A query with some characters removed, doubled or replaced.
    fc
      .tuple(randomQuery.map(print), fc.nat(), fc.nat(12), fc.oneof(pieces, fc.constant('')))
      .map(([text, at, length, piece]) => {
        const start = at % (text.length + 1)
        return text.slice(0, start) + piece + text.slice(start + length)
      }),
  )
  let wrong = 0
  fc.assert(
    fc.property(texts, (text) => {
      const { ast, errors } = parse(text)
      assert.equal(ast === undefined, errors.length > 0)
      for (const { place, message } of errors) {
        assert.ok(0 <= place.start && place.start <= place.end && place.start <= text.length, message)
      }
      if (ast === undefined) wrong++
      else assert.equal(print(parse(print(ast)).ast!), print(ast))
    }),
    { numRuns: 6000, seed: 12 },
  )
  assert.ok(wrong > 1000 && wrong < 5900, `${wrong} of 6000 were wrong`)
})

test('size and depth are bounded', () => {
  const messages = (text: string): string[] => parse(text).errors.map(({ message }) => message)
  for (const opening of ['(', '{(', '{!', '{-.a+(', '{.a^', '{ .a = -']) {
    assert.ok(messages(opening.repeat(10_000)).length > 0)
  }
  assert.match(messages('('.repeat(30_000))[0]!, /nested more than 100 levels/)
  assert.match(messages('{' + '('.repeat(30_000))[0]!, /nested more than 100 levels/)
  assert.match(messages('{' + '!'.repeat(30_000) + '.a}')[0]!, /nested more than 100 levels/)
  assert.match(messages('{' + '- '.repeat(30_000) + '.a}')[0]!, /nested more than 100 levels/)
  assert.match(messages('{.a' + '^ 2 '.repeat(10_000) + '}')[0]!, /nested more than 100 levels/)
  assert.match(messages('('.repeat(100_000))[0]!, /at most 65536 are read/)
  assert.match(messages('{}' + '&&{}'.repeat(16_000))[0]!, /more than 1000 operators/)
  assert.match(messages('{.a' + '&&.a'.repeat(16_000) + '}')[0]!, /more than 1000 operators/)
  assert.match(messages('{}' + '|{}'.repeat(16_000))[0]!, /more than 1000 operators/)
  assert.deepEqual(messages('{' + '('.repeat(99) + '.a' + ')'.repeat(99) + '}'), [])
  assert.deepEqual(messages('{.a' + '&&.a'.repeat(900) + '}'), [])
})
