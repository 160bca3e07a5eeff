/**
 * Lines of Python's logging module:
 *   basicConfig's default   LEVEL:logger:message
 *   common                  2026-11-23 06:25:04,123 - logger - LEVEL - message
 *   common                  2026-11-23 06:25:04,123 - LEVEL - message
 *   common                  2026-11-23 06:25:04,123 LEVEL logger: message      ([LEVEL] and [logger] too)
 *   common                  2026-11-23 06:25:04,123 LEVEL message              (uvicorn LEVEL: message)
 *   Flask, gunicorn         [2026-11-23 06:25:04,123] LEVEL in logger: message, [2026-11-23 06:25:04 +0000] [pid] [LEVEL] message
 * A word is the logger only where a mark says so; otherwise it is the first word of the message.
 * A traceback after the line becomes `exception.type`, `exception.message` and `exception.stacktrace`.
 */
import type { RecordRow } from '../record/record-row.ts'

const level = '(?<level>CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG|NOTSET|Level \\d+)'
const logger = '(?<logger>[\\w.\\-]+)'
const time = '(?<time>\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?(?:Z| ?[+-]\\d\\d:?\\d\\d)?)'
const timeAndLevel = `^\\[?${time}\\]? +(?:\\[(?<pid>\\d+)\\] )?\\[?${level}(?: *\\])?`
const forms = [
  `^${level}:${logger}:(?<message>.*)$`,
  `^${time} - ${logger} - ${level} - (?<message>.*)$`,
  `^${time} - ${level} - (?<message>.*)$`,
  `${timeAndLevel} +\\[${logger}\\](?: -|:)? (?<message>.*)$`,
  `${timeAndLevel} +(?:in )?${logger}(?: -|:) (?<message>.*)$`,
  `${timeAndLevel} +(?<message>.*)$`,
  `^${level}: +(?<message>.*)$`,
].map((form) => new RegExp(form, 's'))

/** The beginning of any of these lines; a line that does not match continues the previous record. */
export const pythonStart = `^(?:\\[?\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d|(?:CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG|NOTSET|Level \\d+):)`

/** False when the text does not have one of these forms; then nothing was put. */
export function putPythonLine(text: string, record: RecordRow): boolean {
  const lineEnd = text.indexOf('\n')
  const first = (lineEnd < 0 ? text : text.slice(0, lineEnd)).replace(/\r$/, '')
  const groups = groupsOf(first)
  if (groups === undefined) return false
  if (groups.time !== undefined) record.putText('time', groups.time)
  record.putText('level', groups.level!)
  if (groups.logger !== undefined) record.putText('logger', groups.logger)
  if (groups.pid !== undefined) record.putText('pid', groups.pid)
  const rest = lineEnd < 0 ? '' : text.slice(lineEnd + 1)
  const trace = rest.search(/^Traceback \(most recent call last\):/m)
  if (trace < 0) record.setBody(rest === '' ? groups.message! : `${groups.message!}\n${rest}`)
  else {
    record.setBody(trace === 0 ? groups.message! : `${groups.message!}\n${rest.slice(0, trace).trimEnd()}`)
    putTraceback(rest.slice(trace), record)
  }
  return true
}

function groupsOf(line: string): Record<string, string> | undefined {
  for (const form of forms) {
    const groups = form.exec(line)?.groups
    if (groups !== undefined) return groups
  }
  return undefined
}

/** The last unindented line names the exception: `ValueError: no`, `shop.errors.Late`. */
function putTraceback(stack: string, record: RecordRow): void {
  const lines = stack.trimEnd().split('\n')
  const named = lines.findLast((line) => /^[A-Za-z_][\w.]*(:|\r?$)/.test(line) && !line.startsWith('Traceback')) ?? ''
  const [, type = '', message = ''] = /^([\w.]+)(?![\w.]):?\s?(.*?)\r?$/.exec(named) ?? []
  if (type !== '') record.putText('exception.type', type)
  if (message !== '') record.putText('exception.message', message)
  record.putText('exception.stacktrace', stack.trimEnd())
}
