/**
 * Dates at the head of syslog messages, as devices write them:
 *   time  = [ "*" | "." | "%" ] [ weekday ] [ year ] Mmm day [ year ] clock [ zone ] [ year ]
 *         | RFC 3339, with a space for the T too
 *   clock = h:mm:ss [ ( "." | "," ) fraction | ":" milliseconds ]      ; the last with a year after it (H3C)
 *   zone  = "Z" | "UTC" | "GMT" | offset | name
 * UTC, GMT and Z mean UTC. Other names differ from country to country, so they count as this machine's zone, like a
 * missing zone. A date without a year gets the year nearest to the receipt.
 */
import { nanosOfLocal, nanosOfText, type LocalParts } from '../record/record-time.ts'

export interface ReadTime {
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  readonly end: number
}

const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const year = '((?:19|20)\\d\\d)'
const clock = '(\\d{1,2}):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9})\\d{0,9}|:(\\d{3})(?= (?:19|20)\\d\\d ))?'
const sure = 'Z|UTC|GMT|(?:UTC|GMT)?[+-]\\d\\d:?\\d\\d'
const names =
  '(?:CE|EE|WE|ME)S?T|MSK|[ECMPA][SD]T|AK[SD]T|HST|[JKI]ST|BST|NZ[SD]T|A[ECW][SD]T|SGT|HKT|BRT|ART|SAST|WIB|PHT|ICT|PKT'
// In other places a word in capitals is the device.
const anyName = '[A-Z]{2,5}(?=: %(?!ASA|FTD|PIX|FWSM)| : \\w{1,32}\\[)'
const zone = `(?: ?(${sure})(?!\\w)| (?:(?:${names})(?=:? )|${anyName}))?`
const weekday = '(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?'
const month = '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const dateForm = new RegExp(
  `[*.%]?${weekday}(?:${year} )?${month} {1,2}(\\d{1,2}),? (?:${year},? )?${clock}${zone}(?: ${year}(?=:? \\S))?`,
  'y',
)
const isoForm = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?(?=:? |$)/y

/** The date that begins at `at`; `undefined` when there is none. */
export function readTime(text: string, at: number, receivedAtMs: number): ReadTime | undefined {
  isoForm.lastIndex = at
  const iso = isoForm.exec(text)
  if (iso !== null) {
    const time = nanosOfText(iso[0])
    return time === undefined || time <= 0n ? undefined : { time, end: isoForm.lastIndex }
  }
  dateForm.lastIndex = at
  const match = dateForm.exec(text)
  if (match === null) return undefined
  const [, before, monthName, day, between, hour, minute, second, fraction, millis, zoneText, behind] = match
  const given = before ?? between ?? behind
  const offset = zoneText === undefined ? undefined : offsetMinutes(zoneText)
  const rest = [months.indexOf(monthName!) / 3 + 1, day, hour, minute, second].map(Number)
  const time = nearest(
    given === undefined ? undefined : Number(given),
    (fullYear) => nanosOf([fullYear, ...rest] as LocalParts, fraction ?? millis ?? '', offset),
    receivedAtMs,
  )
  return time === undefined ? undefined : { time, end: dateForm.lastIndex }
}

function nearest(
  given: number | undefined,
  at: (fullYear: number) => bigint | undefined,
  receivedAtMs: number,
): bigint | undefined {
  if (given !== undefined) return at(given)
  const thisYear = new Date(receivedAtMs).getFullYear()
  const away = (time: bigint): number => Math.abs(Number(time / 1_000_000n) - receivedAtMs)
  let best: bigint | undefined
  for (const fullYear of [thisYear, thisYear - 1, thisYear + 1]) {
    const time = at(fullYear)
    if (time !== undefined && (best === undefined || away(time) < away(best))) best = time
  }
  return best
}

/** `offset`: minutes east of Greenwich; `undefined` for this machine's zone. */
function nanosOf(parts: LocalParts, fraction: string, offset: number | undefined): bigint | undefined {
  if (offset === undefined) return nanosOfLocal(parts, fraction)
  const [fullYear, monthNumber, day, hour, minute, second] = parts
  const date = new Date(Date.UTC(fullYear, monthNumber - 1, day, hour, minute, second))
  const isThatDay = date.getUTCDate() === day || second === 60
  if (hour > 23 || minute > 59 || second > 60 || !isThatDay) return undefined
  const nanos = BigInt(date.getTime() - offset * 60_000) * 1_000_000n
  return nanos + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

function offsetMinutes(text: string): number {
  const match = /([+-])(\d\d):?(\d\d)$/.exec(text)
  if (match === null) return 0
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]))
}
