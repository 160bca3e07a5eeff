/** The table of log records as predicates see it. */
import { isPlainWord } from '../../../model/evaluate/event-view.ts'
import { severityNames } from '../../../model/severity.ts'
import type { Conditions } from './conditions.ts'
import { textColumn, type CompiledTable, type IntrinsicSql } from './table.ts'

/** The severity of a text when no number came; its column is a dictionary, so the words are looked up once for each text. */
const severity = `if(severity_number != 0, severity_number, transform(lower(severity_text), [${[...severityNames.keys()]
  .map((name) => `'${name}'`)
  .join(', ')}], [${[...severityNames.values()].join(', ')}], 0))`

export const eventsTable: CompiledTable = {
  own: 'event',
  wordSql,
  intrinsics: {
    body: { ...textColumn('body'), exists: 'body_type != 0' },
    severity: { type: 'number', sql: severity, exists: `${severity} != 0` },
    severityText: textColumn('severity_text'),
    type: textColumn('type'),
    protocol: textColumn('protocol'),
    service: textColumn('service_name'),
    traceId: optionalId('trace_id', 16),
    spanId: optionalId('span_id', 8),
    time: { type: 'time', sql: 'time' },
    instrumentationName: textColumn("JSONExtractString(scope, 'name')"),
    instrumentationVersion: textColumn("JSONExtractString(scope, 'version')"),
  },
}

function optionalId(column: string, bytes: 8 | 16): IntrinsicSql {
  return { type: 'id', sql: column, bytes, exists: `${column} != toFixedString('', ${bytes})` }
}

/**
 * Whole words go through the text indexes of the body and of the attributes; anything else is looked for as it stands. The
 * index knows of ASCII alone what lower case is, and where a word ends.
 */
function wordSql(word: string, conditions: Conditions): string {
  if (isPlainWord(word)) {
    const token = conditions.bind(word.toLowerCase(), 'String')
    return `(hasAnyTokens(body, [${token}]) OR arrayExists(held -> hasToken(lower(held), ${token}), mapValues(attributes_string)))`
  }
  const asked = conditions.bind(word, 'String')
  const contains = (sql: string): string => `positionCaseInsensitiveUTF8(${sql}, ${asked}) > 0`
  return `(${contains('body')} OR arrayExists(held -> ${contains('held')}, mapValues(attributes_string)))`
}
