/** The store as a sink of the log: batches become rows of `spans`, `traces` and `events`. */
import type { BlockInsert, Sink, SinkBlock } from '../../model/sink.ts'
import type { KnownKeys } from './known-keys.ts'
import { addTouchedBuckets } from '../touched-buckets.ts'
import type { StoredBatch } from '../batch-queue.ts'
import { StoreBlock } from './block/store-block.ts'
import type { Engine } from './engine.ts'
import { SeenSpans } from './once/seen-spans.ts'

/** The name of the store among the log's consumers. */
const storeSinkName = 'store'

export interface ClickHouseSinkOptions {
  readonly engine: Engine
  readonly keys: KnownKeys
  /** What the store has, by memory; by default of a process that has just loaded `keys`. */
  readonly seen?: SeenSpans
  /**
   * Called before rows are inserted, with the five-minute buckets (epoch seconds) that they change and a test for their
   * traces. Resolves to a function that is called when the insert is over, whether it succeeded or not.
   */
  readonly inserting: (changes: BlockChanges) => Promise<() => Promise<void> | void>
}

export interface BlockChanges {
  readonly buckets: ReadonlySet<number>
  /** Whether the block has spans of the trace. */
  readonly holds: (traceId: string) => boolean
}

export class ClickHouseSink implements Sink {
  readonly name = storeSinkName
  readonly #options: ClickHouseSinkOptions
  readonly #seen: SeenSpans
  #turn: Promise<unknown> = Promise.resolve()
  /** Spans that were left out since the start because they were stored already. */
  repeatedSpans = 0

  constructor(options: ClickHouseSinkOptions) {
    this.#options = options
    this.#seen = options.seen ?? new SeenSpans({ startedEmpty: options.keys.spans === 0, nowMs: Date.now })
  }

  newBlock(): SinkBlock {
    return new ClickHouseBlock({ ...this.#options, seen: this.#seen }, (work) => this.#inTurn(work))
  }

  /** Lets go of memory, once nothing comes. */
  release(): void {
    this.#seen.forget()
  }

  /**
   * One insert at a time, also where blocks of several partitions are stored: each must find what the others have stored.
   * `work` returns how many spans it left out.
   */
  async #inTurn(work: () => Promise<number>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    const leftOut = await turn
    this.repeatedSpans += leftOut
  }
}

class ClickHouseBlock implements SinkBlock {
  readonly #options: Required<ClickHouseSinkOptions>
  readonly #block = new StoreBlock()
  readonly #buckets = new Set<number>()
  readonly #inTurn: (work: () => Promise<number>) => Promise<void>
  #spans = 0

  constructor(options: Required<ClickHouseSinkOptions>, inTurn: (work: () => Promise<number>) => Promise<void>) {
    this.#options = options
    this.#inTurn = inTurn
  }

  get rows(): number {
    return this.#block.rows
  }

  add(batch: StoredBatch): void {
    this.#block.add(batch)
    for (const resource of batch.resources) this.#options.keys.addResource(resource)
    if (batch.signal === 'spans') this.#spans += batch.rows
    addTouchedBuckets(this.#buckets, batch)
  }

  insert(insert: BlockInsert): Promise<void> {
    return this.#inTurn(() => this.#insert(insert))
  }

  /** Returns how many spans were left out. A block that may be stored does not count its own as repeats. */
  async #insert({ token, mayBeStored }: BlockInsert): Promise<number> {
    const { engine, keys, seen, inserting } = this.#options
    for (const key of this.#block.irregularKeys) keys.addIrregular(key)
    keys.addNotes(this.#block.notes)
    keys.columns |= this.#block.columns
    await keys.save(engine)
    const settled = await inserting({ buckets: this.#buckets, holds: (traceId) => this.#block.holds(traceId) })
    let leftOut: number
    try {
      leftOut = await this.#block.insert(engine, token, { mayBeStored, seen })
    } finally {
      // An insert that failed may have stored some of the rows.
      await settled()
    }
    keys.spans += this.#spans - leftOut
    return mayBeStored ? 0 : leftOut
  }

  reset(): void {
    this.#block.reset()
    this.#buckets.clear()
    this.#spans = 0
  }
}
