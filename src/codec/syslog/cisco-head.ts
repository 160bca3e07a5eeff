/**
 * The head that Cisco's devices put before their message, and that relays put before theirs:
 *   message = head "%" FACILITY { "-" part } "-" severity "-" MNEMONIC ": " text      ; all of it from "%" on is the text
 *   head    = { counter ":" | host [ " " ] ":" | host " " | ":" | date | uptime | node | program "[" pid "]" ":" | forwarded }
 *   uptime  = [ "*" | "." ] ( h:mm:ss | 1d02h | 2w3d )       ; since its start, which is no point in time
 *   node    = "RP/0/RSP0/CPU0:"                              ; IOS XR
 *   forwarded = [ "Message " ] "forwarded from " host ":"
 * When there are several dates and hosts, the last is the device's own. A head with anything else is not Cisco's.
 */
import { readTime } from './syslog-time.ts'

export interface CiscoHead {
  /** '' when there is none; also for app and pid. */
  readonly host: string
  readonly app: string
  readonly pid: string
  /** Nanoseconds since the epoch; 0 when there is none. */
  readonly time: bigint
  /** Where the text begins. */
  readonly end: number
}

/** Longer heads are not searched. */
const headCharsMax = 512
const tokensMax = 16

const mnemonic =
  /(?:%\$ VDC-\d{1,3} %\$ )?%[A-Z][A-Z0-9_]{1,31}(?:-[A-Za-z0-9_]{1,32}){0,3}-[0-7]-[A-Z0-9_]{2,64}(?=[: ]|$)/y
const separator = /[ :]+/y
const uptime = /[*.]?(?:\d{1,4}:\d\d:\d\d(?:\.\d{1,9})?|(?:\d{1,4}[ywdh]){1,4})(?=[: ])/y
const counter = /\d{1,10}(?=:(?!\d))/y
const address = /(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f:.]{3,45}(?:%\w{1,15})?(?= )/iy
const node = /(?:[A-Z]{1,4}\d?|\d{1,3})(?:\/\w{1,8}){2,3}:/y
const program = /([\w./-]{1,64})\[(\d{1,10})\] ?(?=:)/y
const forwarded = /(?:Message )?forwarded from ([\w.:-]{1,255}?): /iy
const task = /\*([\w.-]{1,64})(?=:)/y
const name = /([\w./-]{1,255})(?= ?:| |$)/y

export function readCiscoHead(text: string, start: number, receivedAtMs: number): CiscoHead | undefined {
  const end = findMessage(text, start)
  if (end < 0) return undefined
  const head = { host: '', app: '', pid: '', time: 0n, end }
  let hasLooseName = false
  let at = start
  for (let tokens = 0; at < end && tokens < tokensMax; tokens++) {
    const take = (form: RegExp): RegExpExecArray | null => {
      form.lastIndex = at
      const match = form.exec(text)
      if (match !== null) at = form.lastIndex
      return match
    }
    if (take(separator) !== null) continue
    const date = readTime(text, at, receivedAtMs)
    if (date !== undefined) {
      head.time = date.time
      at = date.end
      continue
    }
    if (take(uptime) ?? take(counter) ?? take(node)) continue
    const named = take(program)
    const from = named === null ? (take(forwarded) ?? take(address)) : null
    if (named !== null) [, head.app, head.pid] = named as unknown as [string, string, string]
    else if (from !== null) head.host = from[1] ?? from[0]
    else {
      const job = take(task)
      const device = job === null ? take(name) : null
      if (job === null && device === null) return undefined
      // Only one name may lack its colon: two words are a sentence.
      const isLoose = device !== null && !/^ ?:/.test(text.slice(at, at + 2))
      if (isLoose && hasLooseName) return undefined
      hasLooseName ||= isLoose
      if (job !== null) head.app = job[1]!
      else head.host = device![1]!
    }
  }
  return at === end ? head : undefined
}

/** Where `%FACILITY-SEVERITY-MNEMONIC` begins; -1 when there is none. */
function findMessage(text: string, start: number): number {
  const stop = start + headCharsMax
  let tries = 4
  for (let at = text.indexOf('%', start); at >= 0 && at < stop && tries > 0; at = text.indexOf('%', at + 1)) {
    mnemonic.lastIndex = at
    if (mnemonic.test(text)) return at
    tries--
  }
  return -1
}
