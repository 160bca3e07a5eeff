/** The store as a sink of the log: batches become rows of `spans`, `traces` and `events`. */
import type { BlockInsert, Sink, SinkBlock } from '../../model/sink.ts'
import type { KnownKeys } from './known-keys.ts'
import { addTouchedBuckets } from '../touched-buckets.ts'
import type { StoredBatch } from '../batch-queue.ts'
import { StoreBlock } from './block/store-block.ts'
import type { Engine } from './engine.ts'

/** The name of the store among the log's consumers. */
const storeSinkName = 'store'

export interface ClickHouseSinkOptions {
  readonly engine: Engine
  readonly keys: KnownKeys
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

  constructor(options: ClickHouseSinkOptions) {
    this.#options = options
  }

  newBlock(): SinkBlock {
    return new ClickHouseBlock(this.#options)
  }
}

class ClickHouseBlock implements SinkBlock {
  readonly #options: ClickHouseSinkOptions
  readonly #block = new StoreBlock()
  readonly #buckets = new Set<number>()
  #spans = 0

  constructor(options: ClickHouseSinkOptions) {
    this.#options = options
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

  async insert({ token, mayBeStored }: BlockInsert): Promise<void> {
    const { engine, keys, inserting } = this.#options
    for (const key of this.#block.irregularKeys) keys.addIrregular(key)
    keys.addNotes(this.#block.notes)
    keys.columns |= this.#block.columns
    await keys.save(engine)
    const settled = await inserting({ buckets: this.#buckets, holds: (traceId) => this.#block.holds(traceId) })
    try {
      await this.#block.insert(engine, token, mayBeStored)
    } finally {
      // An insert that failed may have stored some of the rows.
      await settled()
    }
    keys.spans += this.#spans
  }

  reset(): void {
    this.#block.reset()
    this.#buckets.clear()
    this.#spans = 0
  }
}
