/** What runs, what is stored, what is wrong: for `GET /api/v1/status`, `/health` and `clew doctor`. */
import { statfsSync } from 'node:fs'
import { printTime } from './base/time.ts'
import { printSize } from './base/size.ts'
import type { StatusAnswer } from './api/native/contract.ts'
import type { IntakeCounters } from './capture/counters.ts'
import type { TailFigures } from './capture/observer.ts'
import type { Listener } from './capture/receiver.ts'
import { tailFilesMax } from './capture/file-tail/tailer.ts'
import type { Config } from './config.ts'
import type { Log } from './model/log.ts'
import { openStoredFigures, type StoredFigures } from './storage/clickhouse/stored-figures.ts'
import type { Store } from './storage/clickhouse/store.ts'

export interface StatusSources {
  readonly config: Config
  readonly version: string
  readonly startedAtMs: number
  readonly log: Log
  readonly store: Store
  readonly counters: IntakeCounters
  readonly isReady: () => boolean
  readonly receivers: { readonly listeners: readonly Listener[] }
  readonly tailFigures: (() => TailFigures) | undefined
}

const appendProblemMs = 60_000

export type Problem = StatusAnswer['problems'][number]

export interface Status {
  answer(): Promise<StatusAnswer>
  problems(): Problem[]
  /** Adds a listener that is not a receiver. */
  listening(listener: Omit<Listener, 'close'>): void
}

export function createStatus(sources: StatusSources): Status {
  const more: Omit<Listener, 'close'>[] = []
  const problems = (): Problem[] => currentProblems(sources)
  const stored = openStoredFigures(sources.store.engine)
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
        problems: [...problems(), ...(await quarantineProblem(store))],
        listeners: [...receivers.listeners, ...more].map(({ name, protocol, address, port }) => ({
          name,
          protocol,
          address,
          port,
        })),
        stored: printStored(await stored.read()),
        log: {
          pendingBytes: stats.pendingBytes,
          pendingRecords: stats.pendingRecords,
          diskBytes: stats.diskBytes,
          boundBytes: config.log.maxBytes,
        },
        received: counters
          .all()
          .map(({ protocol, signal, requests, accepted, rejected, refused, failed, dropped, lastError }) => ({
            protocol,
            signal,
            requests,
            accepted,
            rejected,
            refused,
            failed,
            dropped,
            lastError,
          })),
        files: printFiles(sources.tailFigures?.()),
        memory: { rssBytes: process.memoryUsage.rss(), batchesInFlightBytes: store.writer.queuedBytes },
      }
    },
  }
}

function currentProblems({ config, log, store, tailFigures }: StatusSources): Problem[] {
  const problems: Problem[] = []
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
  const disk = statfsSync(config.data)
  const freeBytes = disk.bavail * disk.bsize
  if (freeBytes < config.disk.minFreeBytes) {
    const message = `only ${printSize(freeBytes)} of disk are free in ${config.data}, clew keeps ${printSize(config.disk.minFreeBytes)}: free some, or lower retention`
    problems.push({ code: 'disk_full', message })
  }
  // It stands until the next append, so one that nobody repeats must not stand for ever.
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

async function quarantineProblem(store: Store): Promise<Problem[]> {
  const blocks = await store.quarantine.count()
  if (blocks === 0) return []
  const what = blocks === 1 ? '1 block that could not be stored lies' : `${blocks} blocks that could not be stored lie`
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
