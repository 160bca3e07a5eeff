/** What runs, what is stored, what is wrong: for `GET /api/v1/status`, `/health` and `clew doctor`. */
import { existsSync } from 'node:fs'
import { printTime } from '../base/time.ts'
import { printSize } from '../base/size.ts'
import type { StatusAnswer } from '../api/native/contract.ts'
import type { IntakeCounters } from '../capture/counters.ts'
import type { FarTimes } from '../capture/far-times.ts'
import type { TailFigures } from '../capture/observer.ts'
import { tailFilesMax } from '../capture/file-tail/tailer.ts'
import type { Config } from '../config/config.ts'
import { folderProblems } from './folder-problems.ts'
import type { EngineProcessState } from '../storage/clickhouse/engine/sessions.ts'
import type { Log } from '../model/log.ts'
import {
  openStoredFigures,
  type StoredFigures,
  type StoredFiguresReader,
} from '../storage/clickhouse/stored-figures.ts'
import { printDamagedParts } from '../storage/clickhouse/damaged-parts.ts'
import type { Store } from '../storage/clickhouse/store.ts'
import { senderProblems } from './sender-problems.ts'

export interface StatusSources {
  readonly config: Config
  readonly version: string
  readonly startedAtMs: number
  readonly log: Log
  readonly store: Store
  readonly counters: IntakeCounters
  readonly farTimes: FarTimes
  readonly isReady: () => boolean
  readonly receivers: { readonly listeners: readonly ShownListener[] }
  readonly tailFigures: (() => TailFigures) | undefined
}

const appendProblemMs = 60_000

type ShownListener = StatusAnswer['listeners'][number]

export type Problem = StatusAnswer['problems'][number]

export interface Status {
  answer(): Promise<StatusAnswer>
  problems(): Problem[]
  /** Adds a listener that is not a receiver. */
  listening(listener: ShownListener): void
}

export function createStatus(sources: StatusSources): Status {
  const more: ShownListener[] = []
  const problems = (): Problem[] => currentProblems(sources)
  const stored = openStoredFigures(sources.store.engine)
  // The first read gives a result to show when the store does not answer later.
  stored.read().catch(() => {})
  return {
    problems,
    listening: (listener) => void more.push(listener),
    async answer() {
      const { config, version, startedAtMs, log, store, counters, isReady, receivers } = sources
      const stats = log.stats()
      return {
        version,
        startedAt: printTime(BigInt(startedAtMs) * 1_000_000n),
        uptimeMs: Date.now() - startedAtMs,
        dataDir: config.data,
        ready: isReady(),
        problems: [
          ...problems(),
          ...engineRestarted(store),
          ...(await quarantineProblem(store)),
          ...damageProblem(store),
          ...senderProblems(sources),
        ],
        listeners: [...receivers.listeners, ...more].map(({ name, protocol, accepts, address, port }) => ({
          name,
          protocol,
          accepts,
          address,
          port,
        })),
        stored: await storedWithin(stored),
        repeatedSpans: store.repeatedSpans(),
        queries: printQueries(sources),
        log: {
          pendingBytes: stats.pendingBytes,
          pendingRecords: stats.pendingRecords,
          diskBytes: stats.diskBytes,
          boundBytes: config.log.maxBytes,
        },
        received: counters
          .all()
          .map(({ protocol, signal, requests, accepted, rejected, repaired, refused, failed, dropped, lastError }) => ({
            protocol,
            signal,
            requests,
            accepted,
            rejected,
            repaired,
            refused,
            failed,
            dropped,
            lastError,
          })),
        farOff: sources.farTimes.all().map(({ protocol, signal, service, kind, count, newestNs }) => ({
          protocol,
          signal,
          service,
          kind,
          count,
          newest: printTime(newestNs),
        })),
        files: printFiles(sources.tailFigures?.()),
        engine: printEngine(store.engine.state().process),
        memory: { rssBytes: process.memoryUsage.rss(), batchesInFlightBytes: store.writer.queuedBytes },
      }
    },
  }
}

/** A store that is slow or does not answer must not hold up the rest of the status. */
const storedWaitMs = 2000

async function storedWithin(stored: StoredFiguresReader): Promise<StatusAnswer['stored']> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), storedWaitMs)
  const reading = stored.read()
  const figures = await Promise.race([reading.catch(() => undefined), late.promise])
  clearTimeout(timer)
  return printStored(figures ?? stored.last ?? (await reading))
}

function printEngine(state: EngineProcessState | undefined): StatusAnswer['engine'] {
  const { pid, rssBytes = 0, restarts = 0, lastEnd } = state ?? {}
  const printedEnd = lastEnd && { why: lastEnd.why, at: printTime(BigInt(lastEnd.atMs) * 1_000_000n) }
  return { pid: pid ?? null, rssBytes, restarts, lastEnd: printedEnd ?? null }
}

/**
 * A restart of the engine's process is reported as a problem for this long after the process ended: most ends repeat.
 */
const engineEndTellMs = 60_000

function engineDown({ store }: StatusSources): Problem[] {
  const { process: state } = store.engine.state()
  if (state?.lastEnd === undefined || state.pid !== undefined) return []
  const message = `the engine's process is down and is started again; the log keeps what comes, queries fail: ${state.lastEnd.why}`
  return [{ code: 'engine_down', message }]
}

