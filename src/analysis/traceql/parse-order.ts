/** The order of the traces that are found: our extension. */
import type { Cursor } from './cursor.ts'
import { suggestion } from './intrinsics.ts'
import type { OrderKey } from './syntax.ts'

const orderNames: readonly string[] = ['duration', 'start', 'spans', 'errors'] satisfies OrderKey['by'][]

/** In every other stage a parenthesis follows the first word, so `order` cannot be anything else. */
export function isOrder(cursor: Cursor): boolean {
  return cursor.isWord('order') && cursor.following.kind === 'word'
}

/** `order by duration desc, start`. */
export function parseOrder(cursor: Cursor): OrderKey[] {
  cursor.take()
  if (!cursor.isWord('by')) cursor.fail('`order` is followed by `by`, as in `order by duration desc`')
  cursor.take()
  const keys: OrderKey[] = []
  do {
    cursor.countOperator()
    const { place } = cursor.token
    const name = cursor.token.kind === 'word' ? cursor.token.text : ''
    if (!orderNames.includes(name)) {
      const near = suggestion(name, orderNames)
      cursor.fail(`traces are ordered by duration, start, spans or errors, not by ${cursor.describe()}${near}`)
    }
    cursor.take()
    const descending = cursor.isWord('desc')
    if (descending || cursor.isWord('asc')) cursor.take()
    keys.push({ by: name as OrderKey['by'], descending, place: cursor.placeFrom(place.start) })
  } while (cursor.takeSymbol(','))
  return keys
}
