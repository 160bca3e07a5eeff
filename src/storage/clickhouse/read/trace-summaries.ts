/**
 * Summaries of traces by id. Those that were read last are kept, as people look at the same lists again and again: reading
 * twenty from the store takes 3 to 5 ms of a search (bench/query). A block takes the summaries of its traces out once it is
 * stored. What was read while a block was on its way in may be of before or after it and is not kept.
 */
import type { Engine } from '../engine.ts'
import { readSummaries } from './trace-search.ts'
import type { TraceSummaryRow } from '../../../model/trace-search.ts'

/** Of some 2 KB each. */
const keptMax = 2000

export class TraceSummaries {
  readonly #engine: Pick<Engine, 'query'>
  readonly #keptMax: number
  /** Least recently asked for first. */
  readonly #kept = new Map<string, TraceSummaryRow>()
  #inserts = 0
  #changes = 0

  constructor(engine: Pick<Engine, 'query'>, max = keptMax) {
    this.#engine = engine
    this.#keptMax = max
  }

  /** Of those traces that the store has, in no order. */
  async read(traceIds: readonly string[], signal?: AbortSignal): Promise<TraceSummaryRow[]> {
    const found: TraceSummaryRow[] = []
    const missing: string[] = []
    for (const traceId of traceIds) {
      const kept = this.#kept.get(traceId)
      if (kept === undefined) missing.push(traceId)
      else {
        found.push(kept)
        this.#keep(kept)
      }
    }
    if (missing.length === 0) return found
    const changes = this.#changes
    const read = await readSummaries(this.#engine, missing, signal)
    if (this.#inserts === 0 && this.#changes === changes) for (const summary of read) this.#keep(summary)
    return [...found, ...read]
  }

  /**
   * A block is about to be inserted. The answer is to be called when that is over, however it ended; `holds` says whether a
   * trace has spans in the block.
   */
  inserting(holds: (traceId: string) => boolean): () => void {
    this.#inserts++
    return () => {
      this.#inserts--
      this.#changes++
      for (const traceId of this.#kept.keys()) if (holds(traceId)) this.#kept.delete(traceId)
    }
  }

  /** Rows left the store. */
  forget(): void {
    this.#changes++
    this.#kept.clear()
  }

  #keep(summary: TraceSummaryRow): void {
    this.#kept.delete(summary.traceId)
    this.#kept.set(summary.traceId, summary)
    if (this.#kept.size <= this.#keptMax) return
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      return
    }
  }
}
