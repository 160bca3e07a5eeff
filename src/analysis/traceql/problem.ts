/** What is wrong with a query, and where. */
import type { Place } from './syntax.ts'

export interface Problem {
  /** One sentence that also says what would be right. */
  readonly message: string
  readonly place: Place
}

/** Characters of the query that are shown on each side of the place. */
const shownChars = 60
/** The maximum number of carets below a long place. */
const caretsMax = 40

/**
 * The line of the query and a mark below the place:
 *
 *     unknown intrinsic `durations`; did you mean `duration`?
 *       { durations > 1s }
 *         ^^^^^^^^^
 */
export function showProblem(text: string, { message, place }: Problem): string {
  const lineStart = text.lastIndexOf('\n', place.start - 1) + 1
  const nextBreak = text.indexOf('\n', place.start)
  const lineEnd = nextBreak < 0 ? text.length : nextBreak
  const from = Math.max(lineStart, place.start - shownChars)
  const to = Math.min(lineEnd, place.start + shownChars)
  const shown = (from > lineStart ? '…' : '') + text.slice(from, to) + (to < lineEnd ? '…' : '')
  const before = place.start - from + (from > lineStart ? 1 : 0)
  const carets = Math.max(1, Math.min(Math.min(place.end, to) - place.start, caretsMax))
  const line = text.slice(0, place.start).split('\n').length
  const where = line > 1 ? ` (line ${line})` : ''
  return `${message}${where}\n  ${shown.replace(/\s/g, ' ')}\n  ${' '.repeat(before)}${'^'.repeat(carets)}`
}
