/** How large a predicate may be. Every store checks before it looks at one, so no tree can exhaust a stack or a parser. */
import { InputError } from '../base/errors.ts'
import type { Operand, Predicate } from './query.ts'

/**
 * The maximum number of conditions in one tree, counted over all levels. At 500 bytes of SQL each they stay within the
 * engine's 256 KiB.
 */
const conditionsMax = 250
/** The maximum number of levels of one tree, including arithmetic. */
const depthMax = 50
/** The maximum number of characters in all keys, texts and patterns of one tree together. */
const textMax = 65_536

/** Throws `InputError` `too_large`. Uses no recursion, so a tree of any depth can be checked. */
export function checkLimits(predicate: Predicate): void {
  const waiting: { readonly node: Predicate | Operand; readonly depth: number }[] = [{ node: predicate, depth: 1 }]
  let conditions = 0
  let characters = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next
    if (depth > depthMax) throw tooLarge(`it is nested more than ${depthMax} levels deep`)
    if (node.kind === 'compare' || node.kind === 'exists' || node.kind === 'word') conditions++
    if (conditions > conditionsMax) throw tooLarge(`it has more than ${conditionsMax} conditions`)
    characters += textOf(node).length
    if (characters > textMax) throw tooLarge(`its keys and values have more than ${textMax} characters`)
    for (const child of childrenOf(node)) waiting.push({ node: child, depth: depth + 1 })
  }
}

export function childrenOf(node: Predicate | Operand): readonly (Predicate | Operand)[] {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.of
    case 'not':
      return [node.of]
    case 'compare':
    case 'arithmetic':
      return [node.left, node.right]
    case 'exists':
      return [node.field]
    default:
      return []
  }
}

function textOf(node: Predicate | Operand): string {
  if (node.kind === 'attribute') return node.key
  if (node.kind === 'word') return node.text
  return node.kind === 'value' && 'value' in node && typeof node.value === 'string' ? node.value : ''
}

function tooLarge(why: string): InputError {
  return new InputError('too_large', `cannot search for this: ${why}`)
}
