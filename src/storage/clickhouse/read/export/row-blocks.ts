/**
 * All rows of a selection, block by block. Each block is a query of its own with the time of one, and between blocks the
 * export holds no session of the engine; so it holds nobody up, however slow its reader is. Rows that are stored while it goes on
 * may be among them or not.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { UnavailableError } from '../../../../base/errors.ts'
import type { Predicate } from '../../../../model/query.ts'
import type { ReadOptions } from '../../../../model/reader.ts'
import type { RowBlock, RowSelection } from '../../../../model/row-block.ts'
import type { TracePlace, TraceSummaryRow } from '../../../../model/trace-search.ts'
import { Conditions, type KeyFacts } from '../../compile/conditions.ts'
import type { Engine } from '../../engine.ts'
import { readNativeBlocks } from '../../native/block-reader.ts'
import { readSummaries, searchTraces } from '../trace-search.ts'
import { keyRanges, rangeConditions, type ExportTable } from './key-ranges.ts'
import { eventColumns, eventRowsOf, spanColumns, spanRowsOf } from './row-columns.ts'

const spans: ExportTable = {
  name: 'spans',
  time: 'start_time',
  names: ['service_name', 'name'],
  columns: spanColumns,
  hash: 'cityHash64(trace_id, span_id)',
}
const events: ExportTable = {
  name: 'events',
  time: 'time',
  names: ['service_name'],
  columns: eventColumns,
  hash: 'cityHash64(trace_id, span_id, body)',
}

/** A block has about so many rows, or fewer where rows are large: what is in memory at a time, here and in the engine. */
const blockRowsMax = 65_536
const blockBytesMax = 48 * 2 ** 20
/** Their ids are in the text of the query, of which the engine reads 256 KiB. */
const traceIdsMax = 2000
/** A block that needs more memory than a query may have is read in parts. */
const slicesMax = 1 << 16
const slicesFactor = 8

export interface ExportOptions extends ReadOptions {
  readonly facts: KeyFacts
  /** Rows of a block, instead of what fits their size. */
  readonly blockRows?: number | undefined
}

export async function* readRowBlocks(
  engine: Engine,
  selection: RowSelection,
  options: ExportOptions,
): AsyncGenerator<RowBlock> {
  const { signal } = options
  const tables = [spans, events].filter(({ name }) => selection.signals.includes(name))
  const { where } = selection
  if (where !== undefined) return yield* tracesMatching(engine, { ...selection, ...options, where, tables })
  for (const table of tables) {
    const rowsWanted = await rowsPerBlock(engine, table, options)
    for await (const range of keyRanges(engine, table, { range: selection, rowsWanted, signal })) {
      const conditions = rangeConditions(table, range, selection)
      yield* readSlices({ engine, table, conditions, signal }, { of: range.slices, from: 0, step: 1 })
    }
  }
}

interface MatchingOptions extends RowSelection, ExportOptions {
  readonly where: Predicate
  readonly tables: readonly ExportTable[]
}

/** Whole traces, newest first: the spans of some, then their log records. */
async function* tracesMatching(engine: Engine, options: MatchingOptions): AsyncGenerator<RowBlock> {
  const { where, startNs, endNs, facts, signal, tables } = options
  const summaries = { read: (ids: readonly string[]) => readSummaries(engine, ids, signal) }
  const rowsWanted = Math.min(...(await Promise.all(tables.map((table) => rowsPerBlock(engine, table, options)))))
  let left = options.tracesMax ?? Infinity
  let after: TracePlace | undefined
  while (left > 0) {
    const search = {
      query: { where, startNs, endNs },
      sort: 'time',
      limit: Math.min(left, traceIdsMax),
      after,
    } as const
    const page = await searchTraces({ engine, facts, summaries }, { ...search, signal })
    for (const group of groupsOf(page.traces, rowsWanted)) {
      for (const table of tables) {
        const conditions = traceConditions(table, group.traces)
        const slices = { of: Math.ceil(group.spans / rowsWanted), from: 0, step: 1 }
        yield* readSlices({ engine, table, conditions, signal }, slices)
      }
    }
    left -= page.traces.length
    after = page.next
    if (after === undefined) return
  }
}

/** Traces in their order, with about as many spans as a block has rows. */
function* groupsOf(
  traces: readonly TraceSummaryRow[],
  rowsWanted: number,
): Generator<{ readonly traces: readonly TraceSummaryRow[]; readonly spans: number }> {
  let group: TraceSummaryRow[] = []
  let count = 0
  for (const trace of traces) {
    if (group.length > 0 && count + trace.spanCount > rowsWanted) {
      yield { traces: group, spans: count }
      group = []
      count = 0
    }
    group.push(trace)
    count += trace.spanCount
  }
  if (group.length > 0) yield { traces: group, spans: Math.max(1, count) }
}

