/** A predicate as short text, for tests that say what something is compiled to. */
import type { Operand, Predicate } from '../../src/model/query.ts'

export function showPredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      if (predicate.of.length === 0) return predicate.kind === 'and' ? 'all' : 'none'
      return `(${predicate.of.map(showPredicate).join(predicate.kind === 'and' ? ' & ' : ' | ')})`
    case 'not':
      return `not ${showPredicate(predicate.of)}`
    case 'compare':
      return `${showOperand(predicate.left)} ${predicate.operator} ${showOperand(predicate.right)}`
    case 'exists':
      return `exists ${showOperand(predicate.field)}`
    case 'word':
      return `word ${JSON.stringify(predicate.text)}`
  }
}

function showOperand(operand: Operand): string {
  switch (operand.kind) {
    case 'intrinsic':
      return operand.name
    case 'attribute':
      return `${operand.scope}.${operand.key}`
    case 'arithmetic':
      return `(${showOperand(operand.left)} ${operand.operator} ${showOperand(operand.right)})`
    case 'value':
      if (operand.type === 'nil') return 'nil'
      if (operand.type === 'string') return JSON.stringify(operand.value)
      return operand.type === 'int' || operand.type === 'bool' ? `${operand.value}` : `${operand.type} ${operand.value}`
  }
}
