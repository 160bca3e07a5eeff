/**
 * The log as segment files of one folder. This file joins the parts: who may append (bound, retries), how far the
 * consumers are, and what may be deleted. docs/transport-log.md says what is promised and draws the files.
 */
import { mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from '../../base/disk.ts'
import { InputError, UnavailableError, assert, messageOf } from '../../base/errors.ts'
import type {
  Appended,
  AssignmentListener,
  ConsumerState,
  Log,
  LogCapabilities,
  LogConsumer,
  LogRecord,
  LogStats,
  Position,
  RecordRanges,
  StoredRecord,
} from '../../model/log.ts'
import { bodyHash } from './body-hash.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import { ConsumerSet } from './consumer-set.ts'
import { FreeSpace } from './free-space.ts'
import { GroupCommit } from './group-commit.ts'
import { readRecords } from './log-reader.ts'
import type { OnProblem } from './problem.ts'
import { readRanges } from './range-reader.ts'
import { prepareRecordHeader } from './record.ts'
import { RetryKeys } from './retry-keys.ts'
import { RetryTable } from './retry-table.ts'
import { recoverSegments } from './segment-recovery.ts'
import { SegmentSet } from './segment-set.ts'

export interface LocalLogOptions {
  /** The log's own folder; made when missing. */
  readonly dir: string
  /**
   * Whether `append` waits for the disk. If not, a crash of the machine (not of the process) may lose the newest
   * records.
   */
  readonly sync: boolean
  /** Bound on bytes not yet committed by every consumer; past it `append` rejects with `log_full`. */
  readonly maxBytes: number
  /**
   * Names of the consumers that hold back the log: their records stay until they are committed, and past `maxBytes`
   * appends are refused. Other consumers then lose the oldest records. Default: all consumers that the folder knows.
   */
  readonly heldBy?: readonly string[]
  /** How often an idle log looks for records that it need not keep any longer. Default 30 s. */
  readonly trimEveryMs?: number
  /** Size at which a new segment begins. Default 64 MiB. */
  readonly segmentBytes?: number
  /** For how long the same body counts as a retry. Default 5 minutes. */
  readonly retryWindowMs?: number
  /** Disk that finished segments may take while they wait for the retry window to pass. Default 512 MiB. */
  readonly retryWindowMaxBytes?: number
  /**
   * The maximum number of bodies remembered for retries, 40 bytes of memory each. Beyond it the oldest are forgotten.
   * Default 2^20.
   */
  readonly retryWindowMaxRecords?: number
  /** Free disk below which appends are refused with `disk_full`. Default 256 MiB. */
  readonly minFreeBytes?: number
  readonly now?: () => number
  /** Called for damage and failed writes. Default: a process warning. */
  readonly onProblem?: OnProblem
}

/** The log in local files, and how its consumers' positions are read and set without joining them. */
export interface LocalLog extends Log {
  /** The state last committed under this name; a new consumer starts at the oldest record kept. */
  consumer(name: string): Promise<ConsumerState>
  /** Durable when it resolves. */
  commit(name: string, state: ConsumerState): Promise<void>
}

const mebibyte = 1024 * 1024
/** How long a client should wait after `log_full`: about the time in which consumers commit a block. */
const fullRetryAfterMs = 1000
const openFolders = new Set<string>()

/**
 * Opens the log in `options.dir`, repairing what a crash left. Rejects with `UnavailableError` `store_locked` when this
 * process has it open already, `io_failed` when the folder cannot be read or written.
 */
export async function openLocalLog(options: LocalLogOptions): Promise<LocalLog> {
  const dir = await makeFolder(options.dir)
  if (openFolders.has(dir)) {
    throw new UnavailableError('store_locked', `cannot open the log ${dir}: it is open already`, { canRetry: false })
  }
  openFolders.add(dir)
  try {
    return await openFolder(withDefaults(dir, options))
  } catch (error) {
    openFolders.delete(dir)
    throw openFailure(dir, error)
  }
}

async function makeFolder(dir: string): Promise<string> {
  try {
    const made = await mkdir(dir, { recursive: true })
    if (made !== undefined) await syncFolder(dirname(made))
    return await realpath(dir)
  } catch (error) {
    throw openFailure(dir, error)
  }
}

function openFailure(dir: string, cause: unknown): UnavailableError {
  return new UnavailableError('io_failed', `cannot open the log ${dir}: ${messageOf(cause)}`, { cause })
}

type Settings = Required<Omit<LocalLogOptions, 'heldBy'>> & Pick<LocalLogOptions, 'heldBy'>

function withDefaults(dir: string, options: LocalLogOptions): Settings {
  return {
    segmentBytes: 64 * mebibyte,
    retryWindowMs: 5 * 60_000,
    retryWindowMaxBytes: 512 * mebibyte,
    retryWindowMaxRecords: 2 ** 20,
    minFreeBytes: 256 * mebibyte,
    trimEveryMs: 30_000,
    now: Date.now,
    onProblem: warn,
    ...options,
    dir,
  }
}

async function openFolder(settings: Settings): Promise<FolderLog> {
  const { dir, retryWindowMs, onProblem } = settings
  const retries = new RetryTable(retryWindowMs, settings.retryWindowMaxRecords)
  const keys = new RetryKeys()
  const nowMs = settings.now()
  const recovered = await recoverSegments({
    dir,
    nowMs,
    onProblem,
    onRecord: (header, atMs) => {
      if (!header.retryable || nowMs - atMs > retryWindowMs) return
      retries.add(keys.of(header, Buffer.from(header.hash, 'hex')), header.position, atMs)
    },
  })
  const consumers = new ConsumerSet(dir, onProblem, settings.heldBy)
  const oldest = (recovered.segments[0]?.first ?? recovered.next) as Position
  try {
    // Positions that a consumer has seen are never reused, even if the records were lost with the disk's cache or
    // deleted by hand.
    const next = Math.max(recovered.next, await consumers.open(oldest))
    const set = new SegmentSet(settings, recovered, next)
    await consumers.measure(set)
    await set.start()
    await set.trim(consumers.committed(set), consumers.finished(set))
    const group = new GroupCommit(set, new FreeSpace(dir, settings.minFreeBytes))
    return new FolderLog({ settings, retries, keys, consumers, set, group })
  } catch (error) {
    await consumers.close()
    throw error
  }
}

function appended(position: Position): Appended {
  return { partition: 0, position, duplicate: false }
}

function warn(problem: { message: string }): void {
  process.emitWarning(problem.message, 'LogProblem')
}

interface Parts {
  readonly settings: Settings
  readonly retries: RetryTable
  readonly keys: RetryKeys
  readonly consumers: ConsumerSet
  readonly set: SegmentSet
  readonly group: GroupCommit
}

class FolderLog implements LocalLog {
  readonly capabilities: LogCapabilities = { detectsRetries: true, densePositions: true }
  readonly #parts: Parts
  readonly #groups = new ConsumerGroups(this)
  /** Appends under way, by retry key. */
  readonly #underWay = new Map<string, Promise<Position>>()
  #appended = 0
  #duplicates = 0
  #refused = 0
  #closing: Promise<void> | undefined
  readonly #trimTimer: NodeJS.Timeout

  constructor(parts: Parts) {
    this.#parts = parts
    this.#trimTimer = setInterval(() => void this.#trimIdle(), parts.settings.trimEveryMs)
    this.#trimTimer.unref()
  }

  async append(record: LogRecord): Promise<Appended> {
    const { retries, keys, settings } = this.#parts
    this.#refuseClosed('append')
    const hashing = bodyHash(record.body)
    const hash = hashing instanceof Promise ? await hashing : hashing
    this.#refuseClosed('append')
    if (record.retryable === false) return appended(await this.#store(record, hash))
    const key = keys.of(record, hash)
    const keyText = key.toString('latin1')
    const first = this.#underWay.get(keyText) ?? retries.get(key, settings.now())
    if (first !== undefined) {
      // Should the first one fail, so does its retry: nothing was stored for either.
      const position = (await first) as Position
      this.#duplicates++
      return { partition: 0, position, duplicate: true }
    }
    const stored = this.#store(record, hash, key)
    this.#underWay.set(keyText, stored)
    try {
      return appended(await stored)
    } finally {
      this.#underWay.delete(keyText)
    }
  }

  read(from: Position, partition = 0): AsyncIterable<StoredRecord> {
    this.#refuseClosed('read')
    assert(partition === 0, `the local log has no partition ${partition}`)
    return readRecords(this.#parts.set, from, this.#parts.settings.onProblem)
  }

  async readRanges(records: readonly RecordRanges[]): Promise<Uint8Array[][] | undefined> {
    this.#refuseClosed('read')
    return await readRanges(this.#parts.set, records)
  }

  async consume(name: string, listener: AssignmentListener): Promise<LogConsumer> {
    return await this.#groups.join(name, listener)
  }

  async consumer(name: string): Promise<ConsumerState> {
    this.#refuseClosed('open a consumer of')
    return await this.#parts.consumers.get(name, this.#parts.set)
  }

  async commit(name: string, state: ConsumerState): Promise<void> {
    this.#refuseClosed('commit to')
    const { consumers, set } = this.#parts
    await consumers.commit(name, state, set)
    await this.#trim()
  }

  async #trim(): Promise<void> {
    const { consumers, set } = this.#parts
    await set.trim(consumers.committed(set), consumers.finished(set))
  }

  /**
   * Without commits, nothing else would delete records that are older than the retry window, including those of the
   * last segment.
   */
  async #trimIdle(): Promise<void> {
    const { consumers, group, set } = this.#parts
    await this.#trim()
    if (!set.isOutlived(consumers.finished(set))) return
    // A failure is reported by the set; the next append begins a segment then.
    await group.between(() =>
      (set.isOutlived(consumers.finished(set)) ? set.roll() : Promise.resolve()).catch(() => {}),
    )
    await this.#trim()
  }

  stats(): LogStats {
    const { set, consumers } = this.#parts
    return {
      pendingBytes: set.recordBytes - consumers.committedBytes(set),
      pendingRecords: set.next - consumers.committed(set),
      diskBytes: set.diskBytes,
      appendedRecords: this.#appended,
      duplicateRecords: this.#duplicates,
      syncs: set.syncs,
      refusedRecords: this.#refused,
      problem: this.#parts.group.problem,
      oldestPosition: set.oldest as Position,
      nextPosition: set.next as Position,
      consumers: consumers.stats(set),
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Without a key the record is not remembered for retries. */
  async #store(record: LogRecord, hash: Buffer, key?: Buffer): Promise<Position> {
    const { set, group, consumers, retries } = this.#parts
    const { maxBytes, now } = this.#parts.settings
    const header = prepareRecordHeader(record, record.body.length, hash)
    const bytes = header.bytes.length + record.body.length
    if (bytes > maxBytes) {
      throw new InputError('too_large', `cannot log a record of ${bytes} bytes: the log is bounded to ${maxBytes}`)
    }
    try {
      const pending = set.recordBytes - consumers.committedBytes(set) + group.bytes
      if (pending + bytes > maxBytes) {
        throw new UnavailableError('log_full', `cannot append to the log: ${pending} of ${maxBytes} bytes wait`, {
          retryAfterMs: fullRetryAfterMs,
        })
      }
      // Only consumers that do not hold back the log can be this far behind.
      if (set.keptBytes + bytes > maxBytes) void this.#trim()
      const position = (await group.append({ header, body: record.body })) as Position
      this.#appended++
      if (key !== undefined) retries.add(key, position, now())
      return position
    } catch (error) {
      this.#refused++
      throw error
    }
  }

  #refuseClosed(doing: string): void {
    if (this.#closing === undefined) return
    throw new UnavailableError('shutting_down', `cannot ${doing} the log ${this.#parts.settings.dir}: it is closed`)
  }

  async #close(): Promise<void> {
    const { settings, group, consumers, set } = this.#parts
    const { dir } = settings
    clearInterval(this.#trimTimer)
    try {
      await group.drain()
      await consumers.close()
      await set.close()
    } catch (error) {
      throw new UnavailableError('io_failed', `cannot close the log ${dir}: ${messageOf(error)}`, { cause: error })
    } finally {
      openFolders.delete(dir)
    }
  }
}
