/**
 * logfmt (brandur.org/logfmt; the dialect of go-kit and Heroku):
 *   line  = pair { spaces pair }
 *   pair  = key [ "=" [ value ] ]
 *   key   = { any but space, "=", '"' }
 *   value = '"' { character | \escape } '"' | { any but space and '"' }
 * Values without quotes that are plain numbers, true or false keep that type; a key without "=" is true.
 */
import type { AttributeValue } from '../../model/attributes.ts'
import type { RecordRow } from '../record/record-row.ts'

const pair = /([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*)))?(?:\s+|$)/y
/** The maximum number of keys in a line; a line with more is not a log line. */
const pairsMax = 512

/** False when the text is not logfmt with at least one `key=value`; then nothing was put. */
export function putLogfmtLine(text: string, record: RecordRow): boolean {
  const pairs: [string, AttributeValue][] = []
  let hasValue = false
  pair.lastIndex = text.length - text.trimStart().length
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text)
    if (match === null || pairs.length === pairsMax) return false
    const [whole, key, quoted, bare] = match
    if (quoted !== undefined) pairs.push([key!, { type: 'string', value: unquote(quoted) }])
    else pairs.push([key!, bare === undefined ? { type: 'bool', value: true } : typedText(bare)])
    hasValue ||= whole.includes('=')
  }
  if (!hasValue) return false
  for (const [key, value] of pairs) record.putValue(key, value)
  return true
}

/** Numbers in their usual form, true and false; every other text is text. Long numbers are ids, not amounts. */
export function typedText(text: string): AttributeValue {
  if (/^-?(0|[1-9]\d{0,14})$/.test(text)) return { type: 'int', value: BigInt(text) }
  if (/^-?(0|[1-9]\d{0,14})\.\d{1,15}$/.test(text)) return { type: 'double', value: Number(text) }
  if (text === 'true' || text === 'false') return { type: 'bool', value: text === 'true' }
  return { type: 'string', value: text }
}

function unquote(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(u[0-9A-Fa-f]{4}|.)/g, (_, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return ({ n: '\n', t: '\t', r: '\r' } as Record<string, string>)[escape] ?? escape
  })
}
