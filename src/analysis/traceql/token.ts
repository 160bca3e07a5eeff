/** The tokens that the lexer makes from a query's text. */
import type { AttributeScope, LiteralValue, Place } from './syntax.ts'

export type Token = { readonly place: Place } & TokenContent

export type TokenContent =
  /** An operator, a bracket or a comma. */
  | { readonly kind: 'symbol'; readonly text: string }
  /** A name without a dot: `duration`, `span:name`, `by`, `server`. */
  | { readonly kind: 'word'; readonly text: string }
  | {
      readonly kind: 'attribute'
      readonly scope: AttributeScope
      readonly key: string
      readonly ofParent: boolean
    }
  /** Numbers have no sign yet, so an int may exceed 64 bits. */
  | { readonly kind: 'literal'; readonly value: LiteralValue }
  | { readonly kind: 'end' }

/** A token as it is named in messages. */
export function nameOf(token: Token, text: string): string {
  if (token.kind === 'end') return 'the end of the query'
  const source = text.slice(token.place.start, token.place.end)
  return `\`${source.length > 40 ? source.slice(0, 40) + '…' : source}\``
}
