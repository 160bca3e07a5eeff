/**
 * The store's consumer of the log. It joins batches into blocks (many rows cost the engine far less than few), notes the
 * cut in the log before inserting, and commits after. A crash between leaves the cut: the next start forms exactly that
 * block again and stores of it what is not there yet (docs/durability.md).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { bufferPool } from '../base/buffer-pool.ts'
import { UnavailableError, messageOf } from '../base/errors.ts'
import type { ConsumerState, Log, Position } from '../model/log.ts'
import { BatchQueue, type DecodeRecord, type QueuedBatch, type StoredBatch } from './batch-queue.ts'
import type { Engine } from './clickhouse/engine.ts'
import type { KnownKeys } from './clickhouse/known-keys.ts'
import { StoreBlock } from './clickhouse/block/store-block.ts'
import { addTouchedBuckets } from './touched-buckets.ts'

export interface WriterOptions {
  readonly log: Log
  /** Identity of the log: positions mean something only together with it. */
  readonly logId: string
  readonly engine: Engine
  readonly decode: DecodeRecord
  readonly keys: KnownKeys
  readonly blockRows: number
  readonly blockWaitMs: number
  readonly batchesBytesMax: number
  /** Called before a block goes into the store; the answer once it is there, or given up. */
  readonly inserting: (block: StoreBlock) => () => void
  /** Told what a stored block held. */
  readonly onStored: (batches: StoredSummary) => void
  readonly onProblem: (message: string, error: unknown) => void
  /** Keeps the records [from, end) aside when the store refuses them for good. */
  readonly quarantine: (from: Position, end: Position, reason: string) => Promise<void>
}

export interface StoredSummary {
  readonly spans: number
  readonly events: number
  /** Five-minute buckets (epoch seconds) that got rows. */
  readonly buckets: ReadonlySet<number>
}

/** The name of the store among the log's consumers. */
const storeConsumer = 'store'

/** An insert refused with an error that does not pass by itself is tried this often before its records are set aside. */
const refusedTriesMax = 6
const retryPauseMinMs = 100
const retryPauseMaxMs = 5000

export async function startWriter(options: WriterOptions): Promise<Writer> {
  const state = await options.log.consumer(storeConsumer)
  const writer = new Writer(options, state)
  writer.start()
  return writer
}

interface Cut {
  block: StoreBlock
  summary: MutableSummary
  /** Records [from, end). */
  from: Position
  end: Position
  startedAtMs: number
  /** Rows may be in the store already: the block was left by a crash, or an attempt to insert it failed. */
  mayBeStored: boolean
}

interface MutableSummary {
  spans: number
  events: number
  buckets: Set<number>
}

/** The memory under a batch, once its columns are copied into a block and nobody looks at it any more. */
function giveBack(batch: StoredBatch): void {
  bufferPool.give(batch.arena.buffer)
  bufferPool.give(batch.traceIds.buffer)
}

export class Writer {
  readonly #options: WriterOptions
  readonly #queue: BatchQueue
  readonly #spare: StoreBlock[] = [new StoreBlock(), new StoreBlock()]
  #next: Position
  /** End of the block a crash left between cut and commit. */
  #leftCut: Position | undefined
  #inserting: Promise<void> = Promise.resolve()
  /** A batch that was taken and belongs to the next block. */
  #carried: QueuedBatch | undefined
  /** While stopping, what is not stored by then stays in the log. */
  #stopAtMs = Infinity
  #stopping = false
  readonly #stopAsked = new AbortController()
  /** Records that broke a block: passed over when it is formed again. */
  readonly #unfit = new Set<Position>()
  #storeProblem: string | undefined
  #readProblem: string | undefined
  #run: Promise<void> | undefined
  blocks = 0
  lastInsertMs = 0

  constructor(options: WriterOptions, state: ConsumerState) {
    this.#options = options
    this.#next = state.next
    this.#leftCut = state.cutEnd
    const { log, decode, batchesBytesMax } = options
    this.#queue = new BatchQueue({ log, decode, bytesMax: batchesBytesMax }, state.next, log.stats().nextPosition)
  }

  get queue(): BatchQueue {
    return this.#queue
  }

  /** Why nothing is stored now; `undefined` when all is well. */
  get problem(): string | undefined {
    return this.#storeProblem ?? this.#readProblem
  }

  start(): void {
    this.#run = this.#loop()
  }

