/** Parses filters, and functions of one field over the spans of a set. */
import type { Cursor } from './cursor.ts'
import { parseField } from './parse-field.ts'
import type { Aggregate, AggregateFunction, FieldExpression, Filter } from './syntax.ts'

export const aggregateFunctions: readonly string[] = ['count', 'avg', 'min', 'max', 'sum'] satisfies AggregateFunction[]

export function parseFilter(cursor: Cursor): Filter {
  const { start } = cursor.token.place
  cursor.expect('{', 'of the filter')
  let where: FieldExpression | undefined
  cursor.recover(['}'], () => {
    if (cursor.isSymbol('}')) return
    where = parseField(cursor)
    if (!cursor.isSymbol('}')) cursor.fail(afterCondition(cursor))
  })
  if (cursor.problems.length === 0) cursor.expect('}', 'of the filter')
  else cursor.takeSymbol('}')
  return { kind: 'filter', where, place: cursor.placeFrom(start) }
}

function afterCondition(cursor: Cursor): string {
  const { token } = cursor
  if (token.kind === 'end') return 'the filter has no closing `}`'
  if (token.kind === 'symbol' && token.text === '|') return 'the filter has no closing `}`; "or" is written `||`'
  if (token.kind === 'symbol' && token.text === ',') return 'conditions are joined by `&&` or `||`, not by a comma'
  return `an operator or \`}\` is expected before ${cursor.describe()}; conditions are joined by \`&&\` or \`||\``
}

export function parseAggregate(cursor: Cursor): Aggregate {
  const { place, ...token } = cursor.take()
  const name = (token as { text: AggregateFunction }).text
  cursor.expect('(', `after \`${name}\``)
  if (name === 'count' && !cursor.isSymbol(')')) {
    cursor.fail('`count()` counts spans and takes nothing; count those that meet a condition by `{ … } | count() > 2`')
  }
  if (name !== 'count' && cursor.isSymbol(')')) cursor.fail(`\`${name}()\` needs a field, as in \`${name}(duration)\``)
  const of = name === 'count' ? undefined : parseField(cursor)
  cursor.expect(')', `after the field of \`${name}\``)
  return { kind: 'aggregate', function: name, of, place: cursor.placeFrom(place.start) }
}
