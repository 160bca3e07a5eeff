/**
 * Texts of firewalls with keys and values, including time and name (Fortinet; Sophos is similar):
 *   text = { pair SP } "date=" yyyy-mm-dd " time=" hh:mm:ss { SP pair }      ; the date within the first pairs
 *   pair = key "=" ( value | '"' { character | \ character } '"' )
 * The time is eventtime (since 1970), else date and time in the zone of tz, else in this machine's. devname is the host.
 */
import { nanosOfText } from '../record/record-time.ts'

export interface KeyedText {
  readonly time: bigint | undefined
  readonly host: string | undefined
  readonly fields: readonly (readonly [name: string, value: string])[]
}

const head = /(?:\w{1,32}=\S{1,128} ){0,4}date=\d{4}-\d\d-\d\d time=\d\d:\d\d:\d\d(?: |$)/y
const pair = /([\w.-]{1,64})=(?:"((?:[^"\\]|\\.)*)"|(\S*))(?: +|$)/y
const pairsMax = 256

/** `undefined` when the text at `at` does not have this form. */
export function readKeyedText(text: string, at: number): KeyedText | undefined {
  // A cheap check, so that most texts need no regular expression.
  if (text.indexOf('date=', at) < 0) return undefined
  head.lastIndex = at
  if (!head.test(text)) return undefined
  const fields = new Map<string, string>()
  pair.lastIndex = at
  while (pair.lastIndex < text.length && fields.size < pairsMax) {
    const match = pair.exec(text)
    if (match === null) break
    fields.set(match[1]!, match[2] === undefined ? match[3]! : match[2].replaceAll(/\\(["\\])/g, '$1'))
  }
  const zone = /^[+-]\d\d:?\d\d$/.test(fields.get('tz') ?? '') ? fields.get('tz')! : ''
  const time =
    nanosOfText(fields.get('eventtime') ?? '') ?? nanosOfText(`${fields.get('date')}T${fields.get('time')}${zone}`)
  return { time, host: fields.get('devname') ?? fields.get('device_name'), fields: [...fields] }
}
