/** Random TraceQL trees, of the shapes that the parser makes: all operators, fields, functions and literals. */
import fc from 'fast-check'
import { intrinsicOf, intrinsicSpellings } from '../../src/analysis/traceql/intrinsics.ts'
import type {
  AttributeName,
  FieldExpression,
  FieldOperator,
  Hint,
  IntrinsicField,
  Literal,
  LiteralValue,
  MetricsOperand,
  MetricsQuery,
  OrderKey,
  OrderOperator,
  Pipeline,
  Query,
  Scalar,
  SpansetExpression,
  SpansetOperator,
  Stage,
} from '../../src/analysis/traceql/syntax.ts'

const place = { start: 0, end: 0 }
const intMax = (1n << 63n) - 1n
const plainObjects = { noNullPrototype: true }

const numberValue: fc.Arbitrary<LiteralValue> = fc.oneof(
  fc
    .bigInt({ min: -intMax - 1n, max: intMax })
    .map((value) => ({ kind: 'value' as const, type: 'int' as const, value })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => ({ kind: 'value' as const, type: 'float' as const, value })),
  fc
    .bigInt({ min: -intMax, max: intMax })
    .map((value) => ({ kind: 'value' as const, type: 'duration' as const, value })),
)
const value: fc.Arbitrary<LiteralValue> = fc.oneof(
  numberValue,
  fc.string({ unit: 'binary' }).map((value) => ({ kind: 'value' as const, type: 'string' as const, value })),
  fc.boolean().map((value) => ({ kind: 'value' as const, type: 'bool' as const, value })),
  fc.nat(2).map((value) => ({ kind: 'value' as const, type: 'status' as const, value })),
  fc.nat(5).map((value) => ({ kind: 'value' as const, type: 'kind' as const, value })),
  fc.constant({ kind: 'value' as const, type: 'nil' as const }),
)
const literal: fc.Arbitrary<Literal> = value.map((value) => ({ kind: 'literal', value, place }))
const number: fc.Arbitrary<Literal> = numberValue.map((value) => ({ kind: 'literal', value, place }))

const keys = fc.oneof(
  fc.constantFrom(
    'a',
    'http.status_code',
    'a b',
    '5',
    '5.x',
    'span.a',
    'resource.a',
    '.a',
    'a.',
    'a"b',
    'a\\',
    '{}',
    'ä',
    'a//b',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
)
const attribute: fc.Arbitrary<AttributeName> = fc
  .record({
    scope: fc.constantFrom('nearest' as const, 'span' as const, 'resource' as const, 'event' as const, 'link' as const),
    key: keys,
    ofParent: fc.boolean(),
  })
  .map(({ scope, key, ofParent }) => ({
    kind: 'attribute',
    scope,
    key,
    ofParent: ofParent && scope !== 'event' && scope !== 'link',
    place,
  }))
const intrinsic: fc.Arbitrary<IntrinsicField> = fc
  .constantFrom(...intrinsicSpellings)
  .map((spelling) => ({ kind: 'intrinsic', name: intrinsicOf(spelling)!, place }))
const name = fc.oneof(attribute, intrinsic)
const names = fc.array(name, { minLength: 1, maxLength: 3 })

const fieldOperator = fc.constantFrom<FieldOperator>(
  ...(['=', '!=', '<', '<=', '>', '>=', '=~', '!~', '&&', '||', '+', '-', '*', '/', '%', '^'] as const),
)

export const field: fc.Arbitrary<FieldExpression> = fc.letrec<{ field: FieldExpression }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    literal,
    attribute,
    intrinsic,
    fc
      .tuple(fc.constantFrom('-' as const, '!' as const), tie('field'))
      // The parser makes one number of a minus and a number.
      .map(([operator, operand]): FieldExpression =>
        operator === '-' &&
        operand.kind === 'literal' &&
        'value' in operand.value &&
        typeof operand.value.value !== 'string'
          ? operand
          : { kind: 'unary', operator, operand, place },
      ),
    fc
      .tuple(tie('field'), fieldOperator, tie('field'))
      .map(([left, operator, right]): FieldExpression => ({ kind: 'binary', operator, left, right, place })),
  ),
})).field

const orderOperator = fc.constantFrom<OrderOperator>('=', '!=', '<', '<=', '>', '>=')
const spansetOperator = fc.constantFrom<SpansetOperator>(
  ...(['&&', '||', '>', '<', '>>', '<<', '~', '!>', '!<', '!>>', '!<<', '!~', '&>', '&<', '&>>', '&<<', '&~'] as const),
)
const filter: fc.Arbitrary<SpansetExpression> = fc
  .option(field, { nil: undefined })
  .map((where) => ({ kind: 'filter', where, place }))

interface Ties {
  spanset: SpansetExpression
  scalar: Scalar
  stages: Stage[]
}

