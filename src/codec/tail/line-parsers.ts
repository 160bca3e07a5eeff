/** How the text of one event becomes a record, by parser name. A new format needs only a new row. */
import type { RecordRow } from '../record/record-row.ts'
import { putAccessLine } from './access-line.ts'
import { putHead } from './head-line.ts'
import { putJsonLine } from './json-line.ts'
import { putLogfmtLine, typedText } from './logfmt-line.ts'
import { putPythonLine } from './python-line.ts'
import type { ParserName } from './tail-format.ts'

export type LineParser = (text: string, record: RecordRow) => boolean

/** A pattern is not tried on longer texts, so that one line cannot keep a regular expression busy for long. */
const patternCharsMax = 16 * 1024

/** The parsers that `auto` tries, in this order; logfmt is last, because a sentence may contain a `key=value`. */
const sure: readonly LineParser[] = [putJsonLine, putAccessLine, putPythonLine]

const parsers: Readonly<Record<Exclude<ParserName, 'pattern'>, LineParser>> = {
  json: putJsonLine,
  logfmt: putLogfmtLine,
  combined: putAccessLine,
  python: putPythonLine,
  plain: () => true,
  auto: (text, record) => {
    const isKnown = sure.some((parse) => parse(text, record)) || (/^[\w.-]+=/.test(text) && putLogfmtLine(text, record))
    // Text that no parser recognises is plain text, which is no fault with `auto`.
    if (!isKnown) putHead(text, record)
    return true
  },
}

/** Throws `SyntaxError` when the pattern is not a valid regular expression. */
export function lineParserOf(name: ParserName, pattern = ''): LineParser {
  return name === 'pattern' ? patternParser(new RegExp(pattern, 'su')) : parsers[name]
}

function patternParser(pattern: RegExp): LineParser {
  return (text, record) => {
    const groups = text.length > patternCharsMax ? undefined : pattern.exec(text)?.groups
    if (groups === undefined) return false
    for (const [name, value] of Object.entries(groups)) {
      if (value !== undefined) record.putValue(name, typedText(value))
    }
    return true
  }
}
