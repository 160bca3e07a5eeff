/** Conditions and values on one span -> text that parses back to the same. */
import { namesOf } from '../../model/evaluate/held-value.ts'
import { spellingOfIntrinsic } from './intrinsics.ts'
import { printNumber } from './number-text.ts'
import { bindingOf, bindings, rightBinding } from './operators.ts'
import type { AttributeName, FieldExpression, IntrinsicField, LiteralValue } from './syntax.ts'

export function printField(field: FieldExpression): string {
  return printOperand(field, bindings.logic)
}

/** Adds parentheses when its operator binds more loosely than `loosest`. */
function printOperand(field: FieldExpression, loosest: number): string {
  switch (field.kind) {
    case 'literal':
      return printLiteral(field.value)
    case 'attribute':
    case 'intrinsic':
      return printName(field)
    case 'unary': {
      const binding = field.operator === '-' ? bindings.minus : bindings.not
      return inParentheses(field.operator + printOperand(field.operand, binding), binding < loosest)
    }
    case 'binary': {
      const binding = bindingOf(field.operator)!
      return inParentheses(
        [
          printOperand(field.left, leftBinding(binding)),
          field.operator,
          printOperand(field.right, rightBinding(binding)),
        ].join(' '),
        binding < loosest,
      )
    }
  }
}

/** The loosest binding that an operand on the left may have without parentheses. */
export function leftBinding(binding: number): number {
  return binding === bindings.power ? binding + 1 : binding
}

export function inParentheses(text: string, isNeeded: boolean): string {
  return isNeeded ? `(${text})` : text
}

/** As it is written in a query; also the label of a group or a series. */
export function printName(name: AttributeName | IntrinsicField): string {
  if (name.kind === 'intrinsic') return spellingOfIntrinsic(name.name)
  const before = name.ofParent ? 'parent.' : ''
  const scope = name.scope === 'nearest' ? (name.ofParent ? '' : '.') : `${name.scope}.`
  const isPlain = isRun(name.key) && !isMisread(name)
  return before + scope + (isPlain ? name.key : `"${name.key.replace(/["\\]/g, '\\$&')}"`)
}

function isRun(key: string): boolean {
  return /^[^\s{}()=~!<>&|^,"\\]+$/.test(key)
}

/** `.5` is a number, and `parent.span.x` is not the attribute `span.x` of the parent. */
function isMisread({ scope, key, ofParent }: AttributeName): boolean {
  if (scope !== 'nearest') return false
  return ofParent ? /^(?:span|resource)\./.test(key) : /^[0-9]/.test(key)
}

export function printLiteral(value: LiteralValue): string {
  switch (value.type) {
    case 'string':
      return printText(value.value)
    case 'int':
    case 'float':
    case 'duration':
      return printNumber(value)
    case 'bool':
      return String(value.value)
    case 'status':
    case 'kind':
      return namesOf(value.type)[value.value]!
    case 'nil':
      return 'nil'
  }
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
}

function printText(text: string): string {
  const escaped = text.replace(
    /["\\]|\p{Cc}/gu,
    (char) => shortEscapes[char] ?? '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0'),
  )
  return `"${escaped}"`
}