/** Not a health problem: it is over, and restarting clew because of it would only prolong the interruption. */
function engineRestarted(store: Store): Problem[] {
  const { process: state } = store.engine.state()
  if (state?.lastEnd === undefined || state.pid === undefined) return []
  const { why, atMs } = state.lastEnd
  if (Date.now() - atMs > engineEndTellMs) return []
  const times = state.restarts === 1 ? 'once' : `${state.restarts} times`
  const message = `the engine's process ended and was started again, ${times} since clew began; last: ${why}`
  return [{ code: 'engine_restarted', message }]
}

function printQueries({ store }: StatusSources): StatusAnswer['queries'] {
  const { sessions, busy, waiting, longestWaitMs, longestHoldMs, refused } = store.engine.state().queries
  return {
    running: busy,
    sessions,
    waiting,
    longestWaitMs: Math.round(longestWaitMs),
    longestRunMs: Math.round(longestHoldMs),
    refused,
  }
}

/** The time beyond its timeout that a stopped query may take to end. */
const stopGraceMs = 5000

function queryProblems({ config, store }: StatusSources): Problem[] {
  const { waiting, longestWaitMs, longestHoldMs, busy } = store.engine.state().queries
  const { timeoutMs } = config.query
  const problems: Problem[] = []
  if (longestHoldMs > timeoutMs + stopGraceMs) {
    const message = `a query was stopped and does not end, for ${Math.round(longestHoldMs / 1000)} s now; it holds one of the ${busy} sessions in use`
    problems.push({ code: 'queries_hang', message })
  }
  if (longestWaitMs > timeoutMs / 2 || waiting >= config.query.waiting) {
    const message = `${waiting} queries wait for their turn, the oldest for ${Math.round(longestWaitMs / 1000)} s; they are refused after query.timeout, and beyond query.waiting`
    problems.push({ code: 'queries_wait', message })
  }
  return problems
}

function currentProblems(sources: StatusSources): Problem[] {
  const { config, log, store, tailFigures } = sources
  const problems = [...engineDown(sources), ...queryProblems(sources)]
  if (store.writer.problem !== undefined) {
    const message = `the store does not take data now, the log keeps it: ${store.writer.problem}`
    problems.push({ code: 'store_unavailable', message })
  }
  const { pendingBytes, problem, consumers } = log.stats()
  const lost = store.writer.missedRecords
  if (lost > 0) {
    const message = `${lost} ${lost === 1 ? 'record' : 'records'} went from the log before the store had them: dropped at the log's bound, or damaged`
    problems.push({ code: 'records_lost', message })
  }
  for (const { name, goneRecords, pendingRecords } of consumers.filter((each) => each.goneRecords > 0)) {
    const message = `sink "${name}" is behind by more than the log keeps: ${goneRecords} records are gone that it has not stored, ${pendingRecords} wait`
    problems.push({ code: 'records_lost', message })
  }
  if (pendingBytes > config.log.maxBytes * 0.8) {
    const message = `the log holds ${printSize(pendingBytes)} of ${printSize(config.log.maxBytes)} not yet stored; at the bound clients are told to retry`
    problems.push({ code: 'log_full', message })
  }
  problems.push(...folderProblems(config.data, config.disk.minFreeBytes))
  // The log keeps this problem until the next append, so a problem without a later append must not be reported for
  // ever.
  const isNew = problem !== undefined && Date.now() - problem.atMs < appendProblemMs
  if (isNew && !problems.some(({ code }) => code === 'disk_full')) {
    problems.push({ code: problem.failure.code, message: `requests are refused: ${problem.failure.message}` })
  }
  return problems.concat(fileProblems(tailFigures?.()))
}

function fileProblems(figures: TailFigures | undefined): Problem[] {
  const { skipped = 0, unreadable = 0, problem } = figures ?? {}
  const problems: Problem[] = []
  if (skipped > 0) {
    const message = `${skipped} ${skipped === 1 ? 'file is' : 'files are'} not followed: no more than ${tailFilesMax} are at once`
    problems.push({ code: 'files_skipped', message })
  }
  if (problem !== undefined) {
    const what = unreadable === 1 ? 'what is to be tailed' : `${unreadable} files or folders to be tailed`
    problems.push({ code: 'files_unreadable', message: `cannot read ${what}, ${problem}` })
  }
  return problems
}

function printFiles(figures: TailFigures | undefined): StatusAnswer['files'] {
  if (figures === undefined) return null
  const { problem: _, ...counts } = figures
  return counts
}

function damageProblem({ damagedParts }: Store): Problem[] {
  // A person who has removed the kept folder has read the message.
  const message = printDamagedParts(damagedParts.filter(({ folder }) => existsSync(folder)))
  return message === undefined ? [] : [{ code: 'parts_damaged', message }]
}

async function quarantineProblem(store: Store): Promise<Problem[]> {
  const blocks = await store.quarantine.count()
  if (blocks === 0) return []
  const what = blocks === 1 ? '1 block that could not be stored is' : `${blocks} blocks that could not be stored are`
  const message = `${what} in ${store.quarantine.dir}, with the reason`
  return [{ code: 'quarantine', message }]
}

function printStored(figures: StoredFigures): StatusAnswer['stored'] {
  const { oldestNs, newestNs, ...counts } = figures
  return {
    ...counts,
    oldest: oldestNs === undefined ? null : printTime(oldestNs),
    newest: newestNs === undefined ? null : printTime(newestNs),
  }
}
