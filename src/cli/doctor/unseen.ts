/** The section of `clew doctor` on data that was sent but cannot be seen: by whom, how, how much, and why. */
import type { StatusAnswer } from '../../api/native/contract.ts'
import { showCount, showTime } from '../terminal/format.ts'
import { tableLines } from '../terminal/table.ts'
import { clean } from '../terminal/terminal-text.ts'

interface Unseen {
  readonly service: string
  readonly protocol: string
  readonly count: number
  readonly why: string
}

/** Maximum rows of the table. A status lists at most 201 services, those with the most rows first. */
const rowsMax = 20

export function unseenLines({ farOff, received }: Pick<StatusAnswer, 'farOff' | 'received'>): string[] {
  const rows = [...farOff.map(farOffRow), ...received.flatMap(lostRows)]
  if (rows.length === 0) return []
  const more = rows.length > rowsMax ? [`and ${showCount(rows.length - rowsMax)} more`] : []
  return ['', 'sent but not to be seen', ...tableLines(columns, rows.slice(0, rowsMax)), ...more]
}

function farOffRow({ protocol, signal, service, kind, count, newest }: StatusAnswer['farOff'][number]): Unseen {
  const why =
    kind === 'ahead' ? 'times in the future' : 'times before the retention, removed within minutes of their arrival'
  return { service, protocol: `${protocol} ${signal}`, count, why: `${why}; newest ${showTime(newest)}` }
}

/** The service is unknown here because the data could not be read. */
function lostRows({
  protocol,
  signal,
  rejected,
  failed,
  dropped,
  lastError,
}: StatusAnswer['received'][number]): Unseen[] {
  const last = lastError === null ? '' : `; last error: ${lastError}`
  const kinds: [number, string][] = [
    [rejected, `rejected as wrong${last}`],
    [failed, `requests or connections that could not be read${last}`],
    [dropped, 'messages lost before they could be read'],
  ]
  return kinds
    .filter(([count]) => count > 0)
    .map(([count, why]) => ({ service: '-', protocol: `${protocol} ${signal}`, count, why }))
}

const columns = [
  { title: 'service', text: ({ service }: Unseen) => clean(service) },
  { title: 'protocol', text: ({ protocol }: Unseen) => protocol },
  { title: 'count', right: true, text: ({ count }: Unseen) => showCount(count) },
  { title: 'why', text: ({ why }: Unseen) => clean(why) },
]
