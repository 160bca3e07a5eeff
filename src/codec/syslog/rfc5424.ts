/**
 * RFC 5424:
 *   message         = "<" pri ">" version SP (time | "-") SP host SP app SP procid SP msgid SP (structured-data | "-") [SP text]
 *   structured-data = 1*( "[" id *( SP name "=" %d34 value %d34 ) "]" )     ; in a value " \ and ] are escaped by \
 * A `-` stands for "none". The text may begin with a byte order mark.
 */
import { nanosOfText } from '../record/record-time.ts'
import type { StructuredElement, SyslogMessage } from './message.ts'

const header = /^<(\d{1,3})> ?([1-9]\d{0,2}) (\S{1,64}) (\S{1,255}) (\S{1,64}) (\S{1,128}) (\S{1,64})(?: |$)/
const structuredMax = 64

export function parse5424(text: string): SyslogMessage | undefined {
  const match = header.exec(text)
  if (match === null || Number(match[1]) > 191) return undefined
  const [, priority, , time, host, app, pid, messageId] = match.map((part) => (part === '-' ? '' : part))
  const nanos = time === '' ? 0n : nanosOfText(time!)
  if (nanos === undefined) return undefined
  const { structured, end } = parseStructured(text, match[0].length)
  return {
    priority: Number(priority),
    time: nanos > 0n ? nanos : 0n,
    host: host!,
    app: app!,
    pid: pid!,
    messageId: messageId!,
    structured,
    fields: [],
    text: text
      .slice(end)
      .replace(/^ /, '')
      .replace(/^\ufeff/, ''),
  }
}

/** Structured data at `at`; anything that does not follow its grammar is text. */
function parseStructured(text: string, at: number): { structured: StructuredElement[]; end: number } {
  const structured: StructuredElement[] = []
  if (text[at] === '-' && (at + 1 === text.length || text[at + 1] === ' ')) return { structured, end: at + 1 }
  const element = /\[([^ =\]"]{1,64})((?: +[^ =\]"]{1,64}="(?:[^"\\\]]|\\[^])*")*) *\]/y
  let end = at
  while (structured.length < structuredMax) {
    element.lastIndex = end
    const match = element.exec(text)
    if (match === null || (structured.length === 0 && isWord(match[1]!, match[2]!))) break
    const parameters = [...match[2]!.matchAll(/ +([^ =\]"]{1,64})="((?:[^"\\\]]|\\[^])*)"/gy)].map(
      ([, name, value]) => [name!, value!.replaceAll(/\\(["\\\]])/g, '$1')] as const,
    )
    structured.push({ id: match[1]!, parameters })
    end = element.lastIndex
  }
  return { structured, end }
}

/**
 * Whether this is a word in brackets and not structured data: senders without structured data may begin their text with
 * `[main] started`. An element without parameters has one of the registered ids (RFC 5424 §7) or an id with an `@`.
 */
function isWord(id: string, parameters: string): boolean {
  return (
    parameters === '' &&
    !id.includes('@') &&
    !/^(timeQuality|origin|meta|snmp|alarm|ssign|ssign-cert|PCNNode|PCNTerm)$/.test(id)
  )
}
