/**
 * One syslog message, in any of its forms, read leniently: a device's message is shown rather than refused. The forms
 * are in rfc5424.ts, bsd-head.ts (RFC 3164 and similar forms), cisco-head.ts and keyed-text.ts. Any of them may follow
 * a byte order mark, or, in a datagram, the count that only a stream needs.
 */
import { parseBsd } from './bsd-head.ts'
import { parse5424 } from './rfc5424.ts'

export interface SyslogMessage {
  /** facility · 8 + severity; -1 when the message has none. */
  readonly priority: number
  /** Nanoseconds since the epoch; 0 when there is none. */
  readonly time: bigint
  readonly host: string
  readonly app: string
  readonly pid: string
  readonly messageId: string
  readonly structured: readonly StructuredElement[]
  /** The keys and values in the text (keyed-text.ts); they also stay in the text. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly text: string
}

export interface StructuredElement {
  readonly id: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

const before = /^\ufeff?(?:\d{1,6} (?=<\d))?\ufeff?/
const less = 0x3c

export function parseSyslog(given: string, receivedAtMs: number): SyslogMessage {
  const text = given.charCodeAt(0) === less ? given : given.replace(before, '')
  return parse5424(text) ?? parseBsd(text, receivedAtMs)
}
