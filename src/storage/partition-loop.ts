/**
 * Stores the records of one partition in one sink. It joins batches into blocks, because many small inserts cost a
 * store far more. It notes in the log where a block ends before it inserts the block, and commits afterwards. A crash
 * in between leaves the cut. The next start forms exactly that block again and stores the rows that are not there yet
 * (docs/durability.md).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError, messageOf } from '../base/errors.ts'
import type { BatchLease } from '../model/batch-lease.ts'
import type { Assignment, Log, LogConsumer, Partition, Position } from '../model/log.ts'
import { Turn } from '../base/turn.ts'
import { slicesOf } from '../model/batch-slices.ts'
import type { Sink, SinkBlock } from '../model/sink.ts'
import { BatchQueue, type DecodeRecord, type QueuedBatch } from './batch-queue.ts'
import { StoredEnd } from './stored-end.ts'

export interface LoopOptions {
  readonly log: Log
  /** Identity of the log; positions are meaningful only together with it. */
  readonly logId: string
  readonly sink: Sink
  readonly decode: DecodeRecord
  readonly blockRows: number
  readonly blockWaitMs: number
  readonly batchesBytesMax: number
  readonly onProblem: (message: string, error: unknown) => void
  /** Saves the records [from, end) of a partition when the sink refuses them for good. */
  readonly quarantine: (partition: Partition, from: Position, end: Position, reason: string) => Promise<void>
}

/** An insert that fails with a permanent error is tried this often before its records are set aside. */
const refusedTriesMax = 6
/** Longest wait for the first record of a block before the loop checks its state again. */
const emptyWaitMaxMs = 1000
const retryPauseMinMs = 100
const retryPauseMaxMs = 5000

interface Cut {
  block: SinkBlock
  /** Records [from, end). */
  from: Position
  end: Position
  startedAtMs: number
  /** Rows may be stored already: the block was left by a crash, or an attempt to insert it failed. */
  mayBeStored: boolean
}

export class PartitionLoop {
  readonly #options: LoopOptions
  readonly #consumer: () => Promise<LogConsumer>
  readonly #partition: Partition
  readonly #queue: BatchQueue
  readonly #stored: StoredEnd
  readonly #spare: SinkBlock[] = []
  #next: Position
  /** End of the block a crash left between cut and commit. */
  #leftCut: Position | undefined
  #inserting: Promise<void> = Promise.resolve()
  /** A batch that was taken and belongs to the next block. */
  #carried: QueuedBatch | undefined
  /** While stopping, records that are not stored by this time stay in the log. */
  #stopAtMs = Infinity
  #stopping = false
  readonly #stopAsked = new AbortController()
  readonly #lost: AbortSignal
  /** Records that made a block fail; they are skipped when it is formed again. */
  readonly #unfit = new Set<Position>()
  #storeProblem: string | undefined
  #readProblem: string | undefined
  readonly #turn = new Turn()
  readonly #run: Promise<void>
  blocks = 0
  lastInsertMs = 0

