/** How much is stored, for status pages that ask often: from the engine's notes of its parts, and kept for a second. */
import type { Engine } from './engine.ts'

export interface StoredFigures {
  readonly spans: number
  readonly events: number
  /** Different trace ids; above some ten thousand right to about 1 %. */
  readonly traces: number
  readonly diskBytes: number
  readonly parts: number
  /** Start of the oldest and newest span; undefined when there is none. */
  readonly oldestNs: bigint | undefined
  readonly newestNs: bigint | undefined
}

export interface StoredFiguresReader {
  read(): Promise<StoredFigures>
  /** What was read last; `undefined` before the first time. */
  readonly last: StoredFigures | undefined
}

const keepMs = 1000
/** Counting traces reads all their ids: it may take at most a fiftieth of the time. */
const tracesCostShare = 50

export function openStoredFigures(engine: Engine, now: () => number = Date.now): StoredFiguresReader {
  let kept: { readonly atMs: number; readonly figures: Promise<StoredFigures> } | undefined
  let traces = { rows: -1, count: 0, freshUntilMs: 0 }

  async function countTraces(rows: number): Promise<number> {
    if (rows === traces.rows || (now() < traces.freshUntilMs && rows > traces.rows)) return traces.count
    const startedMs = performance.now()
    const [row] = await engine.query<[string]>('SELECT uniq(trace_id) FROM traces', { settings: { max_threads: 1 } })
    const freshUntilMs = now() + (performance.now() - startedMs) * tracesCostShare
    traces = { rows, count: Number(row?.[0] ?? 0), freshUntilMs }
    return traces.count
  }

  async function readNow(): Promise<StoredFigures> {
    const parts = await engine.query<[string, string, string, string]>(
      `SELECT table, sum(rows), sum(bytes_on_disk), count() FROM system.parts
       WHERE active AND database = currentDatabase() GROUP BY table`,
    )
    const rowsOf = (table: string): number => Number(parts.find(([name]) => name === table)?.[1] ?? 0)
    const [ends] = await engine.query<[string, string]>(
      'SELECT toUnixTimestamp64Nano(min(start_time)), toUnixTimestamp64Nano(max(start_time)) FROM spans',
    )
    const spans = rowsOf('spans')
    return {
      spans,
      events: rowsOf('events'),
      traces: await countTraces(rowsOf('traces')),
      diskBytes: parts.reduce((sum, row) => sum + Number(row[2]), 0),
      parts: parts.reduce((sum, row) => sum + Number(row[3]), 0),
      oldestNs: spans === 0 ? undefined : BigInt(ends![0]),
      newestNs: spans === 0 ? undefined : BigInt(ends![1]),
    }
  }

  let last: StoredFigures | undefined
  return {
    get last() {
      return last
    },
    read() {
      if (kept === undefined || now() >= kept.atMs + keepMs) {
        const figures = readNow()
        kept = { atMs: now(), figures }
        // A failure is not kept.
        figures.then(
          (value) => (last = value),
          () => (kept = undefined),
        )
      }
      return kept.figures
    },
  }
}
