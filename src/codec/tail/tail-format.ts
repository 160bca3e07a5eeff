/**
 * How the bytes of a tailed file are read. It is plain data because it is in the log with the bytes: a replay reads
 * them with the configuration from when they were cut, not with the present one.
 */
import { pythonStart } from './python-line.ts'

export const parserNames = ['auto', 'json', 'logfmt', 'combined', 'python', 'plain'] as const
export type ParserName = (typeof parserNames)[number] | 'pattern'

export const fileEncodings = ['utf-8', 'latin1', 'utf-16le'] as const
export type FileEncoding = (typeof fileEncodings)[number]

export interface TailFormat {
  readonly parser: ParserName
  /** With `pattern`: a regular expression whose named groups are the keys of the record. */
  readonly pattern?: string
  readonly join: JoinRule
  readonly encoding: FileEncoding
}

/**
 * Which lines belong to the previous line:
 * - off: none
 * - auto: indented ones, and the unindented ones of Python, Java, JavaScript and Go stack traces
 * - indent: those that begin with a space or tab
 * - start: those that do not match the expression, which describes an event's first line
 */
export type JoinRule = 'off' | 'auto' | 'indent' | { readonly start: string }

/** Whether container lines are read by their content. With a pattern or `plain`, the whole line is read instead. */
export function readsContainers(parser: ParserName): boolean {
  return parser !== 'plain' && parser !== 'pattern'
}

/** The default that suits a parser. */
export function joinOf(parser: ParserName): JoinRule {
  if (parser === 'python') return { start: pythonStart }
  return parser === 'json' || parser === 'logfmt' || parser === 'combined' ? 'off' : 'auto'
}
