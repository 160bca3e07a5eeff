/** Types of conditions and values on one span. */
import { messageOf } from '../../base/errors.ts'
import { compilePattern } from '../../model/evaluate/held-value.ts'
import { intrinsics, type FieldType } from './intrinsics.ts'
import { readNumber } from './number-text.ts'
import { printField } from './print-field.ts'
import type { Binary, FieldExpression, Literal } from './syntax.ts'

/** `any`: an attribute, whose type depends on the span. `wrong`: its problem was already reported. */
export type ExpressionType = FieldType | 'any' | 'wrong'

export type Report = (message: string, at: Pick<FieldExpression, 'place'>) => void

const literalTypes = {
  string: 'text',
  int: 'number',
  float: 'number',
  duration: 'number',
  bool: 'bool',
  status: 'status',
  kind: 'kind',
  nil: 'nil',
} as const

const named: Readonly<Record<ExpressionType, string>> = {
  text: 'a text',
  number: 'a number',
  bool: 'true or false',
  status: 'a status',
  kind: 'a kind of span',
  nil: 'nil',
  any: 'an attribute',
  wrong: 'wrong',
}

/** The type of an expression. Problems in it are reported. */
export function typeOfField(field: FieldExpression, report: Report): ExpressionType {
  switch (field.kind) {
    case 'literal':
      return literalTypes[field.value.type]
    case 'intrinsic':
      return intrinsics[field.name].type
    case 'attribute':
      if (!field.ofParent) return 'any'
      report(
        'attributes of the parent cannot be asked; relate two sets of spans, as in `{ .a = 1 } > { .b = 2 }`',
        field,
      )
      return 'wrong'
    case 'unary': {
      const wanted = field.operator === '-' ? 'number' : 'bool'
      return want(field.operand, wanted, { operator: field.operator, report }) ? wanted : 'wrong'
    }
    case 'binary':
      return typeOfBinary(field, report)
  }
}

function typeOfBinary(field: Binary, report: Report): ExpressionType {
  const { operator, left, right } = field
  switch (operator) {
    case '&&':
    case '||':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^': {
      const wanted = operator === '&&' || operator === '||' ? 'bool' : 'number'
      const areRight = [left, right].map((side) => want(side, wanted, { operator, report }))
      return areRight.includes(false) ? 'wrong' : wanted
    }
    case '=~':
    case '!~':
      return checkPattern(field, report)
    default:
      return checkComparison(field, report)
  }
}

function want(
  field: FieldExpression,
  wanted: 'number' | 'bool',
  { operator, report }: { readonly operator: string; readonly report: Report },
): boolean {
  const type = typeOfField(field, report)
  if (type === wanted || type === 'any') return true
  if (type !== 'wrong')
    report(`\`${operator}\` needs ${named[wanted]}, but \`${printField(field)}\` is ${named[type]}`, field)
  return false
}

function checkPattern({ operator, left, right }: Binary, report: Report): ExpressionType {
  const type = typeOfField(left, report)
  if (type === 'wrong') return type
  if (type !== 'text' && type !== 'any') {
    report(`\`${operator}\` looks at texts, but \`${printField(left)}\` is ${named[type]}`, left)
    return 'wrong'
  }
  if (right.kind !== 'literal' || right.value.type !== 'string') {
    report(`\`${operator}\` needs a pattern in quotes on its right, such as \`"GET|POST"\``, right)
    return 'wrong'
  }
  try {
    compilePattern(right.value.value)
    return 'bool'
  } catch (error) {
    report(`${messageOf(error)}; patterns are in RE2 syntax and match the whole text`, right)
    return 'wrong'
  }
}

function checkComparison(field: Binary, report: Report): ExpressionType {
  const { operator, left, right } = field
  const [a, b] = [typeOfField(left, report), typeOfField(right, report)]
  if (a === 'wrong' || b === 'wrong') return 'wrong'
  const problem = a === 'nil' || b === 'nil' ? nilProblem(field, a, b) : typeProblem(field, a, b)
  if (problem !== undefined) report(problem, field)
  else if (operator !== '=' && operator !== '!=' && !isOrdered(a, b)) {
    report(`\`${operator}\` needs an order, and ${named[a === 'any' ? b : a]} has none; write \`=\` or \`!=\``, field)
    return 'wrong'
  }
  return problem === undefined ? 'bool' : 'wrong'
}

function isOrdered(a: ExpressionType, b: ExpressionType): boolean {
  return [a, b].every((type) => type === 'text' || type === 'number' || type === 'any')
}

function nilProblem({ operator, left, right }: Binary, a: ExpressionType, b: ExpressionType): string | undefined {
  if (operator !== '=' && operator !== '!=') return `\`${operator}\` cannot compare with nil; write \`=\` or \`!=\``
  const isNil = (side: FieldExpression): boolean => side.kind === 'literal' && side.value.type === 'nil'
  if (!isNil(left) && !isNil(right)) return '`parent` can only be compared with nil, and then means a root'
  const [asked, type] = isNil(left) ? [right, b] : [left, a]
  if (isNil(asked)) return '`nil` is compared with an attribute, as in `{ .a = nil }`'
  if (type === 'nil') return undefined
  if (asked.kind === 'intrinsic' && asked.name === 'parentId') {
    return 'intrinsics are never nil; roots are found by `{ nestedSetParent < 0 }` or `{ parent = nil }`'
  }
  if (asked.kind === 'intrinsic') return `\`${printField(asked)}\` is never nil: every span has it`
  if (asked.kind !== 'attribute') return 'only an attribute can be nil'
  const isService = asked.scope === 'resource' && asked.key === 'service.name'
  return isService ? 'every span has a service name, so it is never nil' : undefined
}

function typeProblem({ left, right }: Binary, a: ExpressionType, b: ExpressionType): string | undefined {
  if (a === b) return undefined
  if (a !== 'any' && b !== 'any') {
    const values = `\`${printField(left)}\` is ${named[a]}, and \`${printField(right)}\` is ${named[b]}`
    return `cannot compare different types: ${values}${unquoted(left, b) ?? unquoted(right, a) ?? ''}`
  }
  const known = a === 'any' ? b : a
  if (known !== 'status' && known !== 'kind') return undefined
  const attribute = printField(a === 'any' ? left : right)
  const value = printField(a === 'any' ? right : left)
  return `the attribute \`${attribute}\` holds no ${known}; write \`${known} = ${value}\`, or compare with the text "${value}"`
}

/** A hint when a value is in quotes and should not be. */
function unquoted(field: FieldExpression, wanted: ExpressionType): string | undefined {
  if (field.kind !== 'literal' || field.value.type !== 'string') return undefined
  const text = field.value.value
  const isName = (wanted === 'status' || wanted === 'kind') && /^[a-z]+$/.test(text)
  const isValue =
    isName || (wanted === 'number' && isNumber(text)) || (wanted === 'bool' && /^(true|false)$/.test(text))
  return isValue ? `; write ${text} without quotes` : undefined
}

function isNumber(text: string): boolean {
  if (!/^\.?\d/.test(text)) return false
  const { chars, problem } = readNumber(text, 0)
  return chars === text.length && problem === undefined
}

/** Whether the value depends on the span. */
export function asksSpan(field: FieldExpression): boolean {
  const waiting = [field]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'attribute' || next.kind === 'intrinsic') return true
    if (next.kind === 'unary') waiting.push(next.operand)
    if (next.kind === 'binary') waiting.push(next.left, next.right)
  }
  return false
}

export function numberOf({ value }: Literal): number | bigint | undefined {
  return value.type === 'int' || value.type === 'float' || value.type === 'duration' ? value.value : undefined
}
