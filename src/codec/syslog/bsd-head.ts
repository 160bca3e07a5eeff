/**
 * RFC 3164 and the variants that devices send:
 *   message = [ "<" pri ">" [ SP ] ] ( Cisco's (cisco-head.ts) | BSD )
 *   BSD     = { counter ": " } [ ": " ] [ host ": " ] [ time SP ] [ host SP ] [ forwarded ] [ tag [ "[" pid "]" ] ":" ] SP text
 *   forwarded = [ "Message " ] "forwarded from " host ":"          ; AIX and others, when they pass a message on
 *   time    = see syslog-time.ts
 * A local sender leaves the host out: then the tag comes first. A tag ends with a colon, and a host does not.
 */
import { readCiscoHead } from './cisco-head.ts'
import { readKeyedText } from './keyed-text.ts'
import type { SyslogMessage } from './message.ts'
import { readTime } from './syslog-time.ts'

const priorityForm = /^<(\d{1,3})> ?/
const countersForm = /(?:\d{1,10}: ){0,2}/y
const colonForm = /: ?(?=[*.%]?[A-Z\d])/y
const originForm = /([\w.-]{1,255}): (?=[*.]?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|20\d\d) )/y
const hostForm = /([\w.:%-]{0,254}[\w.%-]) +/y
const forwardedForm = /(?:Message )?forwarded from ([\w.:-]{1,255}?): ?/iy
const tagForm = /([\w./@()+-]{1,64})(?:\[([\w.-]{1,32})\])?: ?/y
/** Not hosts: the words of syslogd's own messages, and levels. */
const noHost =
  /^(?:last message repeated|message repeated|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL) )/

export function parseBsd(text: string, receivedAtMs: number): SyslogMessage {
  const head = priorityForm.exec(text)
  const hasPriority = head !== null && Number(head[1]) <= 191
  const priority = hasPriority ? Number(head[1]) : -1
  const start = hasPriority ? head[0].length : 0
  const cisco = readCiscoHead(text, start, receivedAtMs)
  if (cisco !== undefined && (hasPriority || cisco.time > 0n)) {
    const { host, app, pid, time, end } = cisco
    return { priority, time, host, app, pid, messageId: '', structured: [], fields: [], text: text.slice(end) }
  }
  return parseHead(text, { priority, start, receivedAtMs })
}

interface Begun {
  readonly priority: number
  readonly start: number
  readonly receivedAtMs: number
}

function parseHead(text: string, { priority, start, receivedAtMs }: Begun): SyslogMessage {
  let at = start
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at
    const match = form.exec(text)
    if (match !== null) at = form.lastIndex
    return match
  }
  let host = ''
  if (priority >= 0) {
    take(countersForm)
    take(colonForm)
    host = take(originForm)?.[1] ?? ''
  }
  const date = readTime(text, at, receivedAtMs)
  if (date !== undefined) {
    at = date.end
    while (text[at] === ':' || text[at] === ' ') at++
    const isForwarded = text.indexOf('orwarded from ', at) >= 0
    // Before the host, or after the host that forwarded it.
    const origin = isForwarded ? take(forwardedForm) : null
    if (origin === null && host === '' && !noHost.test(text.slice(at, at + 32))) host = take(hostForm)?.[1] ?? ''
    host = (origin ?? (isForwarded ? take(forwardedForm) : null))?.[1] ?? host
  }
  const tag = priority >= 0 || date !== undefined ? take(tagForm) : null
  const keyed = priority >= 0 ? readKeyedText(text, at) : undefined
  return {
    priority,
    time: keyed?.time ?? date?.time ?? 0n,
    host: keyed?.host ?? host,
    app: tag?.[1] ?? '',
    pid: tag?.[2] ?? '',
    messageId: '',
    structured: [],
    fields: keyed?.fields ?? [],
    text: text.slice(at).replace(/^\ufeff/, ''),
  }
}
