/** Random values and predicates over few keys, so that they meet often: for properties of the evaluator and compilers. */
import fc from 'fast-check'
import type { Attribute, AttributeValue } from '../../src/model/attributes.ts'
import type { Comparison, Field, Intrinsic, Operand, Operator, Predicate, Scope, Value } from '../../src/model/query.ts'

/** Dedicated ones of each type, dotted ones, odd ones, and those that are JSON's or SQL's own characters. */
export const keys = [
  'user.id',
  'http.response.status_code',
  'plain',
  'a',
  'a.b',
  'a.b.c',
  'a=b',
  'span.a',
  '"q\\',
  'é.ü',
  '',
]

const texts = [
  '',
  'a',
  'A',
  'b.c',
  '5',
  '5.0',
  '-0',
  'true',
  'NaN',
  'é',
  '𝄞',
  '\uffff',
  '\n',
  '"',
  '\\',
  "'",
  '["a"]',
  '[1]',
]
const doubles = [0, -0, 5, 0.5, -1.5, NaN, Infinity, -Infinity, 1e21, 5e-324, 9007199254740992, 2 ** 63]
const ints = [0n, 5n, -1n, 503n, 9007199254740992n, 9007199254740993n, (1n << 63n) - 1n, -(1n << 63n)]

const scalars: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.constantFrom(...texts).map((value) => ({ type: 'string' as const, value })),
  fc.constantFrom(...ints).map((value) => ({ type: 'int' as const, value })),
  fc.constantFrom(...doubles).map((value) => ({ type: 'double' as const, value })),
  fc.boolean().map((value) => ({ type: 'bool' as const, value })),
)
const rare: fc.Arbitrary<AttributeValue> = fc.constantFrom(
  { type: 'bytes', value: Uint8Array.of(1, 2, 3) },
  { type: 'bytes', value: new Uint8Array() },
  { type: 'empty' },
)

const { value } = fc.letrec<{ value: AttributeValue; map: AttributeValue }>((tie) => ({
  map: fc
    .uniqueArray(fc.record({ key: fc.constantFrom('b', 'c', 'b.c', 'a', ''), value: tie('value') }), {
      selector: ({ key }) => key,
      maxLength: 3,
    })
    .map((entries) => ({ type: 'map' as const, value: entries })),
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'held' },
    { arbitrary: scalars, weight: 6 },
    { arbitrary: rare, weight: 1 },
    {
      arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((items) => ({ type: 'array' as const, value: items })),
      weight: 2,
    },
    { arbitrary: tie('map'), weight: 2 },
  ),
}))
export const heldValue = value

export const heldAttributes: fc.Arbitrary<Attribute[]> = fc.uniqueArray(
  fc.record({ key: fc.constantFrom(...keys), value }),
  { selector: ({ key }) => key, maxLength: 6 },
)

const patterns = ['a', 'A|é', '.*', '[0-9.]+', '(?i)a', '.', '\\n', '']

const asked: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(...texts).map((each) => ({ kind: 'value' as const, type: 'string' as const, value: each })),
  fc.constantFrom(...ints).map((each) => ({ kind: 'value' as const, type: 'int' as const, value: each })),
  fc.constantFrom(...doubles).map((each) => ({ kind: 'value' as const, type: 'float' as const, value: each })),
  fc.boolean().map((each) => ({ kind: 'value' as const, type: 'bool' as const, value: each })),
  fc.constantFrom(...ints).map((each) => ({ kind: 'value' as const, type: 'duration' as const, value: each })),
  fc.nat(3).map((each) => ({ kind: 'value' as const, type: 'status' as const, value: each })),
  fc.nat(6).map((each) => ({ kind: 'value' as const, type: 'kind' as const, value: each })),
  fc.constant({ kind: 'value' as const, type: 'nil' as const }),
  fc
    .constantFrom(
      ...texts,
      '5e0',
      '+5',
      '05',
      '503',
      'false',
      'Infinity',
      '-Infinity',
      '9007199254740993',
      '9223372036854775808',
      'error',
      '["a","b"]',
      '[1.0]',
      '{"b":5}',
      '{"b":{"c":"a"}}',
      '[]',
      '{}',
      'AQID',
      '{"doubleValue":"NaN"}',
      'server',
      '[{"b":1}]',
      '{"arrayValue":{"values":[{"stringValue":"a"}]}}',
      '[null]',
      '1e21',
    )
    .map((each) => ({ kind: 'value' as const, type: 'spelled' as const, value: each })),
)

const operators: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>=']

export interface PredicateNames {
  readonly intrinsics: readonly Intrinsic['name'][]
  readonly scopes: readonly Scope[]
}

export function randomPredicate({ intrinsics, scopes }: PredicateNames): fc.Arbitrary<Predicate> {
  const attribute: fc.Arbitrary<Field> = fc.record({
    kind: fc.constant('attribute'),
    scope: fc.constantFrom(...scopes),
    key: fc.constantFrom(...keys),
  })
  const field: fc.Arbitrary<Field> = fc.oneof(
    { arbitrary: attribute, weight: 3 },
    { arbitrary: fc.record({ kind: fc.constant('intrinsic'), name: fc.constantFrom(...intrinsics) }), weight: 1 },
  )
  const number = asked.filter((each) => each.type === 'int' || each.type === 'float')
  const operand: fc.Arbitrary<Operand> = fc.oneof(
    field,
    asked,
    fc.record({
      kind: fc.constant('arithmetic'),
      operator: fc.constantFrom('+', '-', '*'),
      left: fc.oneof(field, number),
      right: fc.oneof(field, number),
    }),
  )
  const comparison: fc.Arbitrary<Comparison> = fc.oneof(
    { weight: 8, arbitrary: compared(field, fc.constantFrom(...operators), asked) },
    {
      weight: 2,
      arbitrary: compared(
        field,
        fc.constantFrom('=~', '!~'),
        fc.constantFrom(...patterns).map((each) => ({ kind: 'value', type: 'string', value: each }) as const),
      ),
    },
    { weight: 2, arbitrary: compared(operand, fc.constantFrom(...operators), operand) },
  )
  const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
    predicate: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'predicate' },
      { weight: 6, arbitrary: comparison },
      { weight: 1, arbitrary: field.map((each) => ({ kind: 'exists' as const, field: each })) },
      { weight: 1, arbitrary: tie('predicate').map((of) => ({ kind: 'not' as const, of })) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom('and', 'or'),
          of: fc.array(tie('predicate'), { maxLength: 3 }),
        }) as fc.Arbitrary<Predicate>,
      },
    ),
  }))
  return predicate
}

function compared(
  left: fc.Arbitrary<Operand>,
  operator: fc.Arbitrary<Operator>,
  right: fc.Arbitrary<Operand>,
): fc.Arbitrary<Comparison> {
  return fc.record({ kind: fc.constant('compare'), left, operator, right })
}