  /** `consumer` is called once there is something to commit. */
  constructor(options: LoopOptions, consumer: () => Promise<LogConsumer>, assignment: Assignment) {
    const { partition, state, end, lost } = assignment
    this.#options = options
    this.#consumer = consumer
    this.#partition = partition
    this.#next = state.next
    this.#leftCut = state.cutEnd
    this.#lost = lost
    const { log, decode, batchesBytesMax, blockWaitMs } = options
    this.#queue = new BatchQueue({ log, partition, decode, bytesMax: batchesBytesMax }, state.next, end)
    this.#stored = new StoredEnd(state.next, end, blockWaitMs)
    lost.addEventListener('abort', () => this.#lose(), { once: true })
    this.#run = this.#loop()
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  /** Records that were gone from the log before they were read. */
  get missedRecords(): number {
    return this.#queue.missed
  }

  /** Why nothing is stored now; `undefined` when all is well. */
  get problem(): string | undefined {
    return this.#storeProblem ?? this.#readProblem
  }

  offer(position: Position, lease: BatchLease): void {
    this.#queue.offer(position, lease)
    this.#stored.came(this.#queue.end)
  }

  grow(end: Position): void {
    this.#queue.grow(end)
    this.#stored.came(this.#queue.end)
  }

  /** Whether records that are no longer new still wait to be stored. */
  get isBehind(): boolean {
    return this.#stored.isBehind
  }

  /** See `Consumer.untilStored`. A block that is being filled is inserted at once. */
  async untilStored(signal: AbortSignal): Promise<void> {
    const waiting = this.#stored.wait(signal)
    this.#queue.wake()
    await waiting
  }

  async #loop(): Promise<void> {
    while (!this.#isDone()) {
      const cut = await this.#fill()
      if (cut === undefined) {
        if (this.#stopping && this.#readProblem !== undefined) break
        continue
      }
      await this.#inserting
      if (this.#lost.aborted || (this.#stopping && this.problem !== undefined)) break
      this.#inserting = this.#store(cut)
    }
    await this.#inserting
  }

  #isDone(): boolean {
    if (this.#lost.aborted) return true
    if (!this.#stopping) return false
    return Date.now() >= this.#stopAtMs || (this.#queue.empty && this.#carried === undefined)
  }

  /** Fills a block up to its size, its age, or exactly to the end of a cut left by a crash. */
  async #fill(): Promise<Cut | undefined> {
    const { blockRows, blockWaitMs, sink } = this.#options
    const wanted = this.#leftCut
    const waitUntilMs = Date.now() + Math.min(blockWaitMs, emptyWaitMaxMs)
    const first = await this.#take(() => (wanted === undefined ? waitUntilMs : 0))
    if (first === undefined) return this.#passOver(wanted)
    const cut: Cut = {
      block: this.#spare.pop() ?? sink.newBlock(),
      from: this.#next,
      end: this.#next,
      startedAtMs: Date.now(),
      mayBeStored: wanted !== undefined,
    }
    const isUrgent = (): boolean => wanted !== undefined || this.#stopping || this.#stored.isWaitedFor
    for (let next: QueuedBatch | undefined = first; next !== undefined;) {
      if (wanted !== undefined && next.position >= wanted) {
        this.#carried = next
        break
      }
      if (!(await this.#addTo(cut, next))) return this.#formAgain(cut)
      if (wanted === undefined ? cut.block.rows >= blockRows : cut.end >= wanted) break
      next = await this.#take(() => (isUrgent() ? 0 : cut.startedAtMs + blockWaitMs))
    }
    if (wanted !== undefined) {
      if (this.#readProblem !== undefined) return this.#formAgain(cut)
      cut.end = wanted
    }
    this.#leftCut = undefined
    this.#next = cut.end
    return cut
  }

  #formAgain(cut: Cut): undefined {
    this.#putBack(cut.block)
    this.#dropCarried()
    this.#queue.rewind(cut.from)
  }

  #putBack(block: SinkBlock): void {
    block.reset()
    this.#spare.push(block)
  }

  #dropCarried(): void {
    this.#carried?.lease?.release()
    this.#carried = undefined
  }

  /** Called when there is no record to take. */
  #passOver(cutEnd: Position | undefined): undefined {
    if (this.#readProblem !== undefined || this.#lost.aborted) return
    if (cutEnd !== undefined) {
      // All records of the cut are gone: damaged, or lost in a power cut with syncing off.
      this.#leftCut = undefined
      this.#next = cutEnd
    }
    // The last positions may have no record: damaged, or left out by a log whose positions have gaps.
    const { empty, end } = this.#queue
    if (empty && this.#carried === undefined && !this.#stopping)
      void this.#inserting.then(() => this.#stored.reached(end))
  }

  /** `undefined` past the deadline, when the partition is lost, and when reading fails while the program stops (`#readProblem`). */
  async #take(deadlineMs: () => number): Promise<QueuedBatch | undefined> {
    const carried = this.#carried
    this.#carried = undefined
    if (carried !== undefined) return carried
    let pauseMs = retryPauseMinMs
    for (;;) {
      try {
        const taken = await this.#queue.take(deadlineMs)
        this.#readProblem = undefined
        return taken
      } catch (error) {
        this.#readProblem = messageOf(error)
        this.#options.onProblem('cannot read the log, trying again', error)
        if (this.#stopping || this.#lost.aborted) return undefined
        await this.#pause(pauseMs)
        pauseMs = Math.min(pauseMs * 2, retryPauseMaxMs)
      }
    }
  }

  /** Returns false when the block cannot take the batch and must be formed again without it. */
  async #addTo(cut: Cut, { lease, position }: QueuedBatch): Promise<boolean> {
    cut.end = (position + 1) as Position
    try {
      if (this.#unfit.delete(position)) return true
      if (lease === undefined) {
        await this.#setAside(position, 'it cannot be decoded any more')
        return true
      }
      for (const slice of slicesOf(lease.batch)) {
        if (this.#turn.isOver) await this.#turn.next()
        cut.block.add(slice)
      }
      return true
    } catch (error) {
      if (lease === undefined) throw error
      await this.#setAside(position, `it does not fit into a block: ${messageOf(error)}`)
      this.#unfit.add(position)
      return false
    } finally {
      lease?.release()
    }
  }

  async #setAside(position: Position, reason: string): Promise<void> {
    const end = (position + 1) as Position
    const { onProblem, quarantine } = this.#options
    onProblem(`cannot store record ${position}: ${reason}; it is kept in the quarantine folder`, undefined)
    await this.#persistently(() => quarantine(this.#partition, position, end, reason))
  }

  async #store(cut: Cut): Promise<void> {
    const { logId } = this.#options
    try {
      if (cut.block.rows > 0) {
        await this.#commit(cut.from, cut.end)
        await this.#insert(cut, tokenOf(logId, this.#partition, cut))
      }
      await this.#commit(cut.end, undefined)
    } catch {
      // This happens only when stopping or when the partition is lost. The cut is in the log for its next owner.
      return
    } finally {
      this.#putBack(cut.block)
    }
    this.blocks++
    this.#storeProblem = undefined
    this.#stored.reached(cut.end)
  }

  async #commit(next: Position, cutEnd: Position | undefined): Promise<void> {
    await this.#persistently(async () => (await this.#consumer()).commit(this.#partition, { next, cutEnd }))
  }

  async #insert(cut: Cut, token: string): Promise<void> {
    const started = performance.now()
    let refused = 0
    await this.#persistently(async () => {
      try {
        await cut.block.insert({ token, mayBeStored: cut.mayBeStored })
      } catch (error) {
        cut.mayBeStored = true
        const isTransient = error instanceof UnavailableError && error.canRetry
        if (isTransient || ++refused < refusedTriesMax) throw error
        await this.#options.quarantine(this.#partition, cut.from, cut.end, messageOf(error))
      }
    })
    this.lastInsertMs = performance.now() - started
  }

  /** Repeats until it succeeds; rejects only when the program stops or the partition is lost. */
  async #persistently(work: () => Promise<void>): Promise<void> {
    let pauseMs = retryPauseMinMs
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (this.#lost.aborted) throw error
        this.#storeProblem = messageOf(error)
        this.#options.onProblem('cannot store a block, trying again', error)
        if (this.#stopping) throw error
        // A store that says when it is back, as after its process ended, is asked again then.
        const knownMs = error instanceof UnavailableError && error.retryAfterMs > 0 ? error.retryAfterMs : Infinity
        await this.#pause(Math.min(pauseMs, knownMs / 10))
        pauseMs = Math.min(pauseMs * 2, retryPauseMaxMs)
      }
    }
  }

  /** Ends early when the program stops, so that one more try is made. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopAsked.signal }).catch(() => {})
  }

  /** Frees the buffers of blocks that are not being filled. */
  release(): void {
    this.#spare.length = 0
  }

  #lose(): void {
    this.#stopAsked.abort()
    this.#queue.finish()
    this.#stored.giveUp()
  }

  /** Resolves once no insert is under way. Nothing more is committed. Call it after `lost` was aborted. */
  async ended(): Promise<void> {
    await this.#run.catch(() => {})
    this.#dropCarried()
    this.#queue.close()
  }

  /**
   * Stores what is durable in the log so far, then stops. What the sink refuses, or what is not stored by `untilMs` (a
   * time), stays in the log for the next start.
   */
  async stop(untilMs = Infinity): Promise<void> {
    this.#stopAtMs = untilMs
    this.#stopping = true
    this.#stopAsked.abort()
    this.#queue.finish()
    await this.#run
    this.#stored.giveUp()
    this.#dropCarried()
    this.#queue.close()
  }
}

/** Tokens of the first partition do not name it, so that a block cut before there were partitions keeps its token. */
function tokenOf(logId: string, partition: Partition, { from, end }: Cut): string {
  return partition === 0 ? `${logId}-${from}-${end}` : `${logId}-${partition}-${from}-${end}`
}
