/** The rows of one insert: spans with their trace rows, and events, of consecutive log records. */
import { createHash, randomUUID } from 'node:crypto'
import type { EventBatch } from '../../../model/event-batch.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import type { Engine } from '../engine.ts'
import { KeyNotes } from '../../key-kinds.ts'
import { EventBlock } from './event-block.ts'
import { ByteWriter } from '../native/byte-writer.ts'
import { structureOf, writeBlock, type Column } from '../native/column.ts'
import { findRepeats } from '../once/repeats.ts'
import { SeenSpans } from '../once/seen-spans.ts'
import { SpanBlock } from './span-block.ts'
import { TraceBlock } from './trace-block.ts'
import { traceSpansOf } from './trace-spans.ts'

type Columns = readonly (readonly [string, Column])[]

/** The columns that tell a row of `events` from every other; time comes first. */
const eventIdentity = [
  'time',
  'trace_id',
  'span_id',
  'observed_time',
  'service_name',
  'type',
  'severity_number',
  'body',
] as const

export interface InsertOptions {
  /** An earlier attempt, by this process or one that was killed, may have stored some of the rows. */
  readonly mayBeStored?: boolean
  /** The spans that the store has. */
  readonly seen?: SeenSpans
}

/** Reused from block to block: add batches, `insert`, `reset`. */
export class StoreBlock {
  /** Keys of its rows that searches have to look for in more places. */
  readonly notes = new KeyNotes()
  readonly #spans = new SpanBlock(this.notes)
  readonly #traces = new TraceBlock()
  readonly #events = new EventBlock(this.notes)
  readonly #bytes = new ByteWriter(1 << 16)

  get rows(): number {
    return this.#spans.rows + this.#events.rows
  }

  /** Dedicated keys that had a value outside their column. */
  get irregularKeys(): ReadonlySet<string> {
    return this.#spans.irregularKeys
  }

  /** Bits of the spans' columns that hold something. */
  get columns(): number {
    return this.#spans.presentAnywhere
  }

  /** Whether it has spans of the trace. */
  holds(traceId: string): boolean {
    return this.#traces.holds(traceId)
  }

  add(batch: SpanBatch | EventBatch): void {
    if (batch.signal === 'events') return this.#events.add(batch)
    const first = this.#spans.rows
    this.#spans.add(batch)
    this.#traces.add(traceSpansOf(batch, (row) => this.#spans.presentAt(first + row)))
  }

  /**
   * Puts the rows into their tables, except those that are there already. Spans that are there already are dropped from
   * the block. Returns how many spans were dropped.
   */
  async insert(engine: Engine, token: string, options: InsertOptions = {}): Promise<number> {
    const { mayBeStored = false, seen = nothingSeen() } = options
    const insert = async (table: string, columns: Columns, rows: number): Promise<void> => {
      if (rows === 0) return
      this.#bytes.length = 0
      await writeBlock(columns, rows, this.#bytes)
      const storedIf = mayBeStored && table === 'events' ? { storedIf: eventIdentity } : {}
      // The engine may remember a token whose rows it does not have.
      const own = mayBeStored ? `${token}-${randomUUID()}` : token
      const bytes = [this.#bytes.view()]
      await engine.insert({ table, structure: structureOf(columns), bytes, token: own, ...storedIf })
    }
    const blockTag = tagOf(token)
    const repeats = await findRepeats({ engine, seen, spans: this.#spans.spans, mayBeStored, blockTag })
    const leftOut = repeats?.leftOut ?? 0
    if (leftOut > 0) {
      this.#spans.retain(repeats!.kept)
      this.#traces.reset()
      this.#traces.add(this.#spans.spans)
    }
    await this.#traces.finish(blockTag, repeats?.storedTraces ?? new Set())
    // These go first: they tell a repeat which spans it has yet to count (docs/adr/0023-a-span-is-stored-once.md).
    await insert('traces', this.#traces.columns, this.#traces.rows)
    await insert('spans', this.#spans.columns, this.#spans.rows)
    await insert('events', this.#events.columns, this.#events.rows)
    return leftOut
  }

  reset(): void {
    this.#spans.reset()
    this.#traces.reset()
    this.#events.reset()
    this.notes.reset()
  }
}

function nothingSeen(): SeenSpans {
  return new SeenSpans({ startedEmpty: true, nowMs: Date.now, placesMin: 1024 })
}

/** 32 bits of a hash; never 0, which rows of older versions have. */
function tagOf(token: string): number {
  return createHash('sha256').update(token).digest().readUInt32LE(0) || 1
}
