/**
 * The head of a line of text that no other parser recognises, as most loggers write it:
 *   line  = [ "[" ] time [ "]" ] [ "[" thread "]" ] [ level | "[" level "]" ] rest      ; with spaces, "|", ":" or "-" between
 *   time  = date and time with seconds, see record/record-time.ts
 *   level = a severity's name, in capitals unless it is in brackets
 * Only the values of the head are used: the body is the whole line.
 */
import type { RecordRow } from '../record/record-row.ts'
import { nanosOfText } from '../record/record-time.ts'

const headTime =
  /^\[?(\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?UTC| ?[+-]\d\d:?\d\d|[+-]\d\d)?)(?=[\s\]|,:]|$)/
const level = 'trace|debug|info|notice|warn|warning|error|severe|crit|critical|alert|emerg|fatal|panic'
const gap = '[\\s\\]|,:-]*'
const levelInBrackets = new RegExp(`^${gap}[[(<] ?(${level}) *[\\])>]`, 'i')
const levelInCapitals = new RegExp(`^${gap}(?:\\[[^\\]\\n]{1,64}\\]${gap})?(${level.toUpperCase()})\\b`)
/** A level is searched for in this many characters after the time. */
const levelWithinChars = 128

/** Puts the values of the line's head; nothing when the head has no time. */
export function putHead(text: string, record: RecordRow): void {
  const found = headTime.exec(text)
  const nanos = found === null ? undefined : nanosOfText(found[1]!)
  if (found === null || nanos === undefined || nanos <= 0n) return
  record.setTime(nanos)
  const rest = text.slice(found[0].length, found[0].length + levelWithinChars)
  const named = levelInBrackets.exec(rest) ?? levelInCapitals.exec(rest)
  if (named !== null) record.putText('level', named[1]!)
}