  async #loop(): Promise<void> {
    while (!this.#isDone()) {
      const cut = await this.#fill()
      if (cut === undefined) {
        if (this.#stopping && this.#readProblem !== undefined) break
        continue
      }
      await this.#inserting
      if (this.#stopping && this.problem !== undefined) break
      this.#inserting = this.#store(cut)
    }
    await this.#inserting
  }

  #isDone(): boolean {
    if (!this.#stopping) return false
    return Date.now() >= this.#stopAtMs || (this.#queue.empty && this.#carried === undefined)
  }

  /** Fills a block up to its size, its age, or exactly to the end of a cut left by a crash. */
  async #fill(): Promise<Cut | undefined> {
    const { blockRows, blockWaitMs } = this.#options
    const wanted = this.#leftCut
    const first = await this.#take(wanted === undefined ? Date.now() + blockWaitMs : 0)
    if (first === undefined) {
      // All records of the cut are gone: damaged, or lost in a power cut with syncing off.
      if (wanted !== undefined && this.#readProblem === undefined) this.#passCut(wanted)
      return undefined
    }
    const cut: Cut = {
      block: this.#spare.pop() ?? new StoreBlock(),
      summary: { spans: 0, events: 0, buckets: new Set() },
      from: this.#next,
      end: this.#next,
      startedAtMs: Date.now(),
      mayBeStored: wanted !== undefined,
    }
    for (let next: QueuedBatch | undefined = first; next !== undefined;) {
      if (wanted !== undefined && next.position >= wanted) {
        this.#carried = next
        break
      }
      if (!(await this.#addTo(cut, next))) return this.#formAgain(cut)
      if (wanted === undefined ? cut.block.rows >= blockRows : cut.end >= wanted) break
      next = await this.#take(wanted !== undefined || this.#stopping ? 0 : cut.startedAtMs + blockWaitMs)
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
    cut.block.reset()
    this.#spare.push(cut.block)
    this.#queue.rewind(cut.from)
  }

  #passCut(end: Position): void {
    this.#leftCut = undefined
    this.#next = end
  }

  /** `undefined` past the deadline, and when the log cannot be read while the program stops (`#readProblem`). */
  async #take(deadlineMs: number): Promise<QueuedBatch | undefined> {
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
        if (this.#stopping) return undefined
        await this.#pause(pauseMs)
        pauseMs = Math.min(pauseMs * 2, retryPauseMaxMs)
      }
    }
  }

  /** False when the block cannot take the batch and must be formed again without it. */
  async #addTo(cut: Cut, { batch, position }: QueuedBatch): Promise<boolean> {
    cut.end = (position + 1) as Position
    if (this.#unfit.delete(position)) return true
    if (batch === undefined) {
      await this.#setAside(position, 'it cannot be decoded any more')
      return true
    }
    try {
      cut.block.add(batch)
    } catch (error) {
      await this.#setAside(position, `it does not fit into a block: ${messageOf(error)}`)
      this.#unfit.add(position)
      return false
    }
    for (const resource of batch.resources) this.#options.keys.addResource(resource)
    if (batch.signal === 'spans') cut.summary.spans += batch.rows
    else cut.summary.events += batch.rows
    addTouchedBuckets(cut.summary.buckets, batch)
    giveBack(batch)
    return true
  }

  async #setAside(position: Position, reason: string): Promise<void> {
    const end = (position + 1) as Position
    const { onProblem, quarantine } = this.#options
    onProblem(`cannot store record ${position}: ${reason}; it is kept in the quarantine folder`, undefined)
    await this.#persistently(() => quarantine(position, end, reason))
  }

  async #store(cut: Cut): Promise<void> {
    const { log, logId } = this.#options
    try {
      if (cut.block.rows > 0) {
        await this.#persistently(() => log.commit(storeConsumer, { next: cut.from, cutEnd: cut.end }))
        const settled = this.#options.inserting(cut.block)
        await this.#insert(cut, `${logId}-${cut.from}-${cut.end}`).finally(settled)
      }
      await this.#persistently(() => log.commit(storeConsumer, { next: cut.end, cutEnd: undefined }))
    } catch {
      // Only when stopping: the cut is in the log, and the next start goes on from it.
      return
    } finally {
      cut.block.reset()
      this.#spare.push(cut.block)
    }
    this.#options.keys.spans += cut.summary.spans
    this.blocks++
    this.#storeProblem = undefined
    this.#options.onStored(cut.summary)
  }

  async #insert(cut: Cut, token: string): Promise<void> {
    const started = performance.now()
    const { engine, keys } = this.#options
    let refused = 0
    await this.#persistently(async () => {
      try {
        for (const key of cut.block.irregularKeys) keys.addIrregular(key)
        keys.addNotes(cut.block.notes)
        keys.columns |= cut.block.columns
        await keys.save(engine)
        await cut.block.insert(engine, token, cut.mayBeStored)
      } catch (error) {
        cut.mayBeStored = true
        const passes = error instanceof UnavailableError && error.canRetry
        if (passes || ++refused < refusedTriesMax) throw error
        await this.#options.quarantine(cut.from, cut.end, messageOf(error))
      }
    })
    this.lastInsertMs = performance.now() - started
  }

  /** Repeats until it succeeds; rejects only when the program stops. */
  async #persistently(work: () => Promise<void>): Promise<void> {
    let pauseMs = retryPauseMinMs
    for (;;) {
      try {
        return await work()
      } catch (error) {
        this.#storeProblem = messageOf(error)
        this.#options.onProblem('cannot store a block, trying again', error)
        if (this.#stopping) throw error
        await this.#pause(pauseMs)
        pauseMs = Math.min(pauseMs * 2, retryPauseMaxMs)
      }
    }
  }

  /** Ends early when the program stops, so that one more try is made. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopAsked.signal }).catch(() => {})
  }

  /** Lets go of the buffers of blocks that are not being filled. */
  release(): void {
    this.#spare.length = 0
  }

  /**
   * Stores what is durable in the log so far, then stops. What the store refuses, or what is not stored by `untilMs` (a
   * time), stays in the log for the next start.
   */
  async stop(untilMs = Infinity): Promise<void> {
    this.#stopAtMs = untilMs
    this.#stopping = true
    this.#stopAsked.abort()
    this.#queue.finish()
    await this.#run
    this.#queue.close()
  }
}
