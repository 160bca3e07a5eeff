/**
 * Lines of Python's logging module:
 *   basicConfig's default   LEVEL:logger:message
 *   common                  2026-11-23 06:25:04,123 - logger - LEVEL - message
 *   common                  2026-11-23 06:25:04,123 LEVEL logger: message      ([LEVEL] and [logger] too)
 * A traceback under the line becomes `exception.type`, `exception.message` and `exception.stacktrace`.
 */
import type { RecordRow } from '../record/record-row.ts'

const level = '(?<level>CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG|NOTSET|Level \\d+)'
const time = '(?<time>\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?)'
const forms = [
  `^${level}:(?<logger>[\\w.\\-]+):(?<message>.*)$`,
  `^${time} - (?<logger>[\\w.\\-]+) - ${level} - (?<message>.*)$`,
  `^${time} \\[?${level}\\]? +\\[?(?<logger>[\\w.\\-]+)\\]?(?: -|:)? (?<message>.*)$`,
].map((form) => new RegExp(form))

/** The beginning of any of these lines; what does not match continues the record before. */
export const pythonStart = `^(?:\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d|(?:CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG|NOTSET|Level \\d+):)`

/** False when the text is no such line; then nothing was put. */
export function putPythonLine(text: string, record: RecordRow): boolean {
  const lineEnd = text.indexOf('\n')
  const first = (lineEnd < 0 ? text : text.slice(0, lineEnd)).replace(/\r$/, '')
  const groups = forms.map((form) => form.exec(first)?.groups).find((found) => found !== undefined)
  if (groups === undefined) return false
  if (groups.time !== undefined) record.putText('time', groups.time)
  record.putText('level', groups.level!)
  record.putText('logger', groups.logger!)
  const rest = lineEnd < 0 ? '' : text.slice(lineEnd + 1)
  const trace = rest.search(/^Traceback \(most recent call last\):/m)
  if (trace < 0) record.setBody(rest === '' ? groups.message! : `${groups.message!}\n${rest}`)
  else {
    record.setBody(trace === 0 ? groups.message! : `${groups.message!}\n${rest.slice(0, trace).trimEnd()}`)
    putTraceback(rest.slice(trace), record)
  }
  return true
}

/** The last unindented line names the exception: `ValueError: no`, `shop.errors.Late`. */
function putTraceback(stack: string, record: RecordRow): void {
  const lines = stack.trimEnd().split('\n')
  const named = lines.findLast((line) => /^[A-Za-z_][\w.]*(:|\r?$)/.test(line) && !line.startsWith('Traceback')) ?? ''
  const [, type = '', message = ''] = /^([\w.]+):?\s?(.*?)\r?$/.exec(named) ?? []
  if (type !== '') record.putText('exception.type', type)
  if (message !== '') record.putText('exception.message', message)
  record.putText('exception.stacktrace', stack.trimEnd())
}
