/**
 * Syslog messages as events, in the mapping of the OTel logs data model (appendix A.9):
 *   severity -> severity · facility -> syslog.facility · host -> host.name · app -> service.name · procid -> process.pid, or
 *   syslog.procid when it is no number · msgid -> the event's type · structured data -> syslog.<id>.<name> · message -> body
 * A message without a host gets the peer's address. The body is that of `framing/peer-messages.ts`.
 */
import { EventBatchBuilder } from '../../model/event-batch.ts'
import type { Codec, DecodeContext, Decoded } from '../codec.ts'
import { decodePeerMessages } from '../framing/peer-messages.ts'
import { RecordRow } from '../record/record-row.ts'
import { severityOfSyslog, syslogSeverities } from '../record/severity.ts'
import { utf8Text } from '../utf8.ts'
import { parseSyslog, type StructuredElement, type SyslogMessage } from './message.ts'

export const syslog: Codec = { name: 'syslog', signal: 'events', decode }

/** By facility number, RFC 5424 §6.2.1 with the short names of syslog.h. */
const facilities = (
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock ' +
  'local0 local1 local2 local3 local4 local5 local6 local7'
).split(' ')

const builder = new EventBatchBuilder()
const record = new RecordRow(builder)

function decode(body: Uint8Array, { receivedAtMs }: DecodeContext): Decoded {
  builder.reset('syslog')
  record.reset()
  let rejected = 0
  decodePeerMessages(body, (peer, start, end) => {
    const text = utf8Text(body, start, withoutEnd(body, start, end))
    if (text.trim() === '' || text === '\ufeff') rejected++
    else addRow(parseSyslog(text, receivedAtMs), peer, receivedAtMs)
  })
  return { batch: builder.finish(), rejected, rejectedReason: rejected === 0 ? '' : 'a syslog message is empty' }
}

/** The end of the message, without the line ends and zeros that senders add. */
function withoutEnd(body: Uint8Array, start: number, end: number): number {
  let last = end
  while (last > start && (body[last - 1] === 0x0a || body[last - 1] === 0x0d || body[last - 1] === 0)) last--
  return last
}

function addRow(message: SyslogMessage, peer: string, receivedAtMs: number): void {
  record.setDefaults({ service: '', host: peer })
  record.begin()
  if (message.time > 0n) record.setTime(message.time)
  if (message.priority >= 0) {
    const level = message.priority & 7
    record.setSeverity(severityOfSyslog(level), syslogSeverities[level]!)
    record.putAttribute('syslog.facility', text(facilities[message.priority >> 3] ?? String(message.priority >> 3)))
  }
  if (message.host !== '') record.putText('host.name', message.host)
  if (message.app !== '') record.putText('service.name', message.app)
  if (/^\d{1,10}$/.test(message.pid)) record.putValue('process.pid', { type: 'int', value: BigInt(message.pid) })
  else if (message.pid !== '') record.putAttribute('syslog.procid', text(message.pid))
  for (const { id, parameters } of message.structured) putElement(id, parameters)
  for (const [name, value] of message.fields) record.putAttribute(name, text(value))
  if (peer !== '') record.putAttribute('network.peer.address', text(peer))
  if (message.messageId !== '') record.setType(message.messageId)
  record.setBody(message.text)
  record.end(receivedAtMs)
}

/**
 * Structured data may contain context. Everything else in it is an attribute under its element: a list when a name
 * appears more than once, as RFC 5424 §6.3.3 allows, and true for an element that has only an id.
 */
function putElement(id: string, parameters: StructuredElement['parameters']): void {
  const values = new Map<string, string[]>()
  for (const [name, value] of parameters) values.set(name, [...(values.get(name) ?? []), value])
  if (values.size === 0) record.putAttribute(`syslog.${id}`, { type: 'bool', value: true })
  for (const [name, [first, ...more]] of values) {
    if (/^(trace_?id|span_?id|trace_?flags|traceparent)$/i.test(name)) record.putText(name, first!)
    else if (more.length === 0) record.putAttribute(`syslog.${id}.${name}`, text(first!))
    else record.putAttribute(`syslog.${id}.${name}`, { type: 'array', value: [first!, ...more].map(text) })
  }
}

function text(value: string): { type: 'string'; value: string } {
  return { type: 'string', value }
}
