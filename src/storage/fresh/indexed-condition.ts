/** The conditions of a query that an index of values may answer. */
import { fieldComparison, type Predicate } from '../../model/query.ts'

export interface IndexedCondition {
  readonly scope: 'any' | 'span'
  readonly key: string
  /** The text, or the number or boolean that the text spells. */
  readonly value: string
}

/** Every span that meets the predicate meets each of these conditions. */
export function indexedConditions(where: Predicate): IndexedCondition[] {
  const parts = where.kind === 'and' ? where.of : [where]
  return parts.flatMap((part) => {
    const plain = part.kind === 'compare' ? fieldComparison(part) : undefined
    if (plain === undefined || plain.operator !== '=' || plain.field.kind !== 'attribute') return []
    const { scope, key } = plain.field
    const { value } = plain
    const isText = value.type === 'spelled' || value.type === 'string'
    return isText && (scope === 'any' || scope === 'span') ? [{ scope, key, value: value.value }] : []
  })
}
