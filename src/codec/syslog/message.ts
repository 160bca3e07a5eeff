/**
 * One syslog message, in either form, read leniently: what a device sends is shown rather than refused.
 *   RFC 5424 = "<" pri ">" version SP (time | "-") SP host SP app SP procid SP msgid SP (structured-data | "-") [SP message]
 *   structured-data = 1*( "[" id *( SP name "=" %d34 value %d34 ) "]" )     ; in a value " \ and ] are escaped by \
 *   RFC 3164 = [ "<" pri ">" ] [ time SP ] [ host SP ] [ tag [ "[" pid "]" ] ":" ] SP message
 *   Cisco    = "<" pri ">" [ sequence ": " ] [ host ": " ] [ "*" | "." ] time [ SP zone ] ": %" message
 *   time     = Mmm dd [yyyy] hh:mm:ss [ "." fraction ]   ; this machine's zone, the year nearest to the receipt
 *            | RFC 3339
 * A `-` stands for "none" in RFC 5424. A message may begin with a byte order mark.
 */
import { nanosOfLocal, nanosOfText, type LocalParts } from '../record/record-time.ts'

export interface SyslogMessage {
  /** facility · 8 + severity; -1 when the message has none. */
  readonly priority: number
  /** Nanoseconds since the epoch; 0 when it gives none. */
  readonly time: bigint
  readonly host: string
  readonly app: string
  readonly pid: string
  readonly messageId: string
  readonly structured: readonly StructuredElement[]
  readonly text: string
}

export interface StructuredElement {
  readonly id: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

const header5424 = /^<(\d{1,3})>([1-9]\d{0,2}) (\S{1,64}) (\S{1,255}) (\S{1,64}) (\S{1,128}) (\S{1,64})(?: |$)/
const structuredMax = 64

export function parseSyslog(text: string, receivedAtMs: number): SyslogMessage {
  return parse5424(text) ?? parse3164(text, receivedAtMs)
}

function parse5424(text: string): SyslogMessage | undefined {
  const header = header5424.exec(text)
  if (header === null || Number(header[1]) > 191) return undefined
  const [, priority, , time, host, app, pid, messageId] = header.map((part) => (part === '-' ? '' : part))
  const nanos = time === '' ? 0n : nanosOfText(time!)
  if (nanos === undefined) return undefined
  const { structured, end } = parseStructured(text, header[0].length)
  return {
    priority: Number(priority),
    time: nanos > 0n ? nanos : 0n,
    host: host!,
    app: app!,
    pid: pid!,
    messageId: messageId!,
    structured,
    text: text
      .slice(end)
      .replace(/^ /, '')
      .replace(/^\ufeff/, ''),
  }
}

/** Structured data at `at`; what does not follow its grammar is message. */
function parseStructured(text: string, at: number): { structured: StructuredElement[]; end: number } {
  const structured: StructuredElement[] = []
  if (text[at] === '-' && (at + 1 === text.length || text[at + 1] === ' ')) return { structured, end: at + 1 }
  const element = /\[([^ =\]"]{1,64})((?: +[^ =\]"]{1,64}="(?:[^"\\\]]|\\[^])*")*) *\]/y
  let end = at
  while (structured.length < structuredMax) {
    element.lastIndex = end
    const match = element.exec(text)
    if (match === null) break
    const parameters = [...match[2]!.matchAll(/([^ =\]"]+)="((?:[^"\\\]]|\\[^])*)"/g)].map(
      ([, name, value]) => [name!, value!.replaceAll(/\\(["\\\]])/g, '$1')] as const,
    )
    structured.push({ id: match[1]!, parameters })
    end = element.lastIndex
  }
  return { structured, end }
}

const bsdTime =
  /^[*.]?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: (?:UTC|GMT)| [A-Z]{2,5}(?=: %))?:? ?/
const isoTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) /
const originBeforeTime = /^([\w.-]{1,255}): (?=[*.]?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) )/
const tagWithPid = /^([\w./@-]{1,64})(?:\[(\d{1,10})\])?: ?/
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'

function parse3164(text: string, receivedAtMs: number): SyslogMessage {
  let rest = text
  let priority = -1
  const head = /^<(\d{1,3})>(?:\d{1,10}: )?/.exec(rest)
  if (head !== null && Number(head[1]) <= 191) {
    priority = Number(head[1])
    rest = rest.slice(head[0].length)
  }
  const origin = head === null ? null : originBeforeTime.exec(rest)
  if (origin !== null) rest = rest.slice(origin[0].length)
  const { time, end } = parseBsdTime(rest, receivedAtMs)
  rest = rest.slice(end)
  let host = origin?.[1] ?? ''
  // A local sender leaves the host out: then the tag follows at once, and a tag ends with a colon.
  const hostMatch = /^([\w.:%-]{1,255}) +/.exec(rest)
  if (host === '' && end > 0 && hostMatch !== null && !hostMatch[1]!.endsWith(':')) {
    host = hostMatch[1]!
    rest = rest.slice(hostMatch[0].length)
  }
  const tag = priority >= 0 || end > 0 ? tagWithPid.exec(rest) : null
  return {
    priority,
    time,
    host,
    app: tag?.[1] ?? '',
    pid: tag?.[2] ?? '',
    messageId: '',
    structured: [],
    text: (tag === null ? rest : rest.slice(tag[0].length)).replace(/^\ufeff/, ''),
  }
}

function parseBsdTime(text: string, receivedAtMs: number): { time: bigint; end: number } {
  const iso = isoTime.exec(text)
  if (iso !== null) {
    const time = nanosOfText(iso[1]!)
    return time === undefined || time <= 0n ? { time: 0n, end: 0 } : { time, end: iso[0].length }
  }
  const match = bsdTime.exec(text)
  if (match === null) return { time: 0n, end: 0 }
  const [, month, day, year, hour, minute, second, fraction] = match
  const at = (fullYear: number): bigint | undefined => {
    const parts: LocalParts = [
      fullYear,
      months.indexOf(month!) / 3 + 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    ]
    return nanosOfLocal(parts, fraction ?? '')
  }
  const thisYear = new Date(receivedAtMs).getFullYear()
  const years = year === undefined ? [thisYear - 1, thisYear, thisYear + 1] : [Number(year)]
  const times = years.map(at).filter((time) => time !== undefined)
  if (times.length === 0) return { time: 0n, end: 0 }
  const away = (time: bigint): number => Math.abs(Number(time / 1_000_000n) - receivedAtMs)
  return { time: times.reduce((best, time) => (away(time) < away(best) ? time : best)), end: match[0].length }
}
