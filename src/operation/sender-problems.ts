/** Mistakes of senders that nobody sees on their side: clocks far off, and clients that came to the wrong port. */
import type { StatusAnswer } from '../api/native/contract.ts'
import { printDurationExact } from '../base/duration.ts'
import { printTime } from '../base/time.ts'
import type { IntakeCounters } from '../capture/counters.ts'
import type { FarRows, FarTimes } from '../capture/far-times.ts'
import type { Config } from '../config/config.ts'

/** A problem is reported until this long after the last row or client that had it. */
const standsMs = 3_600_000

/** The maximum number of services named in one message. */
const namedMax = 3

type Problem = StatusAnswer['problems'][number]

export interface SenderSources {
  readonly config: Pick<Config, 'retention'>
  readonly farTimes: FarTimes
  readonly counters: IntakeCounters
}

export function senderProblems({ config, farTimes, counters }: SenderSources, nowMs = Date.now()): Problem[] {
  const recent = farTimes.all().filter(({ lastAtMs }) => nowMs - lastAtMs < standsMs)
  const wrong = counters.wrongClients().filter(({ lastAtMs }) => nowMs - lastAtMs < standsMs)
  const wrongPorts = wrong.map(({ protocol, count, message }) => {
    const clients = count === 1 ? '1 connection that speaks' : `${count} connections that speak`
    return { code: 'wrong_port', message: `${protocol} got ${clients} something else: ${message}` }
  })
  const far = (['spans', 'events'] as const).flatMap((signal) => {
    const ms = signal === 'spans' ? config.retention.spansMs : config.retention.eventsMs
    const old = `have times before the retention of ${printDurationExact(BigInt(ms) * 1_000_000n)} and are removed within minutes`
    return [
      ...farProblem(recent, { signal, kind: 'before_retention', what: old }),
      ...farProblem(recent, {
        signal,
        kind: 'ahead',
        what: 'have times in the future, where no range that ends now shows them',
      }),
    ]
  })
  return [...wrongPorts, ...far]
}

function farProblem(
  all: readonly FarRows[],
  { signal, kind, what }: { signal: string; kind: FarRows['kind']; what: string },
): Problem[] {
  const rows = all.filter((row) => row.signal === signal && row.kind === kind)
  if (rows.length === 0) return []
  const total = rows.reduce((sum, { count }) => sum + count, 0)
  const named = rows
    .slice(0, namedMax)
    .map((row) => `${row.count} of service ${row.service} by ${row.protocol}, newest ${printTime(row.newestNs)}`)
  const more = rows.length > namedMax ? `; and of ${rows.length - namedMax} more` : ''
  return [{ code: `times_${kind}`, message: `${total} ${signal} ${what} (${named.join('; ')}${more})` }]
}
