/**
 * Appends that arrive while a write and sync are under way share the next one. No timers: the first append of an idle
 * log is written at once, and the length of a sync decides how many share one.
 */
import { UnavailableError, messageOf } from '../../base/errors.ts'
import type { AppendProblem } from '../../model/log.ts'
import type { SegmentSet, WritableRecord } from './segment-set.ts'
import type { FreeSpace } from './free-space.ts'

/** A group is written by one call, so its size is limited. A record larger than this is a group of its own. */
const groupBytesMax = 16 * 1024 * 1024
const groupRecordsMax = 4096
/** The time after which a client may usefully try again when the disk was full or failing. */
const diskRetryAfterMs = 1000

interface Waiting extends WritableRecord {
  readonly bytes: number
  readonly resolve: (position: number) => void
  readonly reject: (error: UnavailableError) => void
}

export class GroupCommit {
  readonly #set: SegmentSet
  readonly #space: FreeSpace
  #waiting: Waiting[] = []
  #bytes = 0
  #running: Promise<void> | undefined
  /** Why the newest group could not be written; `undefined` once a group was written. */
  problem: AppendProblem | undefined

  constructor(set: SegmentSet, space: FreeSpace) {
    this.#set = set
    this.#space = space
  }

  /** The number of bytes that are accepted and not yet durable or refused. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Resolves to the record's position once it is durable. Positions, and the order in which promises settle, follow the
   * order of calls. Rejects with `UnavailableError` `disk_full` or `io_failed`.
   */
  append(record: WritableRecord): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const bytes = record.header.bytes.length + record.header.bodyBytes
    this.#waiting.push({ ...record, bytes, resolve, reject })
    this.#bytes += bytes
    this.#running ??= this.#run()
    return promise
  }

  /** Runs `work` while nothing is written; later appends wait for it. It must not reject. */
  async between(work: () => Promise<void>): Promise<void> {
    while (this.#running !== undefined) await this.#running
    this.#running = work().then(() => this.#run())
    await this.#running
  }

  /** Resolves when everything appended before has settled. */
  async drain(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // Waits, so that every append of this turn is in the first group.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      const bytes = group.reduce((sum, each) => sum + each.bytes, 0)
      try {
        if (!(await this.#space.take(bytes))) throw new UnavailableError('disk_full', this.#space.lackText)
        const first = await this.#set.write(group, bytes)
        this.#bytes -= bytes
        this.problem = undefined
        for (const [index, each] of group.entries()) each.resolve(first + index)
      } catch (error) {
        this.#bytes -= bytes
        const failure = writeFailure(error)
        this.problem = { failure, atMs: Date.now() }
        for (const each of group) each.reject(failure)
      }
    }
    this.#running = undefined
  }

  #takeGroup(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const each of this.#waiting) {
      if (count > 0 && (bytes + each.bytes > groupBytesMax || count === groupRecordsMax)) break
      bytes += each.bytes
      count++
    }
    return this.#waiting.splice(0, count)
  }
}

function writeFailure(error: unknown): UnavailableError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'disk_full'
  return new UnavailableError(isFull ? 'disk_full' : 'io_failed', `cannot append to the log: ${messageOf(error)}`, {
    cause: error,
    retryAfterMs: diskRetryAfterMs,
  })
}
