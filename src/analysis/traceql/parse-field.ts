/** Parses conditions and values on one span: the text between braces and in the parentheses of functions. */
import { namesOf } from '../../model/evaluate/held-value.ts'
import { bool, int, kind, nil, status } from '../../model/query.ts'
import type { Cursor } from './cursor.ts'
import { intrinsicOf, intrinsicSpellings, suggestion } from './intrinsics.ts'
import { intMax } from './number-text.ts'
import { bindingOf, bindings, rightBinding } from './operators.ts'
import type { AttributeName, FieldExpression, FieldOperator, IntrinsicField, Literal, LiteralValue } from './syntax.ts'

const namedValues: ReadonlyMap<string, LiteralValue> = new Map<string, LiteralValue>([
  ['true', bool(true)],
  ['false', bool(false)],
  ['nil', nil],
  ['minInt', int(-intMax - 1n)],
  ['maxInt', int(intMax)],
  ...namesOf('status').map((name, code): [string, LiteralValue] => [name, status(code)]),
  ...namesOf('kind').map((name, code): [string, LiteralValue] => [name, kind(code)]),
])
const knownNames = [...intrinsicSpellings, ...namedValues.keys()]

/** What people who know other languages write between conditions. */
const foreignOperators: Readonly<Record<string, string>> = {
  and: '`and` is written `&&`',
  or: '`or` is written `||`',
  not: '`not` is written `!`',
  in: '`in` is not an operator; write `=~ "a|b"`, or several conditions with `||`',
  like: '`like` is not an operator; write `=~ ".*text.*"`',
  is: '`is` is not an operator; write `= nil` or `!= nil`',
  contains: '`contains` is not an operator; write `=~ ".*text.*"`',
}

const fieldOperators: ReadonlySet<string> = new Set('= != < <= > >= =~ !~ && || + - * / % ^'.split(' '))

/** An expression whose operators all bind at least as tightly as this. */
export function parseField(cursor: Cursor, loosest: number = bindings.logic): FieldExpression {
  const { start } = cursor.token.place
  let left = parseOperand(cursor)
  for (;;) {
    const { token } = cursor
    if (token.kind === 'word') failAtForeign(cursor, token.text)
    const binding = token.kind === 'symbol' ? bindingOf(token.text) : undefined
    if (token.kind !== 'symbol' || binding === undefined || binding < loosest) return left
    if (!fieldOperators.has(token.text)) failAtRelation(cursor, token.text)
    cursor.take()
    cursor.countOperator()
    const operator = token.text as FieldOperator
    const read = (): FieldExpression => parseField(cursor, rightBinding(binding))
    const right = operator === '^' ? cursor.nested(read) : read()
    left = { kind: 'binary', operator, left, right, place: cursor.placeFrom(start) }
  }
}

function failAtForeign(cursor: Cursor, word: string): void {
  const message = Object.hasOwn(foreignOperators, word.toLowerCase()) ? foreignOperators[word.toLowerCase()] : undefined
  if (message !== undefined) cursor.fail(message)
}

function failAtRelation(cursor: Cursor, operator: string): never {
  const opposite: Readonly<Record<string, string>> = { '!<': '`>=`', '!>': '`<=`' }
  const right = opposite[operator]
  cursor.fail(
    right === undefined
      ? `\`${operator}\` stands between sets of spans, as in \`{ … } ${operator} { … }\`; close the braces before it`
      : `\`${operator}\` stands between sets of spans; between values write ${right}`,
  )
}

function parseOperand(cursor: Cursor): FieldExpression {
  const { token } = cursor
  const { start } = token.place
  if (token.kind === 'symbol') {
    if (cursor.takeSymbol('-')) return cursor.nested(() => parseNegative(cursor, start))
    if (cursor.takeSymbol('!')) {
      cursor.countOperator()
      const operand = cursor.nested(() => parseField(cursor, bindings.not))
      return { kind: 'unary', operator: '!', operand, place: cursor.placeFrom(start) }
    }
    if (cursor.takeSymbol('(')) {
      const inner = cursor.nested(() => parseField(cursor))
      cursor.expect(')', 'after the expression')
      return inner
    }
  }
  if (token.kind === 'word') failAtForeign(cursor, token.text)
  const literal = parseLiteral(cursor)
  return literal ?? parseName(cursor, 'a value or the name of an attribute')
}