const trees = fc.letrec<Ties>((tie: fc.LetrecTypedTie<Ties>) => ({
  spanset: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    filter,
    fc
      .tuple(tie('spanset'), spansetOperator, tie('spanset'))
      .map(([left, operator, right]): SpansetExpression => ({ kind: 'combination', operator, left, right, place })),
    fc
      .tuple(tie('scalar'), orderOperator, tie('scalar'))
      .map(([left, operator, right]): SpansetExpression => ({ kind: 'scalarFilter', operator, left, right, place })),
    tie('stages').map((stages): SpansetExpression => {
      const [only] = stages
      const isPlain =
        stages.length === 1 && only!.kind !== 'group' && only!.kind !== 'coalesce' && only!.kind !== 'select'
      return isPlain ? (only as SpansetExpression) : { kind: 'pipeline', stages, place }
    }),
  ),
  scalar: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    number,
    fc.constant<Scalar>({ kind: 'aggregate', function: 'count', of: undefined, place }),
    fc
      .tuple(fc.constantFrom('avg' as const, 'min' as const, 'max' as const, 'sum' as const), field)
      .map(([name, of]): Scalar => ({ kind: 'aggregate', function: name, of, place })),
    fc
      .tuple(tie('scalar'), fc.constantFrom('+', '-', '*', '/', '%', '^'), tie('scalar'))
      .map(([left, operator, right]): Scalar => ({ kind: 'scalarArithmetic', operator, left, right, place }) as Scalar),
    fc.tuple(tie('stages'), tie('scalar')).map(([stages, scalar]): Scalar => ({
      kind: 'scalarPipeline',
      stages,
      scalar,
      place,
    })),
  ),
  stages: fc.array(
    fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      filter,
      tie('spanset'),
      fc.array(field, { minLength: 1, maxLength: 2 }).map((by): Stage => ({ kind: 'group', by, place })),
      fc.constant<Stage>({ kind: 'coalesce', place }),
      names.map((fields): Stage => ({ kind: 'select', fields, place })),
    ),
    { minLength: 1, maxLength: 3 },
  ),
}))

const aggregate = fc.oneof(
  fc
    .tuple(fc.constantFrom('rate' as const, 'count_over_time' as const), fc.oneof(fc.constant([]), names))
    .map(([name, by]) => ({ kind: 'overTime' as const, function: name, of: undefined, quantiles: [], by, place })),
  fc
    .tuple(
      fc.constantFrom(
        ...(['min_over_time', 'max_over_time', 'sum_over_time', 'avg_over_time', 'histogram_over_time'] as const),
      ),
      field,
      fc.oneof(fc.constant([]), names),
    )
    .map(([name, of, by]) => ({ kind: 'overTime' as const, function: name, of, quantiles: [], by, place })),
  fc.tuple(field, fc.array(number, { minLength: 1, maxLength: 3 })).map(([of, quantiles]) => ({
    kind: 'overTime' as const,
    function: 'quantile_over_time' as const,
    of,
    quantiles,
    by: [],
    place,
  })),
  fc
    .tuple(filter, fc.option(number, { nil: undefined }), fc.option(fc.tuple(number, number), { nil: undefined }))
    .map(([selection, top, window]) => ({
      kind: 'compare' as const,
      selection: selection as Extract<SpansetExpression, { kind: 'filter' }>,
      top,
      window: top === undefined ? undefined : window,
      place,
    })),
)
const metricsStage = fc.oneof(
  fc
    .tuple(fc.constantFrom('topk' as const, 'bottomk' as const), number)
    .map(([kind, count]) => ({ kind, count, place })),
  fc.tuple(orderOperator, number).map(([operator, value]) => ({ kind: 'threshold' as const, operator, value, place })),
)
const metrics: fc.Arbitrary<MetricsQuery> = fc.letrec<{ metrics: MetricsQuery }>((tie) => ({
  metrics: fc
    .tuple(
      fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        fc
          .tuple(trees.stages, aggregate)
          .map(([stages, aggregate]): MetricsQuery['source'] => ({ kind: 'metricsSelect', stages, aggregate, place })),
        fc
          .tuple(
            tie('metrics'),
            fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
            fc.oneof(tie('metrics'), number),
            fc.boolean(),
          )
          .map(([one, operator, other, isTurned]): MetricsQuery['source'] => {
            const [left, right] = (isTurned ? [other, one] : [one, other]) as [MetricsOperand, MetricsOperand]
            return { kind: 'metricsMath', operator, left, right, place }
          }),
      ),
      fc.array(metricsStage, { maxLength: 2 }),
    )
    .map(([source, stages]) => ({ kind: 'metrics', source, stages, place })),
})).metrics

const order: fc.Arbitrary<OrderKey[]> = fc.array(
  fc.record(
    {
      by: fc.constantFrom('duration' as const, 'start' as const, 'spans' as const, 'errors' as const),
      descending: fc.boolean(),
      place: fc.constant(place),
    },
    plainObjects,
  ),
  { maxLength: 2 },
)
const hints: fc.Arbitrary<Hint[]> = fc.array(
  fc.record(
    { name: fc.constantFrom('most_recent', 'exemplars', 'sample'), value: literal, place: fc.constant(place) },
    plainObjects,
  ),
  { maxLength: 2 },
)

/** Not only queries that mean something: types are left to `check`. */
export const query: fc.Arbitrary<Query> = fc
  .tuple(fc.oneof({ weight: 3, arbitrary: trees.stages }, { weight: 1, arbitrary: metrics }), order, hints)
  .map(([body, order, hints]) => {
    const pipeline = (stages: Stage[]): Pipeline => ({ kind: 'pipeline', stages, place })
    return { kind: 'query', body: Array.isArray(body) ? pipeline(body) : body, order, hints, place }
  })

/** The tree with all places alike. */
export function withoutPlaces<Tree>(tree: Tree): Tree {
  if (Array.isArray(tree)) return tree.map(withoutPlaces) as Tree
  if (tree === null || typeof tree !== 'object') return tree
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, key === 'place' ? place : withoutPlaces(value)]),
  ) as Tree
}