function traceConditions({ name, time }: ExportTable, traces: readonly TraceSummaryRow[]): Conditions {
  const conditions = new Conditions()
  const ids = traces.map(({ traceId }) => conditions.bind(traceId, 'FixedString(16)'))
  conditions.add(`trace_id IN (${ids.join(',')})`)
  // A log record may be of any time.
  if (name === 'events') return conditions
  let [from, to] = [traces[0]!.startNs, traces[0]!.startNs]
  for (const { startNs, durationNs } of traces) {
    if (startNs < from) from = startNs
    if (startNs + durationNs > to) to = startNs + durationNs
  }
  conditions.add(`${time} >= ${conditions.bind(from, 'DateTime64(9)')}`)
  conditions.add(`${time} <= ${conditions.bind(to, 'DateTime64(9)')}`)
  return conditions
}

interface BlockQuery {
  readonly engine: Engine
  readonly table: ExportTable
  readonly conditions: Conditions
  readonly signal: AbortSignal | undefined
}

/** Those of `of` slices that are `from`, `from + step` and so on. */
interface Slices {
  readonly of: number
  readonly from: number
  readonly step: number
}

async function* readSlices(query: BlockQuery, { of, from, step }: Slices): AsyncGenerator<RowBlock> {
  for (let slice = from; slice < of; slice += step) {
    let bytes: Uint8Array | undefined
    try {
      bytes = await readSlice(query, of, slice)
    } catch (error) {
      if (!isTooLarge(error) || of >= slicesMax) throw error
    }
    // A row is of slice s of n when its hash leaves s: the same rows are those that leave s, s + n, s + 2n, … of 8n.
    if (bytes === undefined) yield* readSlices(query, { of: of * slicesFactor, from: slice, step: of })
    else
      for (const block of readNativeBlocks(bytes)) yield query.table === spans ? spanRowsOf(block) : eventRowsOf(block)
  }
}

async function readSlice(
  { engine, table, conditions, signal }: BlockQuery,
  of: number,
  slice: number,
): Promise<Uint8Array> {
  const own = of === 1 ? [] : [`${table.hash} % ${of} = ${slice}`]
  const where = [...conditions.sql, ...own].join(' AND ') || '1'
  const settings = { max_threads: 1, max_block_size: blockRowsMax, preferred_block_size_bytes: 16 * 2 ** 20 }
  return untilPossible(signal, () =>
    engine.queryBlocks(`SELECT ${table.columns.join(', ')} FROM ${table.name} WHERE ${where}`, {
      parameters: conditions.parameters,
      signal,
      settings,
    }),
  )
}

/** How long a block is tried when the engine is started again or others stand in line. */
const retryMs = 60_000
const pauseMs = 500

async function untilPossible<Answer>(signal: AbortSignal | undefined, ask: () => Promise<Answer>): Promise<Answer> {
  const untilMs = performance.now() + retryMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      signal?.throwIfAborted()
      const isPassing =
        error instanceof UnavailableError &&
        error.canRetry &&
        ['store_unavailable', 'too_many_requests'].includes(error.code) &&
        !isTooLarge(error)
      if (!isPassing || performance.now() > untilMs) throw error
    }
    await sleep(pauseMs, undefined, { signal })
  }
}

function isTooLarge(error: unknown): boolean {
  return (
    error instanceof UnavailableError &&
    error.code === 'store_unavailable' &&
    /more memory than query\.memory|more than one may have/.test(error.message)
  )
}

/** From what the parts of the table say of their rows' size. */
async function rowsPerBlock(
  engine: Engine,
  { name }: ExportTable,
  { blockRows, signal }: ExportOptions,
): Promise<number> {
  if (blockRows !== undefined) return blockRows
  const [row] = await engine.query<[bytes: string, rows: string]>(
    `SELECT sum(data_uncompressed_bytes), sum(rows) FROM system.parts
     WHERE database = currentDatabase() AND table = {table:String} AND active`,
    { parameters: { table: name }, signal },
  )
  const rowBytes = Number(row?.[0] ?? 0) / Math.max(1, Number(row?.[1] ?? 0))
  return Math.max(64, Math.min(blockRowsMax, Math.floor(blockBytesMax / Math.max(1, rowBytes))))
}