function parseNegative(cursor: Cursor, start: number): FieldExpression {
  const literal = parseSignedNumber(cursor, start)
  if (literal !== undefined) return literal
  cursor.countOperator()
  const operand = parseField(cursor, bindings.minus)
  const place = cursor.placeFrom(start)
  const negated = operand.kind === 'literal' ? negativeOf(operand.value) : undefined
  return negated === undefined
    ? { kind: 'unary', operator: '-', operand, place }
    : { kind: 'literal', value: inRange(cursor, negated), place }
}

/** After a minus: the number right after it, with its sign. */
export function parseSignedNumber(cursor: Cursor, start: number): Literal | undefined {
  const { token } = cursor
  const negated = token.kind === 'literal' ? negativeOf(token.value) : undefined
  if (negated === undefined) return undefined
  cursor.take()
  return { kind: 'literal', value: inRange(cursor, negated), place: cursor.placeFrom(start) }
}

function negativeOf(value: LiteralValue): LiteralValue | undefined {
  switch (value.type) {
    case 'int':
    case 'duration':
      return { ...value, value: -value.value }
    case 'float':
      return { ...value, value: -value.value }
    default:
      return undefined
  }
}

function inRange(cursor: Cursor, value: LiteralValue): LiteralValue {
  if (value.type === 'int' && (value.value > intMax || value.value < -intMax - 1n)) {
    cursor.fail(`an integer is between ${-intMax - 1n} and ${intMax}; write \`.0\` behind it for a float`)
  }
  return value
}

/** A literal without a sign, or nothing. */
export function parseLiteral(cursor: Cursor): Literal | undefined {
  const { token } = cursor
  const { place } = token
  if (token.kind === 'literal') {
    const value = inRange(cursor, token.value)
    cursor.take()
    return { kind: 'literal', value, place }
  }
  const value = token.kind === 'word' ? namedValues.get(token.text) : undefined
  if (value === undefined) return undefined
  cursor.take()
  return { kind: 'literal', value, place }
}

/** An attribute or an intrinsic; `wanted` completes "expected …". */
function parseName(cursor: Cursor, wanted: string): AttributeName | IntrinsicField {
  const { token } = cursor
  const { place } = token
  if (token.kind === 'attribute') {
    cursor.take()
    const { scope, key, ofParent } = token
    return { kind: 'attribute', scope, key, ofParent, place }
  }
  if (token.kind !== 'word') cursor.fail(`expected ${wanted}, not ${cursor.describe()}`)
  const name = intrinsicOf(token.text)
  if (name === undefined) cursor.fail(unknownName(token.text))
  cursor.take()
  return { kind: 'intrinsic', name, place }
}

function unknownName(text: string): string {
  if (text === 'and' || text === 'or') return foreignOperators[text]!
  const near = suggestion(text, knownNames)
  const what = text.includes(':') ? 'intrinsic' : 'name'
  const right = text.includes(':')
    ? '; the intrinsics are in docs/traceql.md'
    : `; an attribute is written \`.${text}\`, a text "${text}"`
  return `unknown ${what} \`${text}\`${near === '' ? right : near}`
}

/** Attributes and intrinsics with commas between them. */
export function parseNames(cursor: Cursor): (AttributeName | IntrinsicField)[] {
  const names = [parseName(cursor, 'the name of an attribute')]
  while (cursor.takeSymbol(',')) {
    cursor.countOperator()
    names.push(parseName(cursor, 'the name of an attribute'))
  }
  return names
}
