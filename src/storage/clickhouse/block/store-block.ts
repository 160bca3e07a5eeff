/** The rows of one insert: spans with their trace rows, and events, of consecutive log records. */
import type { EventBatch } from '../../../model/event-batch.ts'
import type { SpanBatch } from '../../../model/span-batch.ts'
import type { Engine } from '../engine.ts'
import { KeyNotes } from '../../key-kinds.ts'
import { EventBlock } from './event-block.ts'
import { ByteWriter } from '../native/byte-writer.ts'
import { structureOf, writeBlock, type Column } from '../native/column.ts'
import { SpanBlock } from './span-block.ts'
import { TraceBlock } from './trace-block.ts'

type Columns = readonly (readonly [string, Column])[]
type TableName = keyof typeof identities

/** What tells a row of a table from every other: time first. */
const identities = {
  spans: ['start_time', 'trace_id', 'span_id', 'parent_span_id', 'kind', 'duration', 'service_name', 'name'],
  traces: ['start_time', 'trace_id', 'end_time', 'span_count', 'error_count', 'root_service', 'root_name', 'columns'],
  events: ['time', 'trace_id', 'span_id', 'observed_time', 'service_name', 'type', 'severity_number', 'body'],
} as const

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
    this.#traces.add(batch, (row) => this.#spans.presentAt(first + row))
  }

  /**
   * Puts the rows into their tables. `mayBeStored` says that an attempt before, by this process or one that was killed,
   * may have stored some of them.
   */
  async insert(engine: Engine, token: string, mayBeStored = false): Promise<void> {
    const insert = async (table: TableName, columns: Columns, rows: number): Promise<void> => {
      this.#bytes.length = 0
      await writeBlock(columns, rows, this.#bytes)
      const storedIf = mayBeStored ? { storedIf: identities[table] } : {}
      await engine.insert({ table, structure: structureOf(columns), bytes: [this.#bytes.view()], token, ...storedIf })
    }
    if (this.#spans.rows > 0) {
      await insert('spans', this.#spans.columns, this.#spans.rows)
      await this.#traces.finish()
      await insert('traces', this.#traces.columns, this.#traces.rows)
    }
    if (this.#events.rows > 0) await insert('events', this.#events.columns, this.#events.rows)
  }

  reset(): void {
    this.#spans.reset()
    this.#traces.reset()
    this.#events.reset()
    this.notes.reset()
  }
}
